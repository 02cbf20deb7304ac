// What the tracer does at each stop of the traced thread: see the table in remote_wait.hpp.
#include "zombies/remote_wait.hpp"

#include "sys/tracing.hpp"

#include <cerrno>
#include <csignal>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace foster
{
namespace
{

constexpr int STOP_IN_CALL = SIGTRAP | 0x80; // with PTRACE_O_TRACESYSGOOD

int signal_to_deliver(int status)
{
    const int signal = WSTOPSIG(status);
    return status >> 16 == 0 && signal != STOP_IN_CALL ? signal : 0;
}

} // namespace

// Seizes the thread and requests its first stop.
Blocker RemoteWait::attach()
{
    const auto blocker = calls_.seize(traced_thread_);
    if (!blocker) {
        // Fails only if the thread has exited, which the next wait shows.
        (void)sys::trace_interrupt(traced_thread_);
    }
    return blocker;
}

void RemoteWait::handle_stop(int status)
{
    if (status < 0 || !WIFSTOPPED(status)) {
        blocker_ = {"it has gone", 0, true}; // possibly only this thread
        traced_thread_ = 0;
    } else if (!goes_on(status)) {
        let_go(status);
    }
}

// Returns whether the remote wait continues after this stop.
bool RemoteWait::goes_on(int status)
{
    const int signal = WSTOPSIG(status);
    if (signal == STOP_IN_CALL) {
        return step_ == Step::ENTERING ? enter_call() : exit_call();
    }
    const bool was_asked_for = status >> 16 == PTRACE_EVENT_STOP && signal == SIGTRAP;
    if (!was_asked_for || is_given_up_) {
        return false; // a signal, or a stop of the whole process, must find the thread with its own registers
    }
    if (step_ == Step::SEIZED) {
        return begin_calls();
    }
    return !cpu::Calls::begins_next_at_exit() && answered_ < count_ && begin_call();
}

void RemoteWait::let_go(int status)
{
    // The SIGSYS by which a seccomp filter, or Syscall User Dispatch (Wine uses it), catches the wait4. The thread
    // itself has not made that call, so the signal must not be delivered.
    const bool is_of_call =
        step_ != Step::SEIZED && WSTOPSIG(status) == SIGSYS && sys::is_forced_signal(traced_thread_);
    if (is_of_call) {
        blocker_ = {"its system calls are caught, wait4 too"};
    } else if (answered_ < count_ && !blocker_) {
        blocker_ = {"signals interrupt it again and again", 0, true};
    }
    // At this stop the kernel is about to check for signals, and then whether to restart the interrupted call.
    if (step_ != Step::SEIZED) {
        calls_.put_back(answered_ > 0);
    }
    (void)sys::trace_detach(traced_thread_, is_of_call ? 0 : signal_to_deliver(status));
    traced_thread_ = 0;
}

bool RemoteWait::begin_calls()
{
    const auto blocker = calls_.check_first_stop();
    if (blocker.error == ESRCH) {
        return true; // the thread was killed, which the next wait shows
    }
    blocker_ = blocker;
    return !blocker && begin_call();
}

bool RemoteWait::begin_call()
{
    step_ = Step::ENTERING;
    return calls_.begin_call(zombies_[answered_]) && sys::trace_resume(traced_thread_, true);
}

bool RemoteWait::enter_call()
{
    if (!calls_.enter_call(zombies_[answered_])) {
        step_ = Step::SEIZED; // the registers are unchanged
        return false;
    }
    step_ = Step::LEAVING;
    (void)sys::trace_resume(traced_thread_, true);
    return true;
}

// At the exit of a call: begins the next one, or lets the thread run to the point where the kernel checks for signals.
bool RemoteWait::exit_call()
{
    const auto answer = calls_.read_answer();
    if (answer.error == ESRCH) {
        return true; // the thread was killed, as above
    }
    // If a filter has caught the call, the register of the answer still has the number of the call, and SIGSYS is the
    // next stop.
    const bool is_caught = answer && answer.value == SYS_wait4 && answer.value != zombies_[answered_];
    if (!is_caught) {
        answers_[answered_++] = answer ? answer.value : -answer.error;
        if (!answer) {
            count_ = answered_; // no further call: to the point where it can be detached
        } else if (calls_.exit_call(); cpu::Calls::begins_next_at_exit() && answered_ < count_) {
            return begin_call();
        }
        (void)sys::trace_interrupt(traced_thread_);
    }
    step_ = Step::RETURNING;
    (void)sys::trace_resume(traced_thread_, false);
    return true;
}

void let_go(pid_t thread, int status)
{
    (void)sys::trace_detach(thread, signal_to_deliver(status));
}

} // namespace foster
