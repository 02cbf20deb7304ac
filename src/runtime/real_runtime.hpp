// The real runtime, to which foster-runtime adds foster.
#pragma once

#include "runtime/command_line.hpp"

namespace foster::runtime
{

// Executes the real runtime: the one that --foster-runtime names, or the one in PATH that this program's name contains
// ("foster-crun"), or the first of runc and crun in PATH. Ends foster-runtime with one line if there is none.
[[noreturn]] void exec_real_runtime(const CommandLine& line, char** variables);

} // namespace foster::runtime
