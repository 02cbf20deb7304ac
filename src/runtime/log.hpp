// Logs that a container is not put under foster: one line in the real runtime's log, where its caller looks.
#pragma once

#include "runtime/command_line.hpp"

namespace foster::runtime
{

// Logs why a container is left unchanged. file: the file that the reason is about, or null. All signals must be
// blocked.
void log_unchanged(const CommandLine& line, const char* file, const char* reason);

} // namespace foster::runtime
