#include "supervisor.hpp"

#include "sys/kernel.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace foster
{
namespace
{

constexpr std::size_t MOST_SIGNALS = 16; // read at a time
constexpr int FIRST_OTHER_FD = STDERR_FILENO + 1;
constexpr sys::Nanoseconds NAP = 50'000'000;

bool is_key_of_terminal(int signal)
{
    return signal == SIGINT || signal == SIGQUIT || signal == SIGTSTP;
}

bool is_stop_of_terminal(int signal)
{
    return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

} // namespace

void Supervisor::release_inherited()
{
    if (const auto left = sys::chdir("/"); !left) {
        messages_.warning("step-refused|cannot leave the working directory, which stays busy: {reason:e}",
                          sys::Error{left.error});
    }
    release_descriptors();
    for (char** word = options_.command; *word != nullptr; ++word) {
        std::memset(*word, 0, std::strlen(*word));
    }
}

void Supervisor::release_descriptors()
{
    // The signalfd and the terminal take the first numbers above the standard ones; all behind them goes.
    if (const auto moved = sys::dup_onto(signals_.number(), FIRST_OTHER_FD); !moved) {
        messages_.warning("step-refused|cannot close inherited descriptors, which stay open: {reason:e}",
                          sys::Error{moved.error});
        return;
    }
    if (signals_.number() != FIRST_OTHER_FD) {
        signals_ = sys::Fd(FIRST_OTHER_FD);
    }
    const int last_kept = terminal_.move_to(FIRST_OTHER_FD + 1) ? FIRST_OTHER_FD + 1 : FIRST_OTHER_FD;
    sys::close_from(last_kept + 1);
    // Standard input and output may be pipes whose other end waits for the last holder to go.
    const auto null = sys::open("/dev/null", O_RDWR);
    for (int fd = STDIN_FILENO; fd <= STDOUT_FILENO; ++fd) {
        if (!null || !sys::dup_onto(null.value.number(), fd)) {
            sys::close(fd);
        }
    }
}

int Supervisor::run()
{
    sys::release_set_up();
    // Zombies may have come with this process: their SIGCHLD was someone else's.
    if (sys::find_zombie().value > 0) {
        reaper_.owe_sweep();
    }
    while (!has_ended()) {
        wait_for_signals();
        reaper_.sweep_if_due();
        neglect_.act_if_due();
    }
    neglect_.finish_visit();
    reaper_.finish();
    if (options_.pause) {
        return 0;
    }
    (void)terminal_.take_back(child_.pid());
    const int code = exit_code_of(*reaper_.child_status());
    if (const int last = options_.rewrites[SIGTERM];
        last != 0 && options_.personality->owns_session && options_.group) {
        // What is left of the child's group, as dumb-init does; its leader's pid is not reused as long as one is left.
        (void)sys::kill(-child_.pid(), last);
    }
    return options_.exit_codes[static_cast<std::size_t>(code)];
}

// 0: none.
sys::Nanoseconds Supervisor::deadline() const
{
    const auto sweep = reaper_.deadline();
    const auto neglect = neglect_.deadline();
    return sweep == 0 || neglect == 0 ? std::max(sweep, neglect) : std::min(sweep, neglect);
}

void Supervisor::wait_for_signals()
{
    if (const auto next = deadline(); next != 0) {
        const auto left = std::max(next - sys::monotonic_now(), sys::Nanoseconds{0});
        const auto waited = sys::wait_readable(signals_.number(), left);
        if (!waited && sys::pending_signals() == 0) {
            reaper_.sweep(sys::monotonic_now()); // a sandbox without ppoll: pay for the sweep now rather than spin
            if (deadline() != 0) {
                sys::nap(std::min(left, NAP));
            }
            return;
        }
        if (waited && !waited.value) {
            return;
        }
    }
    std::array<signalfd_siginfo, MOST_SIGNALS> records;
    const auto count = sys::read_signals(signals_.number(), records);
    if (!count) {
        survive_read_failure(count.error);
        return;
    }
    for (const auto& received : std::span(records).first(count.value)) {
        handle(received);
        // Nothing is reaped before all are forwarded, so the pid is the child's own still (the bug of `dumb-init -c`).
        if (has_ended()) {
            return;
        }
    }
}

void Supervisor::handle(const signalfd_siginfo& received)
{
    switch (fate_of(received, self_)) {
    case Fate::REAP:
        reaper_.notice(static_cast<pid_t>(received.ssi_pid));
        follow_stopped_child();
        return;
    case Fate::FORWARD:
        forward(received);
        // The kernel's own SIGCHLD may have been merged into a sent one.
        if (received.ssi_signo == SIGCHLD) {
            reaper_.owe_sweep();
        }
        return;
    case Fate::DROP:
        return;
    }
}

void Supervisor::forward(const signalfd_siginfo& received)
{
    const int own = static_cast<int>(received.ssi_signo);
    const bool of_terminal = received.ssi_code == SI_KERNEL;
    if (options_.pause) {
        paused_enough_ = own == SIGINT || own == SIGTERM;
        return;
    }
    if (of_terminal && options_.same_group && is_key_of_terminal(own)) {
        return; // the child, in the same group, has got it from the terminal, too
    }
    if (of_terminal && (own == SIGTTIN || own == SIGTTOU) && terminal_.is_foreground(child_.pid())) {
        lend_to_own_group();
        return;
    }
    const int signal = options_.rewrites[received.ssi_signo];
    if (own == SIGCONT && signal == SIGCONT && terminal_.is_there()) {
        (void)terminal_.give_to(child_.pid());
        if (child_.continue_group()) {
            return;
        }
    }
    if (signal != 0) {
        child_.forward(received, signal);
    }
    if (options_.personality->stops_with_job && is_stop_of_terminal(own)) {
        sys::stop_self();
    }
}

// Another member of foster's own group wants the terminal that the child's group holds, as in `foster producer | less`. It has
// been stopped for that.
void Supervisor::lend_to_own_group()
{
    (void)terminal_.take_back(child_.pid());
    sys::continue_own_group();
}

// Ctrl-Z under a shell: when the child has stopped foster stops, too, so that the shell gets its prompt. As PID 1 the kernel does not
// let it.
void Supervisor::follow_stopped_child()
{
    const bool is_asked = terminal_.is_there() && !reaper_.child_status() && neglect_.visited() == 0;
    const int signal = is_asked ? sys::stopped_by(child_.pid()) : 0;
    if (signal == 0) {
        return;
    }
    (void)terminal_.take_back(child_.pid());
    // SIGSTOP would stop an orphaned group, which nobody would continue.
    if (!sys::stop_own_group(signal == SIGSTOP ? SIGTSTP : signal)) {
        // Nobody is there to continue foster, so nobody wants the terminal either: it is the child's when it goes on.
        (void)terminal_.give_to(child_.pid());
    }
}

// A signalfd that cannot be read should not happen, but is no reason to lose the child's exit status.
void Supervisor::survive_read_failure(int error)
{
    if (error == EINTR || error == EAGAIN) {
        return;
    }
    if (!reading_failed_) {
        messages_.warning("step-refused|cannot read signals, which are no longer forwarded: {reason:e}",
                          sys::Error{error});
        reading_failed_ = true;
    }
    sys::nap(NAP);
    reaper_.owe_sweep();
}

} // namespace foster
