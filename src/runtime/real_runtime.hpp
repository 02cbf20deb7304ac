// The runtime that foster-runtime stands before.
#pragma once

#include "runtime/command_line.hpp"

namespace foster::runtime
{

// Becomes it: the one that --foster-runtime names, or the one in PATH that this program's own name holds ("foster-crun"), or the first of
// runc and crun there. Ends foster-runtime with one line where there is none.
[[noreturn]] void become_real_runtime(const CommandLine& line, char** variables);

} // namespace foster::runtime
