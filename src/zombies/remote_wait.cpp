// What the tracer does at each stop of the traced thread: the table in remote_wait.hpp.
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

constexpr int STOP_IN_CALL = SIGTRAP | 0x80; // PTRACE_O_TRACESYSGOOD

int signal_to_deliver(int status)
{
    const int signal = WSTOPSIG(status);
    return status >> 16 == 0 && signal != STOP_IN_CALL ? signal : 0;
}

} // namespace

// Seizes the thread, and asks for its first stop.
Blocker RemoteWait::attach()
{
    const auto blocker = calls_.seize(traced_thread_);
    if (!blocker) {
        // Refused only where it has gone, which wait will report.
        (void)sys::trace_interrupt(traced_thread_);
    }
    return blocker;
}

void RemoteWait::handle_stop(int status)
{
    if (status < 0 || !WIFSTOPPED(status)) {
        blocker_ = {"it has gone", 0, true}; // maybe this thread alone
        traced_thread_ = 0;
    } else if (!goes_on(status)) {
        let_go(status);
    }
}

// Whether the remote wait goes on after a stop.
bool RemoteWait::goes_on(int status)
{
    const int signal = WSTOPSIG(status);
    if (signal == STOP_IN_CALL) {
        return step_ == Step::ENTERING ? enter_call() : exit_call();
    }
    const bool was_asked_for = status >> 16 == PTRACE_EVENT_STOP && signal == SIGTRAP;
    if (!was_asked_for || is_given_up_) {
        return false; // a signal, or a stop of the whole process, must find the thread as it was
    }
    if (step_ == Step::SEIZED) {
        return begin_calls();
    }
    return !cpu::Calls::begins_next_at_exit() && answered_ < count_ && begin_call();
}

void RemoteWait::let_go(int status)
{
    // What a filter, or a dispatch of calls to the process itself (Wine has one), says to a call that the thread has
    // not made.
    const bool is_of_call =
        step_ != Step::SEIZED && WSTOPSIG(status) == SIGSYS && sys::is_forced_signal(traced_thread_);
    if (is_of_call) {
        blocker_ = {"its system calls are caught, wait4 too"};
    } else if (answered_ < count_ && !blocker_) {
        blocker_ = {"signals interrupt it again and again", 0, true};
    }
    // Here the thread is where the kernel looks for signals, and after that at whether the interrupted call is to be
    // begun again.
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
        return true; // it has been killed, which wait will report
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
        step_ = Step::SEIZED; // it is as it was
        return false;
    }
    step_ = Step::LEAVING;
    (void)sys::trace_resume(traced_thread_, true);
    return true;
}

// At the exit of a call: the next one, or back to where signals are looked for.
bool RemoteWait::exit_call()
{
    const auto answer = calls_.read_answer();
    if (answer.error == ESRCH) {
        return true; // it has been killed, likewise
    }
    // A filter that has caught the call has left its number where the answer would be. Its SIGSYS is the next stop.
    const bool is_caught = answer && answer.value == SYS_wait4 && answer.value != zombies_[answered_];
    if (!is_caught) {
        answers_[answered_++] = answer ? answer.value : -answer.error;
        if (!answer) {
            count_ = answered_; // no further call: back to where it can be let go
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
