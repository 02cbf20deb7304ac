// The decisions of src/signals/signal_policy, one case a row. Prints those that are wrong; exits with how many they
// are.
#include "signals/signal_policy.hpp"

#include <csignal>
#include <cstdio>

using namespace foster;

namespace
{

constexpr pid_t SELF = 10;
constexpr pid_t OTHER = 20;

struct Classified {
    sys::ReceivedSignal received;
    SignalAction action;
};

constexpr Classified CLASSIFIED[] = {
    // the kernel's word on a child
    {{SIGCHLD, CLD_EXITED, OTHER}, SignalAction::REAP},
    {{SIGCHLD, CLD_KILLED, OTHER}, SignalAction::REAP},
    {{SIGCHLD, CLD_DUMPED, OTHER}, SignalAction::REAP},
    {{SIGCHLD, CLD_TRAPPED, OTHER}, SignalAction::REAP},
    {{SIGCHLD, CLD_STOPPED, OTHER}, SignalAction::REAP},
    {{SIGCHLD, CLD_CONTINUED, OTHER}, SignalAction::REAP},
    // SIGCHLD from somebody is a signal as any other
    {{SIGCHLD, SI_USER, OTHER}, SignalAction::FORWARD},
    {{SIGCHLD, SI_QUEUE, OTHER}, SignalAction::FORWARD},
    {{SIGCHLD, SI_TKILL, OTHER}, SignalAction::FORWARD},
    // what a message of foster's has brought
    {{SIGPIPE, SI_USER, SELF}, SignalAction::DROP},
    {{SIGXFSZ, SI_USER, SELF}, SignalAction::DROP},
    {{SIGPIPE, SI_USER, OTHER}, SignalAction::FORWARD},
    {{SIGPIPE, SI_QUEUE, SELF}, SignalAction::FORWARD},
    {{SIGPIPE, SI_KERNEL, 0}, SignalAction::FORWARD},
    {{SIGTERM, SI_USER, SELF}, SignalAction::FORWARD},
    // a code of SIGCHLD's means nothing for another signal
    {{SIGIO, CLD_EXITED, 0}, SignalAction::FORWARD},
};

struct Decided {
    sys::ReceivedSignal received;
    SignalContext context;
    Delivery delivery;
};

constexpr sys::ReceivedSignal sent(int number)
{
    return {number, SI_USER, OTHER};
}
constexpr sys::ReceivedSignal of_kernel(int number)
{
    return {number, SI_KERNEL};
}

constexpr Decided DECIDED[] = {
    {sent(SIGUSR1), {.forwarded_as = SIGUSR1}, Delivery::FORWARD},
    {sent(SIGUSR1), {.forwarded_as = SIGUSR2}, Delivery::FORWARD},
    {sent(SIGUSR1), {.forwarded_as = 0}, Delivery::DROP},
    {sent(SIGTERM), {.forwarded_as = SIGTERM, .is_stop_request = true}, Delivery::FORWARD},
    {sent(64), {.forwarded_as = 64}, Delivery::FORWARD},

    // --pause
    {sent(SIGTERM), {.forwarded_as = SIGTERM, .is_stop_request = true, .pauses = true}, Delivery::END_PAUSE},
    {sent(SIGUSR1), {.forwarded_as = SIGUSR1, .pauses = true}, Delivery::DROP},
    {sent(SIGCONT), {.forwarded_as = SIGCONT, .pauses = true, .has_terminal = true}, Delivery::DROP},
    {sent(SIGUSR1), {.forwarded_as = SIGUSR1, .has_exited = true, .pauses = true}, Delivery::TO_LEFTOVERS},

    // the child has exited
    {sent(SIGTERM), {.forwarded_as = SIGTERM, .is_stop_request = true, .has_exited = true}, Delivery::TO_LEFTOVERS},
    {sent(SIGTERM), {.forwarded_as = 0, .has_exited = true}, Delivery::DROP},
    {sent(SIGTSTP), {.forwarded_as = SIGTSTP, .has_exited = true}, Delivery::TO_LEFTOVERS},
    {of_kernel(SIGTSTP), {.forwarded_as = SIGTSTP, .has_exited = true}, Delivery::DROP},
    {of_kernel(SIGTTIN), {.forwarded_as = SIGTTIN, .has_exited = true, .child_has_terminal = true}, Delivery::DROP},
    {of_kernel(SIGINT), {.forwarded_as = SIGINT, .has_exited = true}, Delivery::TO_LEFTOVERS},
    {of_kernel(SIGINT), {.forwarded_as = SIGINT, .has_exited = true, .is_same_group = true}, Delivery::TO_LEFTOVERS},

    // --same-group: the terminal has sent its keys' signals to the child, too, but only these
    {of_kernel(SIGINT), {.forwarded_as = SIGINT, .is_same_group = true}, Delivery::DROP},
    {of_kernel(SIGQUIT), {.forwarded_as = SIGQUIT, .is_same_group = true}, Delivery::DROP},
    {of_kernel(SIGTSTP), {.forwarded_as = SIGTSTP, .is_same_group = true}, Delivery::DROP},
    {of_kernel(SIGWINCH), {.forwarded_as = SIGWINCH, .is_same_group = true}, Delivery::FORWARD},
    {of_kernel(SIGHUP), {.forwarded_as = SIGHUP, .is_same_group = true}, Delivery::FORWARD},
    {sent(SIGINT), {.forwarded_as = SIGINT, .is_same_group = true}, Delivery::FORWARD},
    {of_kernel(SIGINT), {.forwarded_as = SIGINT}, Delivery::FORWARD},

    // another one of foster's group wants the terminal
    {of_kernel(SIGTTIN),
     {.forwarded_as = SIGTTIN, .has_terminal = true, .child_has_terminal = true},
     Delivery::TERMINAL_TO_OWN_GROUP},
    {of_kernel(SIGTTOU),
     {.forwarded_as = SIGTTOU, .has_terminal = true, .child_has_terminal = true},
     Delivery::TERMINAL_TO_OWN_GROUP},
    {of_kernel(SIGTTOU),
     {.forwarded_as = 0, .has_terminal = true, .child_has_terminal = true},
     Delivery::TERMINAL_TO_OWN_GROUP},
    {of_kernel(SIGTTIN), {.forwarded_as = SIGTTIN, .has_terminal = true}, Delivery::FORWARD},
    {sent(SIGTTIN), {.forwarded_as = SIGTTIN, .has_terminal = true, .child_has_terminal = true}, Delivery::FORWARD},

    // fg
    {sent(SIGCONT), {.forwarded_as = SIGCONT, .has_terminal = true}, Delivery::CONTINUE_JOB},
    {sent(SIGCONT), {.forwarded_as = SIGCONT}, Delivery::FORWARD},
    {sent(SIGCONT), {.forwarded_as = SIGUSR1, .has_terminal = true}, Delivery::FORWARD},
    {sent(SIGCONT), {.forwarded_as = 0, .has_terminal = true}, Delivery::DROP},
    {sent(SIGUSR1), {.forwarded_as = SIGCONT, .has_terminal = true}, Delivery::FORWARD},

    // dumb-init stops with the child
    {sent(SIGTSTP), {.forwarded_as = SIGSTOP, .stops_with_child = true}, Delivery::FORWARD_AND_STOP},
    {of_kernel(SIGTTIN), {.forwarded_as = SIGSTOP, .stops_with_child = true}, Delivery::FORWARD_AND_STOP},
    {sent(SIGTTOU), {.forwarded_as = 0, .stops_with_child = true}, Delivery::FORWARD_AND_STOP},
    {sent(SIGTERM), {.forwarded_as = SIGTERM, .stops_with_child = true}, Delivery::FORWARD},
    {of_kernel(SIGTSTP), {.forwarded_as = SIGSTOP, .is_same_group = true, .stops_with_child = true}, Delivery::DROP},
    {of_kernel(SIGTTIN),
     {.forwarded_as = SIGSTOP, .has_terminal = true, .child_has_terminal = true, .stops_with_child = true},
     Delivery::TERMINAL_TO_OWN_GROUP},
};

struct StopRequest {
    int received;
    int forwarded_as;
    bool is_one;
};

constexpr auto STOP_SIGNALS = sys::bit_of(SIGTERM) | sys::bit_of(SIGINT);
constexpr StopRequest STOP_REQUESTS[] = {
    {SIGTERM, SIGTERM, true}, {SIGINT, SIGINT, true},  {SIGHUP, SIGTERM, true}, {SIGTERM, SIGQUIT, true},
    {SIGTERM, 0, false},      {SIGHUP, SIGHUP, false}, {SIGHUP, 0, false},      {64, 64, false},
};

int wrong = 0;

void expect(bool is_right, const char* table, std::size_t row)
{
    if (!is_right) {
        std::printf("%s: row %zu is decided otherwise\n", table, row);
        ++wrong;
    }
}

} // namespace

int main()
{
    for (const auto& row : CLASSIFIED) {
        expect(classify(row.received, SELF) == row.action, "classify", static_cast<std::size_t>(&row - CLASSIFIED));
    }
    for (const auto& row : DECIDED) {
        expect(decide(row.received, row.context) == row.delivery, "decide", static_cast<std::size_t>(&row - DECIDED));
    }
    for (const auto& row : STOP_REQUESTS) {
        expect(is_stop_request(STOP_SIGNALS, row.received, row.forwarded_as) == row.is_one, "is_stop_request",
               static_cast<std::size_t>(&row - STOP_REQUESTS));
    }
    return wrong;
}
