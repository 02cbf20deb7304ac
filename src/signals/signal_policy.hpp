// What becomes of a signal that foster receives. Nothing here makes a system call: see tests/signal_policy.cpp for a table of all cases.
#pragma once

#include "sys/signals.hpp"

#include <cstdint>
#include <sys/types.h>

namespace foster
{

// What a signal is for when it comes.
enum class SignalAction : std::uint8_t {
    REAP,    // the kernel's SIGCHLD: a child has exited, stopped or been continued
    DROP,    // foster has brought it upon itself by a message
    FORWARD, // all else, once its --delay is over
};
// self: foster's pid.
SignalAction classify(const sys::ReceivedSignal& received, pid_t self);

// What is done with a signal that is to be forwarded, when its time has come.
enum class Delivery : std::uint8_t {
    DROP,
    FORWARD,          // to the child, as the signal that --rewrite names
    FORWARD_AND_STOP, // likewise, unless that drops it, and foster stops itself
    CONTINUE_JOB,  // the child's process group gets the terminal and SIGCONT; where it has none, the child gets SIGCONT
    LEND_TERMINAL, // foster's own process group gets the terminal and SIGCONT
    TO_LEFTOVERS,  // to what the child has left
    END_PAUSE,     // --pause ends
};

// What the decision depends on besides the signal.
struct SignalContext {
    int forwarded_as = 0;          // what --rewrite makes of it; 0: it is dropped
    bool is_stop_request = false;  // SIGTERM, SIGINT or a --stop-signal, received or forwarded
    bool has_exited = false;       // the child, or --pause has ended
    bool pauses = false;           // --pause
    bool is_same_group = false;    // --same-group
    bool has_terminal = false;     // foster has a controlling terminal
    bool child_has_it = false;     // and the child's group is in its foreground; asked only for SIGTTIN and SIGTTOU
    bool stops_with_child = false; // dumb-init: SIGTSTP, SIGTTIN and SIGTTOU stop foster, too
};
Delivery decide(const sys::ReceivedSignal& received, const SignalContext& context);

// Whether a signal asks to stop; dropped (forwarded as 0) it does not. stop_signals: those that do, received or forwarded.
bool is_stop_request(sys::SignalMask stop_signals, int received, int forwarded_as);
// SIGTTIN or SIGTTOU from the kernel: a process of foster's own group is in the background of the terminal.
bool wants_terminal(const sys::ReceivedSignal& received);

} // namespace foster
