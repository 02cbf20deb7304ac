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
// Right after the spawn it would be slow: the child has just run on another CPU in the same address space, which the
// kernel then has to interrupt, and a child that exits soon needs the memory again.
constexpr sys::Nanoseconds FREE_MEMORY_AFTER = 100'000'000;

} // namespace

// As dumb-init does, send SIGTERM (or what --rewrite gives for it) to the rest of the child's group.
int Supervisor::group_signal_of(const Options& options)
{
    return options.personality->owns_session && options.group && options.grace < 0 ? options.rewrites[SIGTERM] : 0;
}

void Supervisor::release_inherited()
{
    if (const int error = sys::clock_error()) {
        messages_.warning("clock-refused|cannot read the clock: {reason}; only waits count as time", log::Error{error});
    }
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
    // The terminal, the termination log and the signalfd take the first numbers after the standard ones, in the order
    // in which they were opened. All higher ones are closed.
    int next = FIRST_OTHER_FD;
    for (const auto moved : {job_control_.move_to(next), exit_report_.move_to(next)}) {
        if (!moved) {
            messages_.warning("descriptors-kept|cannot close inherited descriptors, which stay open: {reason}",
                              log::Error{moved.error});
            return;
        }
    }
    signals_.move_to(next);
    sys::close_from(next);
    // Standard input is replaced by /dev/null: it may be a pipe whose writer waits until the last reader has closed it.
    // Standard output stays open: cron jobs and linked log files write to /proc/1/fd/1.
    const auto null = sys::open("/dev/null", O_RDWR);
    if (!null || !sys::dup_onto(null.value.number(), STDIN_FILENO)) {
        sys::close(STDIN_FILENO);
    }
}

int Supervisor::run()
{
    free_memory_at_ = sys::Deadline::in(FREE_MEMORY_AFTER);
    while (!has_exited()) {
        wait_and_handle();
    }
    free_memory_at_ = {};
    kill_child_at_ = {};
    held_signals_.drop(); // as the kernel drops those that the child has not taken
    job_control_.take_terminal_back();
    const int leftovers = wait_for_leftovers();
    await_remote_waits();
    reaper_.finish();
    if (options_.mode == Mode::PAUSE) {
        log::finish_messages();
        return 0;
    }
    exit_report_.write(child_.pid(), reaper_.orphans() - leftovers, leftovers);
    log::finish_messages();
    const int status = *reaper_.child_status();
    const int code = exit_code_of(status);
    const int own_code = options_.exit_codes[static_cast<std::size_t>(code)];
    if (options_.mirror_signal && WIFSIGNALED(status) && own_code == code) {
        sys::die_by(WTERMSIG(status)); // has no effect as PID 1
    }
    return own_code;
}

// Does all work that depends on the time or on reaped children.
void Supervisor::run_due_work()
{
    reaper_.sweep_if_due();
    const bool has_scanned = monitor_.run_due_work();
    if (has_scanned || reaper_.orphans() != seen_orphans_) {
        seen_orphans_ = reaper_.orphans();
        pid_limit_.check();
    }
    if (held_signals_.deadline().is_over() && !has_exited()) {
        send_held();
    }
    while (const auto delayed = delayed_signals_.take_due()) {
        deliver(*delayed);
    }
    kill_child_if_due();
    if (log::next_message_retry.is_set()) {
        log::retry_messages();
    }
}

int Supervisor::wait_for_leftovers()
{
    reaper_.finish();
    const int others = reaper_.orphans() + static_cast<int>(inherited_children_.count());
    leftovers_.begin(stop_requests_ > 0, reaper_);
    while (leftovers_.are_awaited()) {
        wait_and_handle();
        leftovers_.run_due_work(reaper_);
    }
    return reaper_.orphans() + static_cast<int>(inherited_children_.count()) - others;
}

// If foster exited during a remote wait, the parent that it has stopped would crash. The parent may be short of CPU
// time or frozen, so there is a time limit.
void Supervisor::await_remote_waits()
{
    constexpr sys::Nanoseconds TIMEOUT = 10'000'000'000;
    if (self_ == 1 || !monitor_.is_needed()) {
        return;
    }
    const auto end = sys::Deadline::in(TIMEOUT);
    while (monitor_.is_needed() && !end.is_over()) {
        wait_and_handle();
    }
}

// Sends the child SIGKILL after --stop-timeout.
void Supervisor::kill_child_if_due()
{
    if (has_exited() || !kill_child_at_.is_over()) {
        return;
    }
    kill_child_at_ = {};
    const sys::ProcessName name(child_.pid());
    messages_.warning("child-killed|{name}[{pid}] has not ended in time: killing it", name.text(), child_.pid());
    child_.forward({}, SIGKILL);
}

void Supervisor::free_memory_if_due()
{
    if (free_memory_at_.is_over()) {
        free_memory_at_ = {};
        sys::free_init_memory();
    }
}

sys::Deadline Supervisor::deadline() const
{
    auto next = earlier(reaper_.deadline(), monitor_.deadline());
    next = earlier(next, delayed_signals_.deadline());
    next = earlier(next, held_signals_.deadline());
    next = earlier(next, leftovers_.deadline());
    next = earlier(next, log::next_message_retry);
    next = earlier(next, free_memory_at_);
    return earlier(next, kill_child_at_);
}

// Due work runs after all signals that arrived together have been handled, so that they share one sweep.
void Supervisor::wait_and_handle()
{
    const auto next = deadline();
    const auto received = signals_.next(next.left());
    if (received) {
        failed_waits_ = 0;
        handle(received.value);
    } else {
        handle_wait_error(received.error, next.is_over());
        free_memory_if_due();
    }
    if (signals_.has_more()) {
        reaper_.reap_child_if_noticed(); // a child that has exited gets no further signal
    } else {
        run_due_work();
    }
}

void Supervisor::handle(const sys::ReceivedSignal& received)
{
    const auto action = classify(received, self_);
    if (action == SignalAction::REAP) {
        reaper_.notice(received.sender);
        if (job_control_.has_terminal() && !reaper_.child_status() && !monitor_.is_tracing(child_.pid())) {
            job_control_.follow_stopped_child();
        }
        return;
    }
    if (action == SignalAction::FORWARD && !delayed_signals_.enqueue(received)) {
        deliver(received);
    }
    // The kernel may have merged its own SIGCHLD into the sent one.
    if (received.number == SIGCHLD) {
        reaper_.request_sweep();
    }
}

// Delivers a signal to the child, or to the leftovers after the child has exited.
void Supervisor::deliver(const sys::ReceivedSignal& received)
{
    SignalContext context;
    context.forwarded_as = options_.rewrites[static_cast<std::size_t>(received.number)];
    context.is_stop_request = is_stop_request(options_.stop_signals, received.number, context.forwarded_as);
    context.has_exited = has_exited();
    context.pauses = options_.mode == Mode::PAUSE;
    context.is_same_group = options_.same_group;
    context.has_terminal = job_control_.has_terminal();
    context.child_has_terminal = wants_terminal(received) && job_control_.child_has_terminal();
    context.stops_with_child = options_.personality->stops_with_job;
    if (context.is_stop_request) {
        ++stop_requests_;
        if (options_.stop_timeout != 0 && !kill_child_at_.is_set() && !context.has_exited) {
            kill_child_at_ = sys::Deadline::in(options_.stop_timeout);
        }
    }
    switch (decide(received, context)) {
    case Delivery::DROP:
        return;
    case Delivery::TO_LEFTOVERS:
        leftovers_.forward(context.forwarded_as, context.is_stop_request);
        return;
    case Delivery::END_PAUSE:
        pause_ended_ = true;
        return;
    case Delivery::TERMINAL_TO_OWN_GROUP:
        job_control_.give_terminal_to_own_group();
        return;
    case Delivery::CONTINUE_JOB:
        if (!job_control_.continue_child()) {
            forward(received, context.forwarded_as);
        }
        return;
    case Delivery::FORWARD:
        forward(received, context.forwarded_as);
        return;
    case Delivery::FORWARD_AND_STOP:
        if (context.forwarded_as != 0) {
            forward(received, context.forwarded_as);
        }
        job_control_.stop_with_child();
        return;
    }
}

// Real-time signals go to the child in their order, so that none overtakes one that is held. A stop request does: it
// goes without its value, if there is no room for it.
void Supervisor::forward(const sys::ReceivedSignal& received, int signal)
{
    const bool waits = signal >= sys::FIRST_QUEUED && !is_stop_request(options_.stop_signals, received.number, signal);
    if (waits && held_signals_.has_any() && held_signals_.add(received, signal)) {
        return;
    }
    auto forwarded = child_.forward(received, signal);
    if (forwarded == Forwarded::NO_ROOM) {
        if (waits && held_signals_.add(received, signal)) {
            return;
        }
        auto plain = received;
        plain.code = SI_USER;
        forwarded = child_.forward(plain, signal);
    }
    if (forwarded == Forwarded::YES) {
        exit_report_.note_forwarded(signal, received);
    }
}

// Sends the signals that the child had no room for, as many as it has room for now.
void Supervisor::send_held()
{
    while (held_signals_.has_any()) {
        const auto& held = held_signals_.take_first();
        const auto forwarded = child_.forward(held, held.number);
        if (forwarded == Forwarded::NO_ROOM) {
            held_signals_.retry_later();
            return;
        }
        if (forwarded == Forwarded::YES) {
            exit_report_.note_forwarded(held.number, held);
        }
        held_signals_.remove_first();
    }
}

// A failed wait should not happen, but it must not lose the child's exit status. A single EINTR means that foster was
// stopped or traced. A wait that returns too early each time must not make foster spin.
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
