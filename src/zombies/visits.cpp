// Making the parents of neglected zombies wait: one visit after the other, as neglect.cpp's scans find them.
#include "neglect.hpp"

#include "options.hpp"
#include "sys/procfs.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <limits>
#include <sys/wait.h>

namespace foster
{
namespace
{

constexpr sys::Nanoseconds REST = 10'000'000; // of a parent between two visits
constexpr int MOST_PASSING_OBSTACLES = 100;   // in a row

} // namespace

// Whose parent is to be made to wait: nudging it has not helped.
bool Neglect::is_due(const Zombie& zombie, sys::Nanoseconds now) const
{
    return !zombie.threads_live && now - zombie.first_seen >= 2 * options_.zombie_age;
}

void Neglect::begin_visit(sys::Nanoseconds now)
{
    next_visit_ = 0;
    std::array<pid_t, RemoteWait::MOST_ZOMBIES> numbers{};
    std::size_t count = 0;
    for (auto& zombie : zombies_) {
        if (zombie.tried || !is_due(zombie, now) || (next_visit_ != 0 && zombie.parent != visited_parent_)) {
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
            explain(visited_parent_, {"one is being traced"});
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
    const auto obstacle = memory_->visit.begin(visited_parent_, std::span(numbers).first(count), wanted_.only != 0);
    visit_start_ = now;
    if (obstacle) {
        meet(obstacle);
    }
}

// A passing obstacle is tried again soon, for a while; then it stands before all zombies of the parent.
void Neglect::meet(const Obstacle& obstacle)
{
    const bool stays = !obstacle.passing || ++passing_obstacles_ == MOST_PASSING_OBSTACLES;
    for (auto& zombie : zombies_) {
        zombie.tried = zombie.parent == visited_parent_ ? stays : zombie.tried;
    }
    if (stays) {
        passing_obstacles_ = 0;
        explain(visited_parent_, obstacle);
    } else {
        next_visit_ = sys::monotonic_now() + REST;
    }
}

bool Neglect::take(const sys::Ended& changed)
{
    const bool is_of_visit = visited() != 0 && changed.pid == visited();
    if (is_of_visit) {
        memory_->visit.take(changed.status);
        if (visited() == 0) {
            end_visit();
        }
    } else if (WIFSTOPPED(changed.status)) {
        let_go(changed.pid, changed.status);
    }
    // The end of a process is told to the tracer first, which may be its parent, too; that of another thread to it alone.
    return WIFSTOPPED(changed.status) || (is_of_visit && changed.pid != visited_parent_);
}

void Neglect::end_visit()
{
    const auto& visit = memory_->visit;
    const auto now = sys::monotonic_now();
    next_visit_ = deadline_ = now + REST;
    int reaped = 0;
    for (const long answer : visit.answers()) {
        reaped += answer > 0 ? 1 : 0;
        if (answer == 0) {
            explain(visited_parent_, {"one cannot be reaped yet"});
        } else if (answer < 0 && answer != -ECHILD) {
            explain(visited_parent_, {"it may not wait", static_cast<int>(-answer)});
        }
    }
    if (reaped != 0) {
        passing_obstacles_ = 0;
        messages_.info(
            "zombies-reaped|reaped {zombies:d} zombie{} through {parent_name}[{parent:d}], visited for {visit_us:d}us",
            reaped, reaped == 1 ? "" : "s", sys::ProcessName(visited_parent_).text(), visited_parent_,
            (now - visit_start_) / 1000);
    }
    if (visit.obstacle()) {
        meet(visit.obstacle());
    }
}

void Neglect::finish_visit()
{
    if (visited() != 0) {
        memory_->visit.finish();
        if (visited() == 0) {
            end_visit();
        } else {
            abandon_visit();
        }
    }
}

void Neglect::abandon_visit()
{
    memory_->visit.abandon();
    if (visited() != 0) {
        explain(visited_parent_, {"its thread does not stop"});
    }
}

bool Neglect::reap_once()
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
        (void)act_if_due();
        finish_visit();
        const auto last_scan = next_scan_ - interval();
        start = start == 0 ? last_scan : start;
        if (last_scan - start >= 2 * options_.zombie_age) {
            next_scan_ = NEVER; // another one would have all that was in vain tried again, without end
        }
    } while (visited() == 0 && (next_visit_ != 0 || next_scan_ != NEVER));
    const bool some_are_left = std::ranges::any_of(zombies_, [start](const Zombie& zombie) {
        const auto stat = sys::read_stat(zombie.pid);
        return zombie.first_seen <= start && stat && stat.value.start == zombie.start;
    });
    // Where there was no room for more of them, those come next.
    return visited() != 0 || some_are_left || (zombies_.size() == memory_->halves[0].size() && reap_once());
}

} // namespace foster
