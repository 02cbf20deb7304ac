// Decides what foster does with a received signal. Nothing here makes a system call; tests/units/signal_policy.cpp
// holds a table of all cases.
#pragma once

#include "sys/signals.hpp"

#include <cstdint>
#include <sys/types.h>

namespace foster
{

// The first decision, when the signal arrives.
enum class SignalAction : std::uint8_t {
    REAP,    // the kernel's SIGCHLD: a child has exited, stopped or been continued
    DROP,    // a message that foster wrote has caused it, e.g. SIGPIPE
    FORWARD, // everything else, after its --delay
};
// self: foster's pid.
SignalAction classify(const sys::ReceivedSignal& received, pid_t self);

// The second decision, after a --delay: what is done with a signal that classify() forwards.
enum class Delivery : std::uint8_t {
    DROP,
    FORWARD,          // to the child, as the signal that --rewrite gives
    FORWARD_AND_STOP, // as FORWARD, unless --rewrite drops it; in both cases foster stops itself
    // the child's process group gets the terminal and SIGCONT; without such a group, the child gets SIGCONT
    CONTINUE_JOB,
    TERMINAL_TO_OWN_GROUP, // foster's own process group gets the terminal and SIGCONT
    TO_LEFTOVERS,          // to the leftovers of the child
    END_PAUSE,             // --pause exits
};

// What the decision depends on, besides the signal.
struct SignalContext {
    int forwarded_as = 0;            // the signal that --rewrite gives; 0: drop it
    bool is_stop_request = false;    // SIGTERM, SIGINT or a --stop-signal, received or forwarded
    bool has_exited = false;         // the child has exited, or --pause is over
    bool pauses = false;             // --pause
    bool is_same_group = false;      // --same-group
    bool has_terminal = false;       // foster has a controlling terminal
    bool child_has_terminal = false; // the child's group is in its foreground; set only for SIGTTIN and SIGTTOU
    bool stops_with_child = false;   // dumb-init: SIGTSTP, SIGTTIN and SIGTTOU also stop foster
};
Delivery decide(const sys::ReceivedSignal& received, const SignalContext& context);

// Whether a signal is a stop request. A dropped signal (forwarded_as 0) is none. stop_signals: the signals that are,
// when received or when forwarded.
bool is_stop_request(sys::SignalMask stop_signals, int received, int forwarded_as);
// Whether the kernel sent SIGTTIN or SIGTTOU: a process of foster's own group has used the terminal from the
// background.
bool wants_terminal(const sys::ReceivedSignal& received);

} // namespace foster
