#include "signals/signal_policy.hpp"

#include <csignal>
#include <sys/types.h>

namespace foster
{
namespace
{

bool is_terminal_key(int signal)
{
    return signal == SIGINT || signal == SIGQUIT || signal == SIGTSTP;
}

bool is_terminal_stop(int signal)
{
    return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

} // namespace

SignalAction classify(const sys::ReceivedSignal& received, pid_t self)
{
    const int number = received.number;
    if (number == SIGCHLD && received.code >= CLD_EXITED && received.code <= CLD_CONTINUED) {
        return SignalAction::REAP;
    }
    const bool is_own = received.code == SI_USER && received.sender == self;
    return is_own && (number == SIGPIPE || number == SIGXFSZ) ? SignalAction::DROP : SignalAction::FORWARD;
}

Delivery decide(const sys::ReceivedSignal& received, const SignalContext& context)
{
    const int number = received.number;
    const bool is_from_terminal = received.code == SI_KERNEL;
    const bool is_dropped = context.forwarded_as == 0;
    if (context.has_exited) {
        return is_dropped || (is_from_terminal && is_terminal_stop(number)) ? Delivery::DROP : Delivery::TO_LEFTOVERS;
    }
    if (context.pauses) {
        return context.is_stop_request ? Delivery::END_PAUSE : Delivery::DROP;
    }
    if (is_from_terminal && context.is_same_group && is_terminal_key(number)) {
        return Delivery::DROP; // the terminal has sent it to the child as well, which is in the same group
    }
    if (wants_terminal(received) && context.child_has_terminal) {
        return Delivery::TERMINAL_TO_OWN_GROUP;
    }
    if (number == SIGCONT && context.forwarded_as == SIGCONT && context.has_terminal) {
        return Delivery::CONTINUE_JOB;
    }
    if (context.stops_with_child && is_terminal_stop(number)) {
        return Delivery::FORWARD_AND_STOP;
    }
    return is_dropped ? Delivery::DROP : Delivery::FORWARD;
}

bool is_stop_request(sys::SignalMask stop_signals, int received, int forwarded_as)
{
    return forwarded_as != 0 && (stop_signals & (sys::bit_of(received) | sys::bit_of(forwarded_as))) != 0;
}

bool wants_terminal(const sys::ReceivedSignal& received)
{
    return received.code == SI_KERNEL && (received.number == SIGTTIN || received.number == SIGTTOU);
}

} // namespace foster
