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

// Not inlined: it must have a frame on the other stack.
[[noreturn, maybe_unused, gnu::noinline]] void run_to_end(const Call& call)
{
    ::_exit(call.program(call.arguments, call.variables));
}

// Returns where it cannot: on another CPU, and under a sanitizer, which wants to be told of another stack. The calling
// conventions want a stack pointer that is a multiple of 16 before the call.
void run_on([[maybe_unused]] void* top, [[maybe_unused]] const Call& call)
{
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
    asm volatile("mov %0, %%rsp\n\tcall *%1" : : "r"(top), "r"(&run_to_end), "D"(&call) : "memory");
#elif defined(__aarch64__) && !defined(__SANITIZE_ADDRESS__)
    asm volatile("mov x0, %2\n\tmov sp, %0\n\tblr %1" : : "r"(top), "r"(&run_to_end), "r"(&call) : "x0", "memory");
#endif
}

} // namespace

// Arguments and environment take up to 128 KiB of however small a stack, and of a large one a quarter, execve(2). The
// kernel keeps it to the limit as it grows, and ends who goes beyond by SIGSEGV.
int run_with_room(int (*program)(char** arguments, char** variables), char** arguments, char** variables)
{
    constexpr rlim_t ENOUGH = 0x80000;
    constexpr std::size_t SIZE = 0x40000; // of which only what is used is ever there
    rlimit limit{ENOUGH, ENOUGH};
    (void)raw_call(SYS_prlimit64, 0, RLIMIT_STACK, 0, &limit);
    if (limit.rlim_cur < ENOUGH) {
        if (const auto stack = map_memory(SIZE)) {
            run_on(static_cast<char*>(stack.value) + SIZE, {program, arguments, variables});
        }
    }
    return program(arguments, variables);
}

} // namespace foster::sys
