// System calls on signals, each one named as the call.
#pragma once

#include "sys/clock.hpp"
#include "sys/fd.hpp"
#include "sys/result.hpp"

#include <csignal>
#include <cstdint>
#include <sys/types.h>

namespace foster::sys
{

// The kernel's own signal set: bit n - 1 is signal n. The C libraries' sigset_t functions silently leave out the signals
// that they keep for themselves (musl 32 to 34, glibc 32 and 33), so foster uses none of them.
using SignalMask = std::uint64_t;
inline constexpr SignalMask ALL_SIGNALS = ~SignalMask{0};
inline constexpr int LAST_SIGNAL = 64;
constexpr SignalMask bit_of(int signal)
{
    return SignalMask{1} << (signal - 1);
}

// Signals. rt_sigprocmask(2) with SIG_SETMASK, returning the mask that was in force.
Result<SignalMask> set_signal_mask(SignalMask mask);
// Whether a signal is ignored. sigaction(2).
Result<bool> is_ignored(int signal);
// Sets SIGCHLD's disposition to ignored or to default; returns whether it was ignored. sigaction(2).
Result<bool> ignore_sigchld(bool ignored);
// A signal that was taken, and what sigaction(2) calls its si_code, si_pid, si_uid and si_value.
struct ReceivedSignal {
    int number = 0;
    int code = 0;
    pid_t sender = 0; // of SIGCHLD from the kernel: the child
    uid_t user = 0;
    std::uint64_t value = 0; // where the code is SI_QUEUE
};
// The next signal of all, which must be blocked; waits so long for one (nanoseconds; 0 looks and does not wait, below 0: for ever).
// EAGAIN: none has come. EINTR: stopped and continued. rt_sigtimedwait(2).
Result<ReceivedSignal> wait_for_signal(Nanoseconds at_most);
// A descriptor from which all signals can be read, which must be blocked, signalfd(2).
Result<Fd> signalfd();
// The signals that wait to be taken, rt_sigpending(2); all are blocked. None where it is refused.
SignalMask pending_signals();
// Takes those of these signals that wait to be taken, and does nothing with them; all must be blocked.
void drop_pending(SignalMask signals);
// pid below 0 names a process group, kill(2). ESRCH: none is there. EPERM: none may be signalled.
Status kill(pid_t pid, int signal);
// Whoever has the pid now, also when that is another's, pidfd_open(2).
Result<Fd> pidfd_open(pid_t pid);
Status pidfd_send_signal(int process, int signal);
// A signal with the value and the sender that foster received it with, rt_sigqueueinfo(2).
Status queue_signal(pid_t pid, int signal, const ReceivedSignal& received);
// SIGCONT to this process group, of which this process, where it is blocked, does not see its own.
void continue_own_group();
// Stops this process group by a signal that is blocked otherwise, until SIGCONT, which is left to be taken. Returns whether it has
// stopped: the kernel lets an orphaned group go on, and PID 1.
bool stop_own_group(int signal);
// Stops this process by SIGSTOP until SIGCONT; as PID 1 the kernel does not let it.
void stop_self();
// Ends this process by a signal, without a core file. Returns where it cannot: as PID 1.
void die_by(int signal);

} // namespace foster::sys
