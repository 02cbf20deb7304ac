#include "supervisor/leftovers.hpp"

#include "supervisor/reaper.hpp"
#include "sys/clock.hpp"
#include "sys/memory.hpp"
#include "sys/processes.hpp"
#include "sys/signals.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

namespace foster
{
namespace
{

// at least; if a round of SIGKILL takes longer, as long as that round
constexpr sys::Nanoseconds RETRY_INTERVAL = 10'000'000;
constexpr sys::Nanoseconds TIMEOUT = 1'000'000'000; // for the processes that got SIGKILL
constexpr sys::Nanoseconds FIRST_INTERVAL = 50'000'000;
constexpr sys::Nanoseconds MAX_INTERVAL = 1'000'000'000;
constexpr sys::Nanoseconds INTERVAL_FACTOR = 50; // searches of /proc take at most 2 % of the time

// Sends two signals (0: none) to a process, through a pidfd, so that a new process with a reused pid gets none. A
// process group (pid < 0) has no pidfd, and an old kernel or a sandbox has none at all: then kill(2) is used. Returns
// false if foster may not signal the process (EPERM).
bool send(const Process& to, int signal, int next)
{
    const auto process = sys::pidfd_open(to.pid);
    if (process.error == ESRCH || !to.is_alive()) {
        return true;
    }
    bool may_be_signalled = true;
    for (const int each : {signal, next}) {
        auto sent = sys::pidfd_send_signal(process.value.number(), each);
        if (!sent && sent.error != ESRCH) {
            sent = sys::kill(to.pid, each);
        }
        may_be_signalled = may_be_signalled && sent.error != EPERM;
    }
    return may_be_signalled;
}

} // namespace

// Lists the processes first, so that a clean-up command started by one of them does not get this SIGTERM.
void Leftovers::signal_all(int signal, int next)
{
    if (are_whole_namespace()) {
        // One call for all processes: none can escape by a fork.
        (void)sys::kill(-1, signal);
        (void)sys::kill(-1, next);
        return;
    }
    constexpr std::size_t MAX = 1 << 16; // pages that are not used take no memory
    Process only;                        // used if no memory could be mapped
    if (list_ == nullptr) {
        const auto memory = sys::map_memory(MAX * sizeof(Process));
        list_ = memory ? static_cast<Process*>(memory.value) : nullptr;
    }
    const std::span list(list_ == nullptr ? &only : list_, list_ == nullptr ? 1 : MAX);
    Descendants leftovers(inherited_children_, problem_ == nullptr, after_);
    std::size_t listed = 0;
    bool is_any = false;
    for (bool is_more = true; is_more;) {
        is_more = leftovers.next(list[listed]);
        is_any = is_any || is_more;
        listed += is_more ? 1 : 0;
        if (!is_more || listed == list.size()) {
            send_to(list.first(std::exchange(listed, 0)), signal, next);
        }
    }
    if (!is_any && widen_search()) {
        signal_all(signal, next);
    }
}

// For a search without /proc that found nothing among the pids after the child's: from now on all pids are searched.
// Returns whether that changes anything.
bool Leftovers::widen_search()
{
    return problem_ != nullptr && std::exchange(after_, 0) != 0;
}

// If /proc is not usable, foster cannot find the descendants of its children. So it signals the process group of each
// child.
void Leftovers::send_to(std::span<Process> list, int signal, int next) const
{
    for (auto& to : list) {
        if (problem_ != nullptr) {
            const pid_t group = group_of(to.pid);
            to.pid = group == 0 ? to.pid : -group;
        }
        if (problem_ == nullptr ||
            std::ranges::find(list, to.pid, &Process::pid) == list.begin() + (&to - list.data())) {
            send(to, signal, next);
        }
    }
}

// Returns the process group to signal for this member; 0: none. A group in foster's own session may contain processes
// that are not foster's descendants, because any process of the session can join it, setpgid(2). Such a group is
// signalled only if it is the child's, or if /proc is not usable and the member leads it.
pid_t Leftovers::group_of(pid_t member) const
{
    const pid_t group = sys::getpgid(member);
    const pid_t session = sys::getsid(member);
    const bool is_leader = problem_ != nullptr && group == member;
    return group > 1 && (group == child_ || is_leader || (session > 0 && session != sys::getsid(0))) ? group : 0;
}

// Sends SIGKILL to each process and to its process group: a process that keeps forking and exiting is gone before a
// signal to its own pid arrives.
Leftovers::Count Leftovers::kill_all()
{
    Count count;
    if (are_whole_namespace()) {
        log::finish_messages(); // or a helper that writes one would be killed, too
        (void)sys::kill(-1, SIGKILL);
        if (problem_ != nullptr) {
            return count;
        }
    }
    Descendants leftovers(inherited_children_, problem_ == nullptr, after_);
    pid_t last_group = 0;
    for (Process leftover; leftovers.next(leftover); ++count.found) {
        const pid_t group = group_of(leftover.pid);
        // First the group: it may have no other member, and then its number could be reused after the member's exit.
        if (group != 0 && group != last_group && leftover.has_pid()) {
            (void)sys::kill(-group, SIGKILL);
            last_group = group;
        }
        count.reached += send(leftover, SIGKILL, 0) ? 1 : 0;
    }
    return count.found == 0 && widen_search() ? kill_all() : count;
}

void Leftovers::begin(bool is_stopping, Reaper& reaper)
{
    if ((options_.grace < 0 && !options_.wait_all) || (self_ != 1 && !reaper.has_children())) {
        return;
    }
    problem_ = sys::procfs_problem();
    if (problem_ != nullptr && !are_whole_namespace()) {
        messages_.warning("leftovers-unknown|cannot find what the child has left: {reason}{}", problem_,
                          "; only foster's own children and their process groups are signalled");
    }
    is_stopping_ = is_stopping;
    if (options_.wait_all) {
        phase_ = Phase::WAITING;
    }
    if (options_.grace >= 0 && (is_stopping || !options_.wait_all)) {
        begin_grace();
    }
    search_if_due(reaper);
}

void Leftovers::begin_grace()
{
    signal_all(SIGTERM, SIGCONT); // a stopped process cannot handle SIGTERM
    phase_ = Phase::GRACE;
    kill_at_ = sys::monotonic_now() + options_.grace;
}

void Leftovers::begin_killing(sys::Nanoseconds now)
{
    phase_ = Phase::KILLING;
    // If /proc is not usable, the children of a process are found only after it has exited. So this takes several
    // rounds.
    give_up_at_ = now + (problem_ == nullptr || are_whole_namespace() ? TIMEOUT : 10 * TIMEOUT);
    search_soon(now);
    kill_again(now);
}

// Repeats SIGKILL until no process is left that can be killed: processes forked in the meantime get it in the next
// round.
void Leftovers::kill_again(sys::Nanoseconds now)
{
    const auto count = kill_all();
    const auto end = sys::monotonic_now();
    kill_at_ = end + std::max(RETRY_INTERVAL, end - now);
    if (end >= give_up_at_ || (count.found != 0 && count.reached == 0)) {
        if (count.found == 0 || problem_ != nullptr) {
            messages_.warning("leftovers-unknown|cannot name what is left: {reason}",
                              problem_ == nullptr ? "not in /proc" : problem_);
        }
        report_remaining(false);
        phase_ = Phase::NOT_AWAITED;
    }
}

// Logs each remaining process. refused_only: only those that foster may not signal.
void Leftovers::report_remaining(bool refused_only) const
{
    Descendants leftovers(inherited_children_, true, after_);
    Process leftover;
    while (problem_ == nullptr && leftovers.next(leftover)) {
        const auto stat = sys::read_stat(leftover.pid).value;
        const auto sent = sys::kill(leftover.pid, 0);
        if (!stat.has_exited() && sent.error != ESRCH && !(sent && refused_only)) {
            messages_.warning("leftover-left|cannot end {name}[{pid}]: {reason}", stat.name(), leftover.pid,
                              !sent ? "it may not be signalled; run foster as root or give it CAP_KILL"
                                    : "it has got SIGKILL, and has not ended yet");
        }
    }
}

// Some exits cause no SIGCHLD: those of children made with CLONE_AUTOREAP, and those of processes that entered the PID
// namespace from outside, as by `docker exec`, because foster is not their parent. So there is a search at intervals.
void Leftovers::search_if_due(Reaper& reaper)
{
    const bool has_children = reaper.has_children();
    if (!has_children && (self_ != 1 || problem_ != nullptr)) {
        phase_ = Phase::NOT_AWAITED;
        return;
    }
    const bool must_search = !has_children || inherited_children_.are_relevant();
    if (must_search && std::exchange(reaped_at_search_, reaper.orphans()) != reaper.orphans()) {
        next_search_ = std::min(next_search_, no_search_before_);
    }
    const auto now = sys::monotonic_now();
    if (now < next_search_) {
        return;
    }
    reaper.request_sweep();
    if (must_search && !known_leftover_.is_alive() &&
        !Descendants(inherited_children_, problem_ == nullptr, after_).next(known_leftover_) && !widen_search()) {
        reaper.finish(); // reaps those that have exited meanwhile
        // The search misses an orphan with a pid that it had passed.
        if (inherited_children_.are_relevant() || !reaper.has_children()) {
            phase_ = Phase::NOT_AWAITED;
        }
        return;
    }
    const auto end = sys::monotonic_now();
    no_search_before_ = end + std::min(INTERVAL_FACTOR * (end - now), MAX_INTERVAL);
    next_search_ = std::max(no_search_before_, end + search_interval_);
    search_interval_ = std::min(2 * search_interval_, MAX_INTERVAL);
}

// Makes the next search soon, because processes are about to exit.
void Leftovers::search_soon(sys::Nanoseconds now)
{
    search_interval_ = FIRST_INTERVAL;
    next_search_ = std::min(next_search_, std::max(no_search_before_, now + FIRST_INTERVAL));
}

void Leftovers::run_due_work(Reaper& reaper)
{
    if (phase_ == Phase::GRACE || phase_ == Phase::KILLING) {
        const auto now = sys::monotonic_now();
        if (now >= kill_at_) {
            phase_ == Phase::GRACE ? begin_killing(now) : kill_again(now);
        }
    }
    if (are_awaited()) {
        search_if_due(reaper);
    }
}

void Leftovers::forward(int signal, bool asks_to_stop)
{
    if (phase_ == Phase::NOT_AWAITED) {
        return;
    }
    const auto now = sys::monotonic_now();
    search_soon(now);
    if (asks_to_stop && phase_ == Phase::GRACE && is_stopping_) {
        begin_killing(now);
        return;
    }
    is_stopping_ = is_stopping_ || asks_to_stop;
    if (asks_to_stop && phase_ == Phase::WAITING && options_.grace >= 0) {
        begin_grace();
    } else {
        signal_all(signal, 0);
        if (asks_to_stop && phase_ == Phase::WAITING) {
            report_remaining(true);
        }
    }
}

} // namespace foster
