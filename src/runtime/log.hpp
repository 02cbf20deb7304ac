// What is said of a container that is not put under foster: one line in the real runtime's log, where its caller looks.
#pragma once

#include "runtime/command_line.hpp"

namespace foster::runtime
{

// Says why a container is left as it is. The file: null, or the bundle's one that is spoken of. All signals must be blocked.
void tell_unchanged(const CommandLine& line, const char* file, const char* reason);

} // namespace foster::runtime
