// lose-sigchld PID CHILD: from the line ATTACHED on no SIGCHLD comes to the process PID but of its child CHILD, as it
// knows that: one that ends a rt_sigtimedwait, or is read of a signalfd, is gone, as those of CLONE_AUTOREAP are in
// Linux 7.1. Ends when PID does. x86_64.
#include "workload.hpp"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/user.h>
#include <sys/wait.h>

namespace
{

struct Tracee {
    pid_t pid;
    pid_t child;
    unsigned long call_before = ~0UL;
    user_regs_struct registers{};

    int number_at(unsigned long address) const
    {
        return static_cast<int>(ptrace(PTRACE_PEEKDATA, pid, address, nullptr));
    }

    // Not what it would return, but nothing.
    void lose(bool may_wait)
    {
        if (may_wait) {
            registers.rax = registers.orig_rax;
            registers.rip -= 2; // the syscall instruction, once more
        } else {
            registers.rax = static_cast<unsigned long>(-EAGAIN);
        }
        ptrace(PTRACE_SETREGS, pid, nullptr, &registers);
    }

    bool has_read_sigchld() const
    {
        return registers.orig_rax == SYS_read && registers.rax == sizeof(signalfd_siginfo) &&
               number_at(registers.rsi) == SIGCHLD &&
               number_at(registers.rsi + offsetof(signalfd_siginfo, ssi_pid)) != child;
    }

    void after_call()
    {
        ptrace(PTRACE_GETREGS, pid, nullptr, &registers);
        if (registers.orig_rax == SYS_rt_sigtimedwait && registers.rax == SIGCHLD &&
            number_at(registers.rsi + offsetof(siginfo_t, si_pid)) != child) {
            lose(true);
        } else if (has_read_sigchld()) {
            lose(call_before != SYS_ppoll && call_before != SYS_poll); // which have told that it is there
        }
        if (registers.orig_rax != SYS_rt_sigpending) { // which does not change what poll has told
            call_before = registers.orig_rax;
        }
    }
};

} // namespace

int main(int /*count*/, char** arguments)
{
    Tracee tracee{atoi(arguments[1]), atoi(arguments[2])};
    const pid_t pid = tracee.pid;
    if (ptrace(PTRACE_SEIZE, pid, nullptr, PTRACE_O_TRACESYSGOOD) != 0 ||
        ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr) != 0) {
        die("ptrace");
    }
    bool is_attached = false;
    for (int status = 0; waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status);) {
        if (!is_attached) {
            is_attached = true;
            puts("ATTACHED");
            fflush(stdout);
        }
        const bool is_call = WSTOPSIG(status) == (SIGTRAP | 0x80);
        if (is_call) {
            __ptrace_syscall_info info{};
            ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
            if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
                tracee.after_call();
            }
        }
        const bool is_event = status >> 16 != 0;
        ptrace(PTRACE_SYSCALL, pid, nullptr, is_call || is_event ? 0L : static_cast<long>(WSTOPSIG(status)));
    }
    return 0;
}
