// Which parents to make wait, and when: one after the other, in the order of the last scan.
#include "options/options.hpp"
#include "sys/procfs.hpp"
#include "sys/signals.hpp"
#include "zombies/monitor.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <span>
#include <sys/wait.h>
#include <utility>

namespace foster
{
namespace
{

// Between two attempts of a parent, and between two checks of a running remote wait, which mostly takes less.
constexpr sys::Nanoseconds RETRY_INTERVAL = 10'000'000;
constexpr sys::Nanoseconds TIMEOUT = 1'000'000'000; // of a remote wait
constexpr int MAX_PASSING_BLOCKERS = 100;           // in a row

// Sleeps with all signals but SIGPIPE unblocked, so that --reap-zombies can be interrupted. To be called only while no
// remote wait runs.
void sleep_interruptibly(sys::Deadline until)
{
    (void)sys::set_signal_mask(sys::bit_of(SIGPIPE));
    for (auto rest = until.left(); rest > 0; rest = until.left()) {
        sys::nap(rest);
    }
    (void)sys::set_signal_mask(sys::ALL_SIGNALS);
}

} // namespace

bool ZombieMonitor::reap_once()
{
    if (memory_ == nullptr) {
        return true;
    }
    do {
        const auto start = sys::monotonic_now();
        scan(start);
        // Any program needs a moment to wait for a child that has just exited, so zombies must be as old as with
        // --zombies=reap.
        while (is_nudge_running(start)) {
            sleep_interruptibly(sys::Deadline::at(next_scan_));
            scan(sys::monotonic_now());
        }
        // No scan until all zombies were tried: a scan makes all of them untried, and the loop would not end.
        while (next_remote_wait_.is_set()) {
            sleep_interruptibly(next_remote_wait_);
            run_due_remote_waits(sys::monotonic_now());
            finish_remote_wait();
        }
        if (has_left(start)) {
            return true;
        }
        // A full table may have left out further zombies: they are next.
    } while (table_->zombies().size() == ZombieTable::MAX_ZOMBIES);
    return false;
}

// Whether a zombie that was first seen at this time or before is still there.
bool ZombieMonitor::has_left(sys::Nanoseconds seen_by) const
{
    return std::ranges::any_of(table_->zombies(), [seen_by](const Zombie& zombie) {
        const auto stat = sys::read_stat(zombie.pid);
        return zombie.first_seen <= seen_by && stat && stat.value.start == zombie.start;
    });
}

bool ZombieMonitor::is_tracing(pid_t process) const
{
    return std::ranges::any_of(remote_waits_,
                               [process](RemoteWait& wait) { return wait.parent() == process && wait.is_running(); });
}

// Whether the nudge has had its time, as of the last scan. So the answer stays the same until the next scan.
bool ZombieMonitor::is_due(const Zombie& zombie) const
{
    return !zombie.threads_live && zombie.nudged_at != 0 && last_scan_ - zombie.nudged_at >= options_.zombie_age;
}

// Whether a zombie that was first seen at this time or before is not due yet.
bool ZombieMonitor::is_nudge_running(sys::Nanoseconds seen_by) const
{
    return std::ranges::any_of(table_->zombies(), [this, seen_by](const Zombie& zombie) {
        return zombie.first_seen <= seen_by && !zombie.threads_live && !is_due(zombie);
    });
}

// Whether the parent has untried zombies that are due. Skips those that are not due.
bool ZombieMonitor::has_untried(Parent& parent) const
{
    while (parent.tried < parent.count && !is_due(parent.zombies()[parent.tried])) {
        ++parent.tried;
    }
    return parent.tried < parent.count;
}

// The next parent to try; null: all were tried since the last scan.
Parent* ZombieMonitor::next_parent()
{
    for (const auto parents = table_->parents(); turn_ < parents.size(); ++turn_) {
        auto& parent = parents[turn_];
        if (!is_tracing(parent.pid) && has_untried(parent)) {
            return &parent;
        }
    }
    return nullptr;
}

// The pid of the zombie in the PID namespace of its parent; 0: the parent must not wait for it.
pid_t ZombieMonitor::number_to_wait_for(const Zombie& zombie)
{
    // The pid may have been reused by another child since the scan.
    if (sys::read_stat(zombie.pid).value.start != zombie.start) {
        return 0;
    }
    if (sys::number_in_status(zombie.pid, "TracerPid") > 0) {
        report_blocker_once(zombie.parent, {"one is being traced"});
        return 0;
    }
    return sys::pid_as_seen_by(zombie.pid, zombie.parent);
}

void ZombieMonitor::run_due_remote_waits(sys::Nanoseconds now)
{
    if (next_remote_wait_.is_over(now)) {
        remote_wait_ == nullptr ? begin_remote_wait(now) : check_remote_wait(now);
    }
    if (next_care_.is_over(now)) {
        look_after_helpers(now);
    }
}

void ZombieMonitor::begin_remote_wait(sys::Nanoseconds now)
{
    next_remote_wait_ = {};
    auto* const parent = next_parent();
    if (parent == nullptr) {
        return;
    }
    next_remote_wait_ = sys::Deadline::at(now); // of the next parent, if this one cannot be made to wait
    traced_parent_ = parent->pid;
    const auto wait = std::ranges::find_if(remote_waits_, [](RemoteWait& other) { return !other.is_running(); });
    if (wait == remote_waits_.end()) {
        handle_blocker({"too many other parents are stuck"});
        return;
    }
    std::array<pid_t, RemoteWait::MAX_ZOMBIES> numbers;
    std::size_t count = 0;
    for (; count < numbers.size() && has_untried(*parent); ++parent->tried) {
        const pid_t number = number_to_wait_for(parent->zombies()[parent->tried]);
        numbers[count] = number;
        count += number > 0 ? 1 : 0;
    }
    if (count == 0) {
        return;
    }
    remote_wait_start_ = now;
    if (const auto blocker = wait->begin(traced_parent_, std::span(numbers).first(count), scope_.parent != 0)) {
        handle_blocker(blocker);
        return;
    }
    remote_wait_ = &*wait;
    next_remote_wait_ = sys::Deadline::at(now + RETRY_INTERVAL);
}

// Checks whether the running remote wait is over or takes too long.
void ZombieMonitor::check_remote_wait(sys::Nanoseconds now)
{
    const bool is_running = remote_wait_->is_running();
    next_remote_wait_ = sys::Deadline::at(is_running ? now + RETRY_INTERVAL : now);
    if (!is_running) {
        end_remote_wait();
    } else if (now - remote_wait_start_ > TIMEOUT) {
        give_up_remote_wait();
    }
}

// The remote wait continues unchecked until it ends by itself, if ever. The next parent can be tried.
void ZombieMonitor::give_up_remote_wait()
{
    remote_wait_->give_up();
    report_blocker_once(traced_parent_, {remote_wait_->why_stuck()});
    remote_wait_ = nullptr;
    next_care_ = sys::Deadline::in(0);
}

void ZombieMonitor::look_after_helpers(sys::Nanoseconds now)
{
    bool is_one_left = false;
    for (auto& wait : remote_waits_) {
        wait.look_after_helper();
        is_one_left = is_one_left || wait.has_helper();
    }
    next_care_ = is_one_left ? sys::Deadline::at(now + TIMEOUT) : sys::Deadline();
}

bool ZombieMonitor::is_needed()
{
    bool is_midway = false;
    for (auto& wait : remote_waits_) {
        wait.give_up(); // ends it at its next stop
        is_midway = is_midway || wait.is_midway();
    }
    return is_midway;
}

// After a temporary blocker the parent is tried again soon, up to MAX_PASSING_BLOCKERS times in a row. Any other
// blocker is reported, and the zombies of the parent count as tried until the next scan.
void ZombieMonitor::handle_blocker(const Blocker& blocker)
{
    const bool stays = !blocker.passing || ++passing_blockers_ == MAX_PASSING_BLOCKERS;
    if (auto* const parent = table_->find_parent(traced_parent_)) {
        parent->tried = stays ? parent->count : 0;
    }
    if (stays) {
        passing_blockers_ = 0;
        report_blocker_once(traced_parent_, blocker);
    } else {
        next_remote_wait_ = sys::Deadline::at(remote_wait_start_ + RETRY_INTERVAL);
    }
}

bool ZombieMonitor::take(const sys::Reaped& changed)
{
    if (!WIFSTOPPED(changed.status)) {
        return false;
    }
    // If the traced process is foster's child, the stop goes to whichever thread of foster calls wait4 first.
    if (std::ranges::none_of(remote_waits_, [&changed](RemoteWait& wait) { return wait.pass_on(changed); })) {
        let_go(changed.pid, changed.status);
    }
    return true;
}

void ZombieMonitor::end_remote_wait()
{
    const auto& wait = *std::exchange(remote_wait_, nullptr);
    int reaped = 0;
    for (const long answer : wait.answers()) {
        if (answer > 0) {
            ++reaped;
        } else if (answer != -ECHILD) {
            report_blocker_once(traced_parent_, {answer == 0 ? "one cannot be reaped yet" : "it may not wait",
                                                 static_cast<int>(-answer)});
        }
    }
    if (reaped != 0) {
        passing_blockers_ = 0;
        messages_.info(
            "zombies-reaped|reaped {zombies} zombie{} through {parent_name}[{parent}], stopped for {stopped_us}us",
            reaped, reaped == 1 ? "" : "s", sys::ProcessName(traced_parent_).text(), traced_parent_,
            wait.duration() / 1000);
    }
    if (wait.blocker()) {
        handle_blocker(wait.blocker());
    }
}

// Waits until the running remote wait is over, for some seconds at most.
void ZombieMonitor::finish_remote_wait()
{
    constexpr sys::Nanoseconds CHECK_INTERVAL = 1'000'000;
    constexpr int MAX_CHECKS = 1000;
    for (int checks = 0; remote_wait_ != nullptr && checks < 2 * MAX_CHECKS; ++checks) {
        if (!remote_wait_->is_running()) {
            end_remote_wait();
            return;
        }
        if (checks == MAX_CHECKS) {
            remote_wait_->give_up();
        }
        sys::nap(CHECK_INTERVAL);
    }
    if (remote_wait_ != nullptr) {
        give_up_remote_wait();
    }
}

} // namespace foster
