#include "supervisor/supervisor.hpp"

#include "signals/signal_policy.hpp"
#include "sys/clock.hpp"
#include "sys/files.hpp"
#include "sys/memory.hpp"
#include "sys/processes.hpp"
#include "sys/procfs.hpp"
#include "sys/signals.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace foster
{
namespace
{

constexpr int FIRST_OTHER_FD = STDERR_FILENO + 1;
constexpr sys::Nanoseconds ERROR_BACKOFF = 50'000'000;

bool is_key_of_terminal(int signal)
{
    return signal == SIGINT || signal == SIGQUIT || signal == SIGTSTP;
}

bool is_stop_of_terminal(int signal)
{
    return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

// Received as one signal and forwarded as another; dropped (0) it is none.
bool is_stop_request(const Options& options, int received, int forwarded)
{
    return forwarded != 0 && (options.stop_signals & (sys::bit_of(received) | sys::bit_of(forwarded))) != 0;
}

} // namespace

void Supervisor::release_inherited()
{
    if (const auto left = sys::chdir("/"); !left) {
        messages_.warning("directory-kept|cannot leave the working directory, which stays busy: {reason}",
                          log::Error{left.error});
    }
    release_descriptors();
    for (char** word = options_.command; *word != nullptr; ++word) {
        std::memset(*word, 0, std::strlen(*word));
    }
}

void Supervisor::release_descriptors()
{
    // The terminal and the termination log take the first numbers above the standard ones; all behind them goes.
    int next = FIRST_OTHER_FD;
    for (const auto moved : {terminal_.move_to(next), exit_report_.move_to(next)}) {
        if (!moved) {
            messages_.warning("descriptors-kept|cannot close inherited descriptors, which stay open: {reason}",
                              log::Error{moved.error});
            return;
        }
    }
    sys::close_from(next);
    // Standard input may be a pipe whose writer waits for the last reader to go. Standard output is what /proc/1/fd/1 leads to, where
    // cron jobs and linked log files write.
    const auto null = sys::open("/dev/null", O_RDWR);
    if (!null || !sys::dup_onto(null.value.number(), STDIN_FILENO)) {
        sys::close(STDIN_FILENO);
    }
}

int Supervisor::run()
{
    sys::free_init_memory();
    while (!has_exited()) {
        wait_for_signal();
        run_due_work();
    }
    kill_child_at_ = 0;
    (void)terminal_.take_back(child_.pid());
    if (const int last = options_.rewrites[SIGTERM]; last != 0 && options_.personality->owns_session &&
                                                     options_.group && options_.grace < 0 &&
                                                     options_.mode != Mode::PAUSE) {
        // What is left of the child's group, as dumb-init does; its leader's pid is not reused as long as one is left.
        (void)sys::kill(-child_.pid(), last);
    }
    const int leftovers = end_leftovers();
    await_visits();
    reaper_.finish();
    if (options_.mode == Mode::PAUSE) {
        log::finish_messages();
        return 0;
    }
    exit_report_.say(child_.pid(), reaper_.orphans() - leftovers, leftovers);
    log::finish_messages();
    const int status = *reaper_.child_status();
    const int code = exit_code_of(status);
    const int own_code = options_.exit_codes[static_cast<std::size_t>(code)];
    if (options_.mirror_signal && WIFSIGNALED(status) && own_code == code) {
        sys::die_by(WTERMSIG(status)); // PID 1 cannot
    }
    return own_code;
}

// All that a look at the clock or at the children may be due for.
void Supervisor::run_due_work()
{
    reaper_.sweep_if_due();
    const bool has_scanned = monitor_.run_due_work();
    if (has_scanned || reaper_.orphans() != seen_orphans_) {
        seen_orphans_ = reaper_.orphans();
        pid_limit_.look();
    }
    while (const auto delayed = delayed_signals_.take_due()) {
        deliver(*delayed);
    }
    kill_child_if_due();
    if (log::next_look_at_messages != 0) {
        log::go_on_with_messages();
    }
}

int Supervisor::end_leftovers()
{
    reaper_.finish();
    const int others = reaper_.orphans() + static_cast<int>(inherited_children_.count());
    leftovers_.begin(stop_requests_ > 0, reaper_.has_children());
    while (leftovers_.are_awaited(reaper_)) {
        wait_for_signal();
        run_due_work();
        leftovers_.run_due_work();
    }
    return reaper_.orphans() + static_cast<int>(inherited_children_.count()) - others;
}

// A parent that foster has stopped in the midst of a visit would crash if foster ended now. It may be short of CPU, or frozen.
void Supervisor::await_visits()
{
    constexpr sys::Nanoseconds TIMEOUT = 10'000'000'000;
    const auto end = sys::monotonic_now() + TIMEOUT;
    while (self_ != 1 && monitor_.is_needed() && sys::monotonic_now() < end) {
        wait_for_signal();
        run_due_work();
    }
}

// --stop-timeout
void Supervisor::kill_child_if_due()
{
    if (kill_child_at_ == 0 || has_exited() || sys::monotonic_now() < kill_child_at_) {
        return;
    }
    kill_child_at_ = 0;
    const sys::ProcessName name(child_.pid());
    messages_.warning("child-killed|{name}[{pid}] has not ended in time: killing it", name.text(), child_.pid());
    child_.forward({}, SIGKILL);
}

// 0: none.
sys::Nanoseconds Supervisor::deadline() const
{
    auto next = sys::earlier(reaper_.deadline(), monitor_.deadline());
    next = sys::earlier(next, delayed_signals_.deadline());
    next = sys::earlier(next, leftovers_.deadline());
    next = sys::earlier(next, log::next_look_at_messages);
    return sys::earlier(next, kill_child_at_);
}

void Supervisor::wait_for_signal()
{
    const auto next = deadline();
    const auto at_most = next == 0 ? -1 : std::max(next - sys::monotonic_now(), sys::Nanoseconds{0});
    const auto received = sys::wait_for_signal(at_most);
    if (received) {
        failed_waits_ = 0;
        handle(received.value);
    } else {
        handle_wait_error(received.error, next != 0 && sys::monotonic_now() >= next);
    }
}

void Supervisor::handle(const siginfo_t& received)
{
    switch (classify(received, self_)) {
    case SignalAction::REAP:
        reaper_.notice(received.si_pid);
        follow_stopped_child();
        return;
    case SignalAction::FORWARD:
        forward(received);
        // The kernel's own SIGCHLD may have been merged into a sent one.
        if (received.si_signo == SIGCHLD) {
            reaper_.request_sweep();
        }
        return;
    case SignalAction::DROP:
        return;
    }
}

void Supervisor::forward(const siginfo_t& received)
{
    if (!delayed_signals_.keep(received)) {
        deliver(received);
    }
}

// To the child, or when that has ended to what it has left.
void Supervisor::deliver(const siginfo_t& received)
{
    const int own = received.si_signo;
    const int signal = options_.rewrites[static_cast<std::size_t>(own)];
    const bool of_terminal = received.si_code == SI_KERNEL;
    const bool asks_to_stop = is_stop_request(options_, own, signal);
    stop_requests_ += asks_to_stop ? 1 : 0;
    if (has_exited()) {
        if (signal != 0 && !(of_terminal && is_stop_of_terminal(own))) {
            leftovers_.forward(signal, asks_to_stop);
        }
        return;
    }
    if (options_.mode == Mode::PAUSE) {
        pause_ended_ = asks_to_stop;
        return;
    }
    if (asks_to_stop && options_.stop_timeout != 0 && kill_child_at_ == 0) {
        kill_child_at_ = sys::monotonic_now() + options_.stop_timeout;
    }
    if (of_terminal && options_.same_group && is_key_of_terminal(own)) {
        return; // the child, in the same group, has got it from the terminal, too
    }
    if (of_terminal && (own == SIGTTIN || own == SIGTTOU) && terminal_.is_foreground(child_.pid())) {
        give_terminal_to_own_group();
        return;
    }
    if (own == SIGCONT && signal == SIGCONT && terminal_.is_there()) {
        (void)terminal_.give_to(child_.pid());
        if (child_.continue_group()) {
            return;
        }
    }
    if (signal != 0 && child_.forward(received, signal)) {
        exit_report_.note_forwarded(signal, received);
    }
    if (options_.personality->stops_with_job && is_stop_of_terminal(own)) {
        sys::stop_self();
    }
}

// Another member of foster's own group wants the terminal that the child's group holds, as in `foster producer | less`. It has
// been stopped for that.
void Supervisor::give_terminal_to_own_group()
{
    (void)terminal_.take_back(child_.pid());
    sys::continue_own_group();
}

// Ctrl-Z under a shell: when the child has stopped foster stops, too, so that the shell gets its prompt. As PID 1 the kernel does not
// let it.
void Supervisor::follow_stopped_child()
{
    const bool is_asked = terminal_.is_there() && !reaper_.child_status() && !monitor_.visits(child_.pid());
    const int signal = is_asked ? sys::stopped_by(child_.pid()) : 0;
    // A SIGCONT that has come meanwhile continues both; a stop would take it away, signal(7).
    if (signal == 0 || (sys::pending_signals() & sys::bit_of(SIGCONT)) != 0) {
        return;
    }
    // A shell's fg sends no SIGCONT to a job that it knows to be running: bash.
    if ((signal == SIGTTIN || signal == SIGTTOU) && terminal_.is_own() && terminal_.give_to(child_.pid())) {
        (void)child_.continue_group();
        return;
    }
    (void)terminal_.take_back(child_.pid());
    // SIGSTOP would stop an orphaned group, which nobody would continue.
    if (!sys::stop_own_group(signal == SIGSTOP ? SIGTSTP : signal)) {
        // Nobody is there to continue foster, so nobody wants the terminal either: it is the child's when it goes on.
        (void)terminal_.give_to(child_.pid());
    }
}

// That waiting fails should not happen, but is no reason to lose the child's exit status. EINTR now and then is that foster was stopped
// or traced; and a wait that ends too soon for ever must not spin.
void Supervisor::handle_wait_error(int error, bool is_time_over)
{
    if (error == EAGAIN && is_time_over) {
        return;
    }
    constexpr int MAX_FAILED_WAITS = 8;
    const auto now = sys::monotonic_now();
    if (now - std::exchange(last_failed_wait_, now) >= 2 * ERROR_BACKOFF) {
        failed_waits_ = 0;
    }
    if ((error == EINTR || error == EAGAIN) && failed_waits_ < MAX_FAILED_WAITS) {
        ++failed_waits_;
        return;
    }
    if (!waiting_failed_) {
        messages_.warning("wait-failed|cannot wait for signals, which are not forwarded: {reason}", log::Error{error});
        waiting_failed_ = true;
    }
    sys::nap(ERROR_BACKOFF);
    reaper_.request_sweep();
}

} // namespace foster
