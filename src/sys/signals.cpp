#include "sys/signals.hpp"
#include "sys/clock.hpp"
#include "sys/syscall.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <utility>

namespace foster::sys
{
namespace
{

// The kernel's own struct, without a handler, so no restorer is needed. The C library's sigaction rejects some signals.
struct Action {
    void (*handler)(int);
    unsigned long flags;
    void* restorer;
    SignalMask mask;
};

Status set_handler(int signal, void (*handler)(int))
{
    const Action action{handler, 0, nullptr, 0};
    return status_of(raw_call(SYS_rt_sigaction, signal, &action, 0, sizeof(SignalMask)));
}

} // namespace

Result<SignalMask> set_signal_mask(SignalMask mask)
{
    SignalMask before = 0;
    const long answer = raw_call(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &before, sizeof mask);
    return {before, error_of(answer)};
}

Result<bool> is_ignored(int signal)
{
    Action action{};
    const long answer = raw_call(SYS_rt_sigaction, signal, 0, &action, sizeof(SignalMask));
    return {action.handler == SIG_IGN, error_of(answer)};
}

Result<bool> ignore_sigchld(bool ignored)
{
    auto before = is_ignored(SIGCHLD);
    // Setting it to default again would discard a pending SIGCHLD (do_sigaction in the kernel).
    if (before && before.value != ignored) {
        before.error = set_handler(SIGCHLD, ignored ? SIG_IGN : SIG_DFL).error;
    }
    return before;
}

void die_by(int signal)
{
    (void)raw_call(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)set_handler(signal, SIG_DFL);
    (void)kill(::getpid(), signal);
    (void)set_signal_mask(~bit_of(signal));
}

Result<ReceivedSignal> wait_for_signal(Nanoseconds at_most)
{
    siginfo_t info{};
    const timespec limit = timespec_of(at_most);
    const long answer =
        raw_call(SYS_rt_sigtimedwait, &ALL_SIGNALS, &info, at_most < 0 ? nullptr : &limit, sizeof ALL_SIGNALS);
    if (answer == -EAGAIN && at_most > 0) {
        count_wait(at_most);
    }
    return {{info.si_signo, info.si_code, info.si_pid, info.si_uid, reinterpret_cast<std::uintptr_t>(info.si_ptr)},
            error_of(answer)};
}

Result<Fd> signalfd()
{
    return fd_of(raw_call(SYS_signalfd4, -1, &ALL_SIGNALS, sizeof ALL_SIGNALS, O_CLOEXEC));
}

SignalMask pending_signals()
{
    SignalMask pending = 0;
    (void)raw_call(SYS_rt_sigpending, &pending, sizeof pending);
    return pending;
}

void drop_pending(SignalMask signals)
{
    const timespec at_once{};
    while (raw_call(SYS_rt_sigtimedwait, &signals, 0, &at_once, sizeof signals) > 0) {
    }
}

Status kill(pid_t pid, int signal)
{
    return status_of(raw_call(SYS_kill, pid, signal));
}

Result<Fd> pidfd_open(pid_t pid)
{
    return fd_of(raw_call(SYS_pidfd_open, pid, 0));
}

Status pidfd_send_signal(int process, int signal)
{
    return status_of(raw_call(SYS_pidfd_send_signal, process, signal, 0, 0));
}

Status queue_signal(pid_t pid, int signal, const ReceivedSignal& received)
{
    siginfo_t info{};
    info.si_signo = signal;
    info.si_code = SI_QUEUE;
    info.si_pid = received.sender;
    info.si_uid = received.user;
    info.si_ptr = reinterpret_cast<void*>(static_cast<std::uintptr_t>(received.value));
    return status_of(raw_call(SYS_rt_sigqueueinfo, pid, signal, &info));
}

std::uint64_t set_queue_limit(std::uint64_t limit)
{
    rlimit both{RLIM_INFINITY, RLIM_INFINITY};
    (void)raw_call(SYS_prlimit64, 0, RLIMIT_SIGPENDING, 0, &both);
    const auto before = std::exchange(both.rlim_cur, std::min<std::uint64_t>(limit, both.rlim_max));
    (void)raw_call(SYS_prlimit64, 0, RLIMIT_SIGPENDING, &both, 0);
    return before;
}

void continue_own_group()
{
    const SignalMask pending = pending_signals();
    (void)raw_call(SYS_kill, 0, SIGCONT);
    drop_pending(bit_of(SIGCONT) & ~pending);
}

bool stop_own_group(int signal)
{
    // The signal is sent while it is blocked. So if the terminal has sent the same signal already, both become one, and
    // foster is not stopped twice.
    (void)raw_call(SYS_kill, 0, signal);
    (void)set_signal_mask(ALL_SIGNALS & ~bit_of(signal));
    (void)set_signal_mask(ALL_SIGNALS);
    return (pending_signals() & bit_of(SIGCONT)) != 0;
}

void stop_self()
{
    (void)raw_call(SYS_kill, ::getpid(), SIGSTOP);
}

} // namespace foster::sys
