#include "sys/processes.hpp"
#include "sys/helper.hpp"
#include "sys/signals.hpp"
#include "sys/syscall.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

namespace foster::sys
{

namespace
{

// Without __WALL, a wait for any child does not find helpers, which have no exit signal. __WALL also finds children
// without an exit signal that foster has inherited; while a helper runs, such children are not reaped. clone(2),
// wait(2).
int wait_flags()
{
    return Helper::is_any_running() ? 0 : __WALL;
}

// clone(2) with a separate stack. `body` must not return.
long clone_onto(void* top, long flags, int (*body)(void*), void* argument)
{
#ifdef __x86_64__
    long answer = SYS_clone;
    asm volatile("syscall\n\ttest %%eax, %%eax\n\tjnz 1f\n\tmov %[argument], %%rdi\n\tcall *%[body]\n1:"
                 : "+&a"(answer)
                 : "D"(flags), "S"(top), [body] "r"(body), [argument] "r"(argument)
                 : "rcx", "r11", "memory");
    return answer;
#elif defined __aarch64__
    register long x8 asm("x8") = SYS_clone;
    register long x0 asm("x0") = flags;
    register void* x1 asm("x1") = top;
    asm volatile("svc 0\n\tcbnz x0, 1f\n\tmov x0, %[argument]\n\tblr %[body]\n1:"
                 : "+&r"(x0)
                 : "r"(x8), "r"(x1), [body] "r"(body), [argument] "r"(argument)
                 : "memory");
    return x0;
#else
    const long answer = ::clone(body, top, static_cast<int>(flags), argument);
    return answer < 0 ? -errno : answer;
#endif
}

} // namespace

// Not inlined, for four callers want it.
[[gnu::noinline]] long wait_at_once(idtype_t type, pid_t pid, siginfo_t& info, int options)
{
    info.si_pid = 0;
    return raw_call(SYS_waitid, type, pid, &info, options | WNOHANG | __WNOTHREAD, 0);
}

int stopped_by(pid_t child)
{
    siginfo_t info;
    (void)wait_at_once(P_PID, child, info, WSTOPPED);
    return info.si_pid == child ? info.si_status : 0;
}

Status become_subreaper()
{
    return status_of(raw_call(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
}

Result<pid_t> clone(bool shares_memory, std::span<std::byte> stack, int (*body)(void*), void* argument)
{
    const int flags = SIGCHLD | (shares_memory ? CLONE_VM | CLONE_VFORK : 0);
    const auto pid = result_of<pid_t>(clone_onto(stack.data() + stack.size(), flags, body, argument));
#ifdef __SANITIZE_ADDRESS__
    // The child has left its frames without returning from them, so the sanitizer still guards them.
    __asan_unpoison_memory_region(stack.data(), stack.size());
#endif
    return pid;
}

Result<Reaped> reap(pid_t pid)
{
    int status = 0;
    const int options = WNOHANG | __WNOTHREAD | wait_flags();
    long answer = 0;
    int tries = 2; // for no other SIGCHLD might come for the zombie
    do {
        answer = raw_call(SYS_wait4, pid, &status, options, 0);
    } while (answer < 0 && answer != -ECHILD && --tries != 0);
    return {{static_cast<pid_t>(answer), status}, error_of(answer)};
}

bool may_have_exited(pid_t thread)
{
    void* list = nullptr;
    std::size_t size = 0;
    return raw_call(SYS_get_robust_list, thread, &list, &size) != 0 || list == nullptr;
}

Result<pid_t> find_zombie()
{
    siginfo_t info;
    const long answer = wait_at_once(P_ALL, 0, info, WEXITED | WNOWAIT | wait_flags());
    return {info.si_pid, error_of(answer)};
}

Result<bool> has_exited(pid_t child)
{
    siginfo_t info;
    const long answer = wait_at_once(P_PID, child, info, WEXITED | WNOWAIT | __WALL);
    return {info.si_pid != 0, error_of(answer)};
}

Status set_parent_death_signal(int signal)
{
    return status_of(raw_call(SYS_prctl, PR_SET_PDEATHSIG, signal, 0, 0, 0));
}

pid_t getpgid(pid_t pid)
{
    return static_cast<pid_t>(std::max(raw_call(SYS_getpgid, pid), 0L));
}

pid_t getsid(pid_t pid)
{
    return static_cast<pid_t>(std::max(raw_call(SYS_getsid, pid), 0L));
}

Status setsid()
{
    return status_of(raw_call(SYS_setsid));
}

Status become_user(uid_t user, gid_t group, std::span<const gid_t> groups)
{
    // The C library's functions would first synchronize with other threads, which foster does not have.
    if (const auto set = status_of(raw_call(SYS_setgroups, groups.size(), groups.data())); !set) {
        return set;
    }
    if (const auto set = status_of(raw_call(SYS_setresgid, group, group, group)); !set) {
        return set;
    }
    return status_of(raw_call(SYS_setresuid, user, user, user));
}

Status setpgid(pid_t pid, pid_t group)
{
    return status_of(raw_call(SYS_setpgid, pid, group));
}

Result<pid_t> tcgetpgrp(int fd)
{
    pid_t group = 0;
    const long answer = raw_call(SYS_ioctl, fd, TIOCGPGRP, &group);
    return {group, error_of(answer)};
}

Status tcsetpgrp(int fd, pid_t group)
{
    return status_of(raw_call(SYS_ioctl, fd, TIOCSPGRP, &group));
}

Status take_controlling_terminal(int fd)
{
    return status_of(raw_call(SYS_ioctl, fd, TIOCSCTTY, 0));
}

Status leave_controlling_terminal(int fd)
{
    const SignalMask pending = pending_signals();
    const auto left = status_of(raw_call(SYS_ioctl, fd, TIOCNOTTY));
    if (left) {
        drop_pending((bit_of(SIGHUP) | bit_of(SIGCONT)) & ~pending);
    }
    return left;
}

int execve(const char* path, char* const* arguments, char* const* environment)
{
    return error_of(raw_call(SYS_execve, path, arguments, environment));
}

} // namespace foster::sys
