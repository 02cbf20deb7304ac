// System calls on signals, most of them named as the call.
#pragma once

#include "sys/clock.hpp"
#include "sys/fd.hpp"
#include "sys/result.hpp"

#include <csignal>
#include <cstdint>
#include <sys/types.h>

namespace foster::sys
{

// The kernel's signal set: bit n - 1 is signal n. foster does not use the C libraries' sigset_t functions, which
// silently leave out the signals that the library uses itself (musl 32 to 34, glibc 32 and 33).
using SignalMask = std::uint64_t;
inline constexpr SignalMask ALL_SIGNALS = ~SignalMask{0};
inline constexpr int LAST_SIGNAL = 64;
// The kernel's SIGRTMIN: from this one on signals are queued. The C libraries use the first ones themselves.
inline constexpr int FIRST_QUEUED = 32;
constexpr SignalMask bit_of(int signal)
{
    return SignalMask{1} << (signal - 1);
}

// Sets the mask and returns the previous one. rt_sigprocmask(2) with SIG_SETMASK.
Result<SignalMask> set_signal_mask(SignalMask mask);
// Whether a signal is ignored. sigaction(2).
Result<bool> is_ignored(int signal);
// Sets the disposition of SIGCHLD to ignored or to default. Returns whether it was ignored before. sigaction(2).
Result<bool> ignore_sigchld(bool ignored);
// A received signal. The members are si_signo, si_code, si_pid, si_uid and si_value of sigaction(2).
struct ReceivedSignal {
    int number = 0;
    int code = 0;
    pid_t sender = 0; // for the kernel's SIGCHLD: the child's pid
    uid_t user = 0;
    std::uint64_t value = 0; // valid if code is SI_QUEUE
};
// Takes the next signal; all signals must be blocked. Waits at most at_most nanoseconds; 0: does not wait; negative:
// waits without limit. EAGAIN: no signal came in that time. EINTR: foster was stopped and continued.
// rt_sigtimedwait(2).
Result<ReceivedSignal> wait_for_signal(Nanoseconds at_most);
// Opens a signalfd for all signals, which must be blocked, signalfd(2).
Result<Fd> signalfd();
// The pending signals, rt_sigpending(2); all signals must be blocked. 0 if the call is refused.
SignalMask pending_signals();
// Discards those of these signals that are pending; all signals must be blocked.
void drop_pending(SignalMask signals);
// A negative pid means a process group, kill(2). ESRCH: no such process. EPERM: no process may be signalled.
Status kill(pid_t pid, int signal);
// Opens a pidfd for the process that has the pid now, which may be a new one with a reused pid, pidfd_open(2).
Result<Fd> pidfd_open(pid_t pid);
Status pidfd_send_signal(int process, int signal);
// Sends a signal with the value and the sender of the received one, rt_sigqueueinfo(2). EAGAIN: the receiver's user has
// as many signals pending as the receiver's RLIMIT_SIGPENDING permits.
Status queue_signal(pid_t pid, int signal, const ReceivedSignal& received);
// Sets this process's own soft RLIMIT_SIGPENDING, at most to the hard one, and returns the previous one, prlimit(2).
std::uint64_t set_queue_limit(std::uint64_t limit);
// Sends SIGCONT to this process group. This process must block SIGCONT, and does not see its own.
void continue_own_group();
// Stops this process group by a blocked signal until SIGCONT, which stays pending. Returns false if the group did not
// stop: the kernel stops neither an orphaned group nor PID 1.
bool stop_own_group(int signal);
// Stops this process by SIGSTOP until SIGCONT. The kernel does not stop PID 1.
void stop_self();
// Kills this process by the signal, without a core file. Returns if it cannot, as PID 1.
void die_by(int signal);

} // namespace foster::sys
