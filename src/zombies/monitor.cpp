#include "zombies/monitor.hpp"

#include "log/duration.hpp"
#include "options/options.hpp"
#include "sys/clock.hpp"
#include "sys/memory.hpp"
#include "sys/procfs.hpp"
#include "sys/signals.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <new>
#include <unistd.h>

namespace foster
{
namespace
{

constexpr sys::Nanoseconds MIN_INTERVAL = 10'000'000; // of scans
// A scan takes 2 % of the time at most, and waits so long at most for a moment in which no signal is there.
constexpr sys::Nanoseconds REST_FACTOR = 50;
constexpr sys::Nanoseconds MAX_DELAY = 1'000'000'000;

bool has_of(std::span<const Zombie> zombies, pid_t parent)
{
    return std::ranges::any_of(zombies, [parent](const Zombie& zombie) { return zombie.parent == parent; });
}

bool has_sibling_before(std::span<const Zombie> zombies, const Zombie* zombie)
{
    return has_of(zombies.first(static_cast<std::size_t>(zombie - zombies.data())), zombie->parent);
}

// Why /proc is of no use; null: it is.
const char* procfs_problem()
{
    if (const char* problem = sys::procfs_problem()) {
        return problem;
    }
    return sys::read_stat(1)
               ? nullptr
               : "/proc hides the processes of other users (hidepid); mount it without, or give foster the "
                 "group of its gid option";
}

} // namespace

ZombieMonitor::ZombieMonitor(const Options& options, const log::Messages& messages)
    : options_(options),
      messages_(messages), wanted_{options.mode == Mode::REAP_ZOMBIES ? 0 : ::getpid(), options.neglecter}
{
    if (options.zombies == Zombies::LEAVE) {
        return;
    }
    if (const char* problem = procfs_problem()) {
        messages.warning("zombie-scan-refused|cannot look for neglected zombies: {reason}", problem);
        return;
    }
    const auto memory = sys::map_memory(sizeof(Memory), true);
    if (!memory) {
        messages.warning("zombie-scan-refused|cannot look for neglected zombies: {reason}", log::Error{memory.error});
        return;
    }
    memory_ = new (memory.value) Memory; // NOLINT(cppcoreguidelines-owning-memory): of mmap, kept until the end
    zombies_ = std::span(memory_->halves[0]).first(0);
    previous_ = std::span(memory_->halves[1]).first(0);
    next_scan_ = deadline_ = sys::monotonic_now() + interval();
}

sys::Nanoseconds ZombieMonitor::interval() const
{
    return std::max(options_.zombie_age / 2, MIN_INTERVAL);
}

bool ZombieMonitor::run_due_work()
{
    if (deadline_ == 0) {
        return false;
    }
    const auto now = sys::monotonic_now();
    const bool is_scan_due = now >= next_scan_ && (sys::pending_signals() == 0 || now >= next_scan_ + MAX_DELAY);
    if (is_scan_due) {
        scan(now);
    }
    if (next_visit_ != 0 && now >= next_visit_) {
        visit_ == nullptr ? begin_visit(now) : look_at_visit(now);
    }
    if (next_care_ != 0 && now >= next_care_) {
        look_after_visits(now);
    }
    deadline_ = sys::earlier(sys::earlier(next_scan_, next_visit_), next_care_);
    return is_scan_due;
}

void ZombieMonitor::scan(sys::Nanoseconds now)
{
    last_scan_ = now;
    const auto start = sys::cpu_time_now(); // who is made to wait for a CPU need not rest for that
    auto& half = memory_->halves[zombies_.data() == memory_->halves[0].data() ? 1 : 0];
    previous_ = zombies_;
    zombies_ = find_zombies(half, wanted_);
    carry_over(now);
    report_ends();
    look_at_parents(now);
    if (options_.zombies == Zombies::REAP && visit_ == nullptr) {
        next_visit_ = now;
    }
    const auto rest = options_.mode != Mode::REAP_ZOMBIES ? REST_FACTOR * (sys::cpu_time_now() - start) : 0;
    next_scan_ = std::max(now + interval(), sys::monotonic_now() + rest);
}

// Both lists are in the order of the pids.
void ZombieMonitor::carry_over(sys::Nanoseconds now)
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
            zombie.blocker_reported = known->blocker_reported;
            zombie.reported = known->reported;
        }
    }
}

void ZombieMonitor::report_ends() const
{
    for (const auto& known : previous_) {
        if (known.reported != 0 && !has_sibling_before(previous_, &known) && !has_of(zombies_, known.parent)) {
            messages_.info("neglect-ended|{parent_name}[{parent}] neglects no zombie any more",
                           sys::ProcessName(known.parent).text(), known.parent);
        }
    }
}

void ZombieMonitor::look_at_parents(sys::Nanoseconds now)
{
    for (const auto& zombie : zombies_) {
        if (!has_sibling_before(zombies_, &zombie)) {
            log(zombie.parent, now);
            nudge(zombie.parent, now);
        }
    }
}

void ZombieMonitor::log(pid_t parent, sys::Nanoseconds now)
{
    const auto seen_by = now - options_.zombie_age;
    std::uint16_t count = 0;
    std::uint16_t reported = 0;
    bool threads_live = false;
    auto oldest = now;
    for (const auto& zombie : zombies_) {
        if (zombie.parent != parent) {
            continue;
        }
        reported = std::max(reported, zombie.reported);
        if (zombie.first_seen <= seen_by) {
            ++count;
            threads_live = threads_live || zombie.threads_live;
            oldest = std::min(oldest, zombie.first_seen);
        }
    }
    if (count > reported) {
        const sys::ProcessName name(parent);
        log::Line age;
        log::add_duration(age, now - oldest);
        log::Line names;
        add_names(names, zombies_, parent, seen_by);
        messages_.warning("zombies-neglected|{parent_name}[{parent}] neglects {zombies} zombie{}, oldest {oldest}: "
                          "{names}; only {} can reap them",
                          name.text(), parent, count, count == 1 ? "" : "s", age.c_string(), names.c_string(),
                          name.text());
    }
    for (auto& zombie : zombies_) {
        if (zombie.parent == parent) {
            zombie.reported = std::max(reported, count);
        }
    }
    if (threads_live && options_.zombies == Zombies::REAP) {
        report_blocker_once(parent, {"threads of one live on"});
    }
}

void ZombieMonitor::nudge(pid_t parent, sys::Nanoseconds now)
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
        report_blocker_once(parent, {"SIGCHLD may not be sent to it; give foster CAP_KILL"});
    }
}

// Says once what stands between a parent and its zombies. One that has ended has none any more.
void ZombieMonitor::report_blocker_once(pid_t parent, const Blocker& blocker)
{
    if (const auto stat = sys::read_stat(parent); parent != 0 && (!stat || stat.value.has_exited())) {
        return;
    }
    bool blocker_reported = false;
    for (const auto& zombie : zombies_) {
        blocker_reported = blocker_reported || (zombie.parent == parent && zombie.blocker_reported);
    }
    for (auto& zombie : zombies_) {
        zombie.blocker_reported = zombie.blocker_reported || zombie.parent == parent;
    }
    if (blocker_reported) {
        return;
    }
    log::Line line;
    add_blocker(line, parent, blocker);
    messages_.warning("zombies-unreapable|cannot reap the zombies of {parent_name}[{parent}]: {reason}",
                      sys::ProcessName(parent).text(), parent, line.c_string());
}

} // namespace foster
