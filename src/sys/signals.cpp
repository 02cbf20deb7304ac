#include "sys/syscall.hpp"

#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sys/prctl.h>

namespace foster::sys
{
namespace
{

Nanoseconds now_by(clockid_t clock)
{
    // Not by way of the vdso: what finds the function there is a kilobyte, and touches a page of each of both.
    timespec now{0, 1}; // where it is refused: not 0, which stands for never
    (void)raw_call(SYS_clock_gettime, clock, &now);
    return now.tv_sec * SECOND + now.tv_nsec;
}

// The kernel's own struct, without a handler to return from, and so without a restorer. Not the C library's function, which leaves
// some signals out.
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

Result<bool> poll_one(int fd, short events, Nanoseconds at_most)
{
    pollfd one{fd, events, 0};
    const timespec limit = timespec_of(at_most);
    return result_of<bool>(raw_call(SYS_ppoll, &one, 1, &limit, 0, sizeof(SignalMask)));
}

Nanoseconds monotonic_now()
{
    return now_by(CLOCK_MONOTONIC);
}

Nanoseconds cpu_time_now()
{
    return now_by(CLOCK_THREAD_CPUTIME_ID);
}

Nanoseconds boottime_now()
{
    return now_by(CLOCK_BOOTTIME);
}

Nanoseconds realtime_now()
{
    return now_by(CLOCK_REALTIME);
}

void nap(Nanoseconds time)
{
    const timespec length = timespec_of(time);
    const long napped = raw_call(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &length, 0);
    if (napped < 0 && napped != -EINTR) {
        // What would have slept must not spin.
        (void)raw_call(SYS_ppoll, 0, 0, &length, 0, sizeof(SignalMask));
    }
}

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
    // To set it to default where it is would discard one that is pending (do_sigaction in the kernel).
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

Result<siginfo_t> wait_for_signal(Nanoseconds at_most)
{
    Result<siginfo_t> received{};
    const timespec limit = timespec_of(at_most);
    const long answer = raw_call(SYS_rt_sigtimedwait, &ALL_SIGNALS, &received.value, at_most < 0 ? nullptr : &limit,
                                 sizeof ALL_SIGNALS);
    received.error = error_of(answer);
    return received;
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

Status queue_signal(pid_t pid, int signal, siginfo_t received)
{
    received.si_signo = signal;
    return status_of(raw_call(SYS_rt_sigqueueinfo, pid, signal, &received));
}

void continue_own_group()
{
    const SignalMask pending = pending_signals();
    (void)raw_call(SYS_kill, 0, SIGCONT);
    drop_pending(bit_of(SIGCONT) & ~pending);
}

bool stop_own_group(int signal)
{
    // While it is blocked: one that the terminal has sent already becomes the same, and does not stop it a second time.
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
