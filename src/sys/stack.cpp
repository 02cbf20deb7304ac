#include "sys/stack.hpp"

#include "sys/memory.hpp"
#include "sys/syscall.hpp"

#include <sys/resource.h>
#include <unistd.h>

namespace foster::sys
{
namespace
{

struct Call {
    int (*program)(char** arguments, char** variables);
    char** arguments;
    char** variables;
};

// Not inlined: it needs a frame on the other stack.
[[noreturn, maybe_unused, gnu::noinline]] void run_to_end(const Call& call)
{
    ::_exit(call.program(call.arguments, call.variables));
}

// Returns if it cannot switch stacks: on another CPU, and under a sanitizer, which does not know the other stack. The
// calling conventions want the stack pointer to be a multiple of 16 before the call.
void run_on([[maybe_unused]] void* top, [[maybe_unused]] const Call& call)
{
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
    asm volatile("mov %0, %%rsp\n\tcall *%1" : : "r"(top), "r"(&run_to_end), "D"(&call) : "memory");
#elif defined(__aarch64__) && !defined(__SANITIZE_ADDRESS__)
    asm volatile("mov x0, %2\n\tmov sp, %0\n\tblr %1" : : "r"(top), "r"(&run_to_end), "r"(&call) : "x0", "memory");
#endif
}

} // namespace

// Arguments and environment take up to 128 KiB of a small stack, and up to a quarter of a large one, execve(2). The
// kernel enforces the limit as the stack grows, and kills by SIGSEGV beyond it.
int run_with_enough_stack(int (*program)(char** arguments, char** variables), char** arguments, char** variables)
{
    constexpr rlim_t MIN_LIMIT = 0x80000;
    constexpr std::size_t SIZE = 0x40000; // pages that are not used take no memory
    rlimit limit{MIN_LIMIT, MIN_LIMIT};
    (void)raw_call(SYS_prlimit64, 0, RLIMIT_STACK, 0, &limit);
    if (limit.rlim_cur < MIN_LIMIT) {
        if (const auto stack = map_memory(SIZE)) {
            run_on(static_cast<char*>(stack.value) + SIZE, {program, arguments, variables});
        }
    }
    return program(arguments, variables);
}

} // namespace foster::sys
