#include "supervisor/job_control.hpp"

#include "sys/processes.hpp"
#include "sys/signals.hpp"

#include <csignal>

namespace foster
{

void JobControl::follow_stopped_child()
{
    const int signal = has_terminal() ? sys::stopped_by(child_.pid()) : 0;
    // If SIGCONT is pending, it continues the child and foster. A stop of foster would discard it, signal(7).
    if (signal == 0 || signals_.has_sigcont()) {
        return;
    }
    // bash's fg sends no SIGCONT to a job that bash knows to be running, so foster continues the child by itself.
    if ((signal == SIGTTIN || signal == SIGTTOU) && terminal_.is_own() && terminal_.give_to(child_.pid())) {
        (void)child_.continue_group();
        return;
    }
    take_terminal_back();
    // SIGSTOP would also stop an orphaned process group, which no shell would ever continue.
    if (!sys::stop_own_group(signal == SIGSTOP ? SIGTSTP : signal)) {
        // foster's group is orphaned: nobody is there to continue foster or to use the terminal. So the child gets the
        // terminal, for the time after its own stop.
        (void)terminal_.give_to(child_.pid());
        return;
    }
    signals_.drop_stops();
}

void JobControl::stop_with_child()
{
    if (!signals_.has_sigcont()) {
        sys::stop_self();
    }
    if (signals_.has_sigcont()) { // not as PID 1
        signals_.drop_stops();
    }
}

bool JobControl::continue_child() const
{
    (void)terminal_.give_to(child_.pid());
    return child_.continue_group();
}

void JobControl::give_terminal_to_own_group()
{
    take_terminal_back();
    sys::continue_own_group();
    signals_.drop_stops();
}

} // namespace foster
