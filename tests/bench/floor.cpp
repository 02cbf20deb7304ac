// floor COMMAND WORD...: the least that an init can do: blocks all signals, spawns the command, forwards signals to it,
// reaps, and exits with its status. No libc, no option, no message. The benchmark shows how far foster is from it.
#include "sys/raw_call.hpp"

#include <csignal>
#include <cstdint>
#include <sched.h>
#include <sys/wait.h>

using foster::sys::raw_call;

extern "C" [[noreturn, gnu::used]] void start_on(char** stack)
{
    char** const command = stack + 2;
    char** const variables = stack + reinterpret_cast<std::intptr_t>(*stack) + 2;
    constexpr int SIZE = 8; // of the kernel's signal mask
    const std::uint64_t all = ~0ULL;
    std::uint64_t inherited = 0;
    raw_call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &inherited, SIZE);
    const long child = raw_call(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    if (child == 0) {
        raw_call(SYS_rt_sigprocmask, SIG_SETMASK, &inherited, nullptr, SIZE);
        raw_call(SYS_execve, *command, command, variables);
        raw_call(SYS_exit_group, 127);
    }
    for (;;) {
        siginfo_t info;
        const long signal = raw_call(SYS_rt_sigtimedwait, &all, &info, nullptr, SIZE);
        if (signal > 0 && signal != SIGCHLD) {
            raw_call(SYS_kill, child, signal);
        }
        int status = 0;
        for (long reaped = 1; reaped > 0;) {
            reaped = raw_call(SYS_wait4, -1, &status, WNOHANG | __WALL, nullptr);
            if (reaped == child) {
                raw_call(SYS_exit_group, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
            }
        }
    }
}

#ifdef __x86_64__
asm(".globl _start\n_start:\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall start_on");
#else
asm(".globl _start\n_start:\n\tmov x0, sp\n\tbl start_on");
#endif
