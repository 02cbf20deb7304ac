// Making the parents of neglected zombies wait: one visit after the other, as monitor.cpp's scans find them.
#include "sys/clock.hpp"
#include "sys/processes.hpp"
#include "sys/signals.hpp"
#include "zombies/monitor.hpp"

#include "options/options.hpp"
#include "sys/procfs.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <limits>
#include <span>
#include <sys/types.h>
#include <sys/wait.h>
#include <utility>

namespace foster
{
namespace
{

constexpr sys::Nanoseconds RETRY_INTERVAL = 10'000'000; // of a parent between two visits, which take less
constexpr sys::Nanoseconds TIMEOUT = 1'000'000'000;     // with a visit
constexpr int MAX_PASSING_BLOCKERS = 100;               // in a row

} // namespace

// Whose parent is to be made to wait: nudging it has not helped.
bool ZombieMonitor::is_due(const Zombie& zombie, sys::Nanoseconds now) const
{
    return !zombie.threads_live && now - zombie.first_seen >= 2 * options_.zombie_age;
}

bool ZombieMonitor::visits(pid_t process) const
{
    return memory_ != nullptr && std::ranges::any_of(memory_->visits, [process](RemoteWait& visit) {
               return visit.parent() == process && visit.is_running();
           });
}

// One that is neither under way nor given up; null: there is none.
RemoteWait* ZombieMonitor::free_visit()
{
    auto* const visit = std::ranges::find_if(memory_->visits, [](RemoteWait& other) { return !other.is_running(); });
    return visit == memory_->visits.end() ? nullptr : visit;
}

void ZombieMonitor::begin_visit(sys::Nanoseconds now)
{
    next_visit_ = 0;
    auto* const visit = free_visit();
    if (visit == nullptr) {
        for (const auto& zombie : zombies_) {
            if (is_due(zombie, now) && !visits(zombie.parent)) {
                report_blocker_once(zombie.parent, {"too many other parents are stuck"});
            }
        }
        return;
    }
    std::array<pid_t, RemoteWait::MAX_ZOMBIES> numbers{};
    std::size_t count = 0;
    for (auto& zombie : zombies_) {
        if (zombie.tried || !is_due(zombie, now) || (next_visit_ != 0 && zombie.parent != visited_parent_) ||
            visits(zombie.parent)) {
            continue;
        }
        next_visit_ = now; // of another parent, where this one cannot be visited
        visited_parent_ = zombie.parent;
        zombie.tried = true;
        // The pid may have become another child's since the scan.
        if (sys::read_stat(zombie.pid).value.start != zombie.start) {
            continue;
        }
        if (sys::number_in_status(zombie.pid, "TracerPid") > 0) {
            report_blocker_once(visited_parent_, {"one is being traced"});
        } else if (const pid_t number = sys::pid_as_seen_by(zombie.pid, visited_parent_); number > 0) {
            numbers[count++] = number;
        }
        if (count == numbers.size()) {
            break;
        }
    }
    if (count == 0) {
        return;
    }
    visit_start_ = now;
    const auto blocker = visit->begin(visited_parent_, std::span(numbers).first(count), wanted_.only != 0);
    if (blocker) {
        handle_blocker(blocker);
        return;
    }
    visit_ = visit;
    next_visit_ = now + RETRY_INTERVAL;
}

// Whether it is over, or takes too long.
void ZombieMonitor::look_at_visit(sys::Nanoseconds now)
{
    const bool is_running = visit_->is_running();
    next_visit_ = is_running ? now + RETRY_INTERVAL : now;
    if (!is_running) {
        end_visit();
    } else if (now - visit_start_ > TIMEOUT) {
        give_up_visit();
    }
}

// It goes on without being looked at, until it comes to an end by itself, if ever; others have their turn.
void ZombieMonitor::give_up_visit()
{
    visit_->give_up();
    report_blocker_once(visited_parent_, {visit_->why_stuck()});
    visit_ = nullptr;
    next_care_ = sys::monotonic_now();
}

void ZombieMonitor::look_after_visits(sys::Nanoseconds now)
{
    bool is_one_left = false;
    for (auto& visit : memory_->visits) {
        visit.look_after_helper();
        is_one_left = is_one_left || visit.has_helper();
    }
    next_care_ = is_one_left ? now + TIMEOUT : 0;
}

bool ZombieMonitor::is_needed()
{
    bool is_midway = false;
    for (std::size_t index = 0; memory_ != nullptr && index < memory_->visits.size(); ++index) {
        auto& visit = memory_->visits[index];
        visit.give_up(); // at its next stop
        is_midway = is_midway || visit.is_midway();
    }
    return is_midway;
}

// A passing obstacle is tried again soon, for a while; then it stands before all zombies of the parent.
void ZombieMonitor::handle_blocker(const Blocker& blocker)
{
    const bool stays = !blocker.passing || ++passing_blockers_ == MAX_PASSING_BLOCKERS;
    for (auto& zombie : zombies_) {
        zombie.tried = zombie.parent == visited_parent_ ? stays : zombie.tried;
    }
    if (stays) {
        passing_blockers_ = 0;
        report_blocker_once(visited_parent_, blocker);
    } else {
        next_visit_ = visit_start_ + RETRY_INTERVAL;
    }
}

bool ZombieMonitor::take(const sys::Reaped& changed)
{
    if (!WIFSTOPPED(changed.status)) {
        return false;
    }
    // The visit's own wait does not always get it: a child of foster is told to whichever of its threads asks first.
    if (memory_ == nullptr ||
        std::ranges::none_of(memory_->visits, [changed](RemoteWait& visit) { return visit.pass_on(changed); })) {
        let_go(changed.pid, changed.status);
    }
    return true;
}

void ZombieMonitor::end_visit()
{
    const auto& visit = *std::exchange(visit_, nullptr);
    int reaped = 0;
    for (const long answer : visit.answers()) {
        reaped += answer > 0 ? 1 : 0;
        if (answer == 0) {
            report_blocker_once(visited_parent_, {"one cannot be reaped yet"});
        } else if (answer < 0 && answer != -ECHILD) {
            report_blocker_once(visited_parent_, {"it may not wait", static_cast<int>(-answer)});
        }
    }
    if (reaped != 0) {
        passing_blockers_ = 0;
        messages_.info(
            "zombies-reaped|reaped {zombies} zombie{} through {parent_name}[{parent}], visited for {visit_us}us",
            reaped, reaped == 1 ? "" : "s", sys::ProcessName(visited_parent_).text(), visited_parent_,
            visit.duration() / 1000);
    }
    if (visit.blocker()) {
        handle_blocker(visit.blocker());
    }
}

void ZombieMonitor::finish_visit()
{
    constexpr sys::Nanoseconds ERROR_BACKOFF = 1'000'000;
    constexpr int MAX_NAPS = 100;
    constexpr int MAX_NAPS_ONCE = 1000;
    const int most = options_.mode != Mode::REAP_ZOMBIES ? MAX_NAPS : MAX_NAPS_ONCE;
    for (int naps = 0; visit_ != nullptr && naps < 2 * most; ++naps) {
        if (!visit_->is_running()) {
            end_visit();
            return;
        }
        if (naps == most) {
            visit_->give_up();
        }
        sys::nap(ERROR_BACKOFF);
    }
    if (visit_ != nullptr) {
        give_up_visit();
    }
}

bool ZombieMonitor::reap_once()
{
    // A child that has just ended is about to be waited for, in any program: it must be seen for as long as in a running foster.
    constexpr auto NEVER = std::numeric_limits<sys::Nanoseconds>::max();
    next_scan_ = deadline_ = deadline_ == 0 ? 0 : sys::monotonic_now();
    sys::Nanoseconds start = 0; // of the first scan, whose zombies are those to be reaped
    do {
        if (deadline_ == 0) {
            return true;
        }
        // Here nobody is being visited, and whoever waits for this may interrupt it.
        (void)sys::set_signal_mask(sys::bit_of(SIGPIPE));
        sys::nap(std::max(deadline_ - sys::monotonic_now(), sys::Nanoseconds{0}));
        (void)sys::set_signal_mask(sys::ALL_SIGNALS);
        (void)run_due_work();
        finish_visit();
        start = start == 0 ? last_scan_ : start;
        if (last_scan_ - start >= 2 * options_.zombie_age) {
            next_scan_ = NEVER; // another one would have all that was in vain tried again, without end
        }
    } while (next_visit_ != 0 || next_scan_ != NEVER);
    const bool some_are_left = std::ranges::any_of(zombies_, [start](const Zombie& zombie) {
        const auto stat = sys::read_stat(zombie.pid);
        return zombie.first_seen <= start && stat && stat.value.start == zombie.start;
    });
    // Where there was no room for more of them, those come next.
    return some_are_left || (zombies_.size() == memory_->halves[0].size() && reap_once());
}

} // namespace foster
