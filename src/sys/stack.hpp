// Room for foster's own stack, whatever limit the workload is to have.
#pragma once

namespace foster::sys
{

// Calls the program, on a stack of its own where the limit on this process's one may leave too little, prlimit(1)
// --stack. Returns what that returns. tests/stack_limit.bats
int run_with_room(int (*program)(char** arguments, char** variables), char** arguments, char** variables);

} // namespace foster::sys
