// What errno values mean.
#pragma once

#include <string_view>

namespace foster::log
{

// The meaning of an errno value that foster's calls can answer; empty: it is another one. strerror(3).
std::string_view errno_text(int error);

} // namespace foster::log
