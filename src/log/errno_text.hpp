// The texts of errno values.
#pragma once

#include <string_view>

namespace foster::log
{

// Returns the text of an errno value that foster's system calls can return, or an empty text for any other value.
// strerror(3).
std::string_view errno_text(int error);

} // namespace foster::log
