// What errno values mean.
#pragma once

#include <string_view>

namespace foster::sys
{

// The meaning of an errno value that foster's calls can answer; empty: it is another one. strerror(3).
std::string_view reason_of(int error);

} // namespace foster::sys
