#include "signals/signal_policy.hpp"

namespace foster
{

SignalAction classify(const siginfo_t& received, pid_t self)
{
    if (received.si_signo == SIGCHLD && received.si_code >= CLD_EXITED && received.si_code <= CLD_CONTINUED) {
        return SignalAction::REAP;
    }
    // What foster brings upon itself by its messages is none of the child's business.
    const int signal = received.si_signo;
    const bool by_itself = received.si_code == SI_USER && received.si_pid == self;
    if (by_itself && (signal == SIGPIPE || signal == SIGXFSZ)) {
        return SignalAction::DROP;
    }
    return SignalAction::FORWARD;
}

} // namespace foster
