// Enough stack for foster, even if the workload is to have a small stack limit.
#pragma once

namespace foster::sys
{

// Calls the program and returns its result. If the limit on this process's stack may leave too little room, it runs on
// a stack of its own. prlimit(1) --stack, tests/stack_limit.bats.
int run_with_enough_stack(int (*program)(char** arguments, char** variables), char** arguments, char** variables);

} // namespace foster::sys
