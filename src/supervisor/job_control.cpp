#include "supervisor/job_control.hpp"

#include "sys/processes.hpp"
#include "sys/signals.hpp"

#include <csignal>

namespace foster
{

void JobControl::follow_stopped_child()
{
    const int signal = has_terminal() ? sys::stopped_by(child_.pid()) : 0;
    // A SIGCONT that has come meanwhile continues both; a stop would take it away, signal(7).
    if (signal == 0 || (signals_.pending() & sys::bit_of(SIGCONT)) != 0) {
        return;
    }
    // A shell's fg sends no SIGCONT to a job that it knows to be running: bash.
    if ((signal == SIGTTIN || signal == SIGTTOU) && terminal_.is_own() && terminal_.give_to(child_.pid())) {
        (void)child_.continue_group();
        return;
    }
    take_terminal_back();
    // SIGSTOP would stop an orphaned group, which nobody would continue.
    if (!sys::stop_own_group(signal == SIGSTOP ? SIGTSTP : signal)) {
        // Nobody is there to continue foster, so nobody wants the terminal either: it is the child's when it goes on.
        (void)terminal_.give_to(child_.pid());
    }
    signals_.drop_stops();
}

bool JobControl::continue_child() const
{
    (void)terminal_.give_to(child_.pid());
    return child_.continue_group();
}

void JobControl::lend_terminal()
{
    take_terminal_back();
    sys::continue_own_group();
    signals_.drop_stops();
}

} // namespace foster
