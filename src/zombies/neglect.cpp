#include "neglect.hpp"

#include "options.hpp"
#include "remote_wait.hpp"
#include "sys/duration.hpp"
#include "sys/procfs.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <limits>
#include <new>
#include <sys/wait.h>
#include <unistd.h>

namespace foster
{
namespace
{

constexpr sys::Nanoseconds SHORTEST_INTERVAL = 10'000'000; // of scans
constexpr sys::Nanoseconds REST = 10'000'000;              // of a parent between two visits
constexpr sys::Nanoseconds PATIENCE = 1'000'000'000;       // with a thread that is to stop
constexpr int MOST_PASSING_OBSTACLES = 100;                // in a row

bool has_of(std::span<const Zombie> zombies, pid_t parent)
{
    return std::ranges::any_of(zombies, [parent](const Zombie& zombie) { return zombie.parent == parent; });
}

bool has_sibling_before(std::span<const Zombie> zombies, const Zombie* zombie)
{
    return has_of(zombies.first(static_cast<std::size_t>(zombie - zombies.data())), zombie->parent);
}

// Why /proc is of no use; null: it is.
const char* fault_of_procfs()
{
    if (const char* fault = sys::fault_of_procfs()) {
        return fault;
    }
    return sys::read_stat(1)
               ? nullptr
               : "/proc hides the processes of other users (hidepid); mount it without, or give foster the "
                 "group of its gid option";
}

} // namespace

struct Neglect::Memory {
    RemoteWait visit;
    std::array<std::array<Zombie, 4096>, 2> halves; // more are left to the scans to come
};

Neglect::Neglect(const Options& options, const sys::Messages& messages)
    : options_(options), messages_(messages), wanted_{options.once == Once::NOTHING ? ::getpid() : 0, options.neglecter}
{
    if (options.zombies == Zombies::LEAVE) {
        return;
    }
    if (const char* fault = fault_of_procfs()) {
        messages.warning("step-refused|cannot look for neglected zombies: {reason}", fault);
        return;
    }
    const auto memory = sys::map_memory(sizeof(Memory));
    if (!memory) {
        messages.warning("step-refused|cannot look for neglected zombies: {reason:e}", sys::Error{memory.error});
        return;
    }
    memory_ = new (memory.value) Memory; // NOLINT(cppcoreguidelines-owning-memory): of mmap, kept until the end
    zombies_ = std::span(memory_->halves[0]).first(0);
    previous_ = std::span(memory_->halves[1]).first(0);
    next_scan_ = deadline_ = sys::monotonic_now() + interval();
}

sys::Nanoseconds Neglect::interval() const
{
    return std::max(options_.zombie_age / 2, SHORTEST_INTERVAL);
}

pid_t Neglect::visited() const
{
    return memory_ == nullptr ? 0 : memory_->visit.thread();
}

bool Neglect::act_if_due()
{
    if (deadline_ == 0) {
        return false;
    }
    const auto now = sys::monotonic_now();
    const bool is_scan_due = now >= next_scan_;
    if (is_scan_due) {
        scan(now);
    }
    if (next_visit_ != 0 && now >= next_visit_ && visited() == 0) {
        begin_visit(now);
    }
    deadline_ = next_visit_ == 0 || visited() != 0 ? next_scan_ : std::min(next_scan_, next_visit_);
    return is_scan_due;
}

void Neglect::scan(sys::Nanoseconds now)
{
    next_scan_ = now + interval();
    if (visited() != 0 && now - visit_start_ > PATIENCE) {
        abandon_visit();
    }
    auto& half = memory_->halves[zombies_.data() == memory_->halves[0].data() ? 1 : 0];
    previous_ = zombies_;
    zombies_ = find_zombies(half, wanted_);
    carry_over(now);
    tell_ends();
    look_at_parents(now);
    if (options_.zombies == Zombies::REAP) {
        next_visit_ = now;
    }
}

// Both lists are in the order of the pids.
void Neglect::carry_over(sys::Nanoseconds now)
{
    const auto* known = previous_.data();
    const auto* const end = known + previous_.size();
    for (auto& zombie : zombies_) {
        while (known != end && known->pid < zombie.pid) {
            ++known;
        }
        zombie.first_seen = now;
        if (known != end && known->pid == zombie.pid && known->start == zombie.start &&
            known->parent == zombie.parent) {
            zombie.first_seen = known->first_seen;
            zombie.nudged = known->nudged;
            zombie.explained = known->explained;
            zombie.told = known->told;
        }
    }
}

void Neglect::tell_ends() const
{
    for (const auto& known : previous_) {
        if (known.told != 0 && !has_sibling_before(previous_, &known) && !has_of(zombies_, known.parent)) {
            messages_.info("neglect-ended|{parent_name}[{parent:d}] neglects no zombie any more",
                           sys::ProcessName(known.parent).text(), known.parent);
        }
    }
}

void Neglect::look_at_parents(sys::Nanoseconds now)
{
    for (const auto& zombie : zombies_) {
        if (!has_sibling_before(zombies_, &zombie)) {
            tell(zombie.parent, now);
            nudge(zombie.parent, now);
        }
    }
}

void Neglect::tell(pid_t parent, sys::Nanoseconds now)
{
    const auto seen_by = now - options_.zombie_age;
    std::uint16_t count = 0;
    std::uint16_t told = 0;
    bool threads_live = false;
    auto oldest = now;
    for (const auto& zombie : zombies_) {
        if (zombie.parent == parent && zombie.first_seen <= seen_by) {
            ++count;
            told = std::max(told, zombie.told);
            threads_live = threads_live || zombie.threads_live;
            oldest = std::min(oldest, zombie.first_seen);
        }
    }
    if (count > told) {
        const sys::ProcessName name(parent);
        sys::Line age;
        sys::add_duration(age, now - oldest);
        sys::Line names;
        add_names(names, zombies_, parent, seen_by);
        messages_.warning("zombies-neglected|{parent_name}[{parent:d}] neglects {zombies:d} zombie{}, oldest {oldest}: "
                          "{names}; only {} can reap them",
                          name.text(), parent, count, count == 1 ? "" : "s", age.c_string(), names.c_string(),
                          name.text());
    }
    for (auto& zombie : zombies_) {
        if (zombie.parent == parent) {
            zombie.told = count;
        }
    }
    if (threads_live && options_.zombies == Zombies::REAP) {
        explain(parent, {"threads of one live on"});
    }
}

void Neglect::nudge(pid_t parent, sys::Nanoseconds now)
{
    bool is_wanted = false;
    for (auto& zombie : zombies_) {
        if (zombie.parent == parent && !zombie.nudged && now - zombie.first_seen >= options_.zombie_age) {
            zombie.nudged = true;
            is_wanted = options_.zombies != Zombies::REPORT;
        }
    }
    if (!is_wanted || parent == 0) {
        return; // 0 would be foster's own process group
    }
    // No obstacle to a visit, which may come yet.
    if (const auto sent = sys::kill(parent, SIGCHLD);
        !sent && sent.error != ESRCH && options_.zombies == Zombies::NUDGE) {
        explain(parent, {"SIGCHLD may not be sent to it; give foster CAP_KILL"});
    }
}

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

// Says once what stands between a parent and its zombies. One that has ended has none any more.
void Neglect::explain(pid_t parent, const Obstacle& obstacle)
{
    if (const auto stat = sys::read_stat(parent); parent != 0 && (!stat || stat.value.has_ended())) {
        return;
    }
    bool explained = false;
    for (const auto& zombie : zombies_) {
        explained = explained || (zombie.parent == parent && zombie.explained);
    }
    for (auto& zombie : zombies_) {
        zombie.explained = zombie.explained || zombie.parent == parent;
    }
    if (explained) {
        return;
    }
    sys::Line line;
    add_obstacle(line, parent, obstacle);
    messages_.warning("zombies-unreapable|cannot reap the zombies of {parent_name}[{parent:d}]: {reason}",
                      sys::ProcessName(parent).text(), parent, line.c_string());
}

} // namespace foster
