#include "zombies/monitor.hpp"

#include "log/duration.hpp"
#include "options/options.hpp"
#include "sys/memory.hpp"
#include "sys/procfs.hpp"
#include "sys/signals.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <new>
#include <span>
#include <string_view>
#include <unistd.h>

namespace foster
{
namespace
{

constexpr sys::Nanoseconds MIN_SCAN_INTERVAL = 10'000'000;
constexpr sys::Nanoseconds REST_FACTOR = 50;          // scans take at most 2 % of the time
constexpr sys::Nanoseconds MAX_DELAY = 1'000'000'000; // of a scan that is due while signals are pending

// The reason why /proc is not usable; null: it is usable.
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

// Appends the names of the zombies that were first seen at this time or before, in the order of their first pids, as in
// "sudo x4, sh x1".
void add_names(log::Line& line, std::span<const Zombie> zombies, sys::Nanoseconds seen_by)
{
    constexpr std::size_t MAX_NAMES = 8;
    std::array<const Zombie*, MAX_NAMES> first_of_name;
    std::array<int, MAX_NAMES> counts;
    std::size_t size = 0;
    const char* end = "";
    for (const auto& zombie : zombies) {
        if (zombie.first_seen > seen_by) {
            continue;
        }
        std::size_t at = 0;
        while (at < size && first_of_name[at]->name_bytes != zombie.name_bytes) {
            ++at;
        }
        if (at == MAX_NAMES) {
            end = " and others";
            continue;
        }
        if (at == size) {
            first_of_name[size] = &zombie;
            counts[size++] = 0;
        }
        ++counts[at];
    }
    for (std::size_t at = 0; at < size; ++at) {
        line.add("{}{} x{}", at == 0 ? "" : ", ", first_of_name[at]->name(), counts[at]);
    }
    line.add("{}", end);
}

} // namespace

ZombieMonitor::ZombieMonitor(const Options& options, const log::Messages& messages)
    : options_(options),
      messages_(messages), scope_{options.mode == Mode::REAP_ZOMBIES ? 0 : ::getpid(), options.neglecter}
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
    remote_waits_ = memory_->remote_waits;
    table_ = memory_->tables.data();
    next_scan_ = sys::monotonic_now() + scan_interval();
    deadline_ = sys::Deadline::at(next_scan_);
}

sys::Nanoseconds ZombieMonitor::scan_interval() const
{
    return std::max(options_.zombie_age / 2, MIN_SCAN_INTERVAL);
}

bool ZombieMonitor::run_due_work()
{
    if (!deadline_.is_set()) {
        return false;
    }
    const auto now = sys::monotonic_now();
    const bool is_scan_due = now >= next_scan_ && (sys::pending_signals() == 0 || now >= next_scan_ + MAX_DELAY);
    if (is_scan_due) {
        scan(now);
    }
    run_due_remote_waits(now);
    deadline_ = earlier(earlier(sys::Deadline::at(next_scan_), next_remote_wait_), next_care_);
    return is_scan_due;
}

void ZombieMonitor::scan(sys::Nanoseconds now)
{
    last_scan_ = now;
    const auto start = sys::cpu_time_now(); // CPU time: a wait for a CPU must not make the pause longer
    auto& before = *table_;
    table_ = &memory_->tables[table_ == memory_->tables.data() ? 1 : 0];
    table_->fill(scope_, before, now);
    report_ends(before);
    for (auto& parent : table_->parents()) {
        look_at_parent(parent, now);
    }
    turn_ = 0;
    if (options_.zombies == Zombies::REAP && remote_wait_ == nullptr) {
        next_remote_wait_ = sys::Deadline::at(now);
    }
    const auto rest = options_.mode != Mode::REAP_ZOMBIES ? REST_FACTOR * (sys::cpu_time_now() - start) : 0;
    next_scan_ = std::max(now + scan_interval(), sys::monotonic_now() + rest);
}

// Logs each reported parent that has no zombies any more.
void ZombieMonitor::report_ends(ZombieTable& before) const
{
    for (const auto& parent : before.parents()) {
        if (parent.reported != 0) {
            messages_.info("neglect-ended|{parent_name}[{parent}] neglects no zombie any more",
                           sys::ProcessName(parent.pid).text(), parent.pid);
        }
    }
}

// Reports the parent if it has more zombies that are old enough than were reported. Nudges it if it was not
// nudged yet for one of these zombies.
void ZombieMonitor::look_at_parent(Parent& parent, sys::Nanoseconds now)
{
    const auto seen_by = now - options_.zombie_age;
    std::uint32_t count = 0;
    bool threads_live = false;
    bool is_nudge_due = false;
    auto oldest = now;
    for (auto& zombie : parent.zombies()) {
        if (zombie.first_seen > seen_by) {
            continue;
        }
        ++count;
        threads_live = threads_live || zombie.threads_live;
        is_nudge_due = is_nudge_due || zombie.nudged_at == 0;
        zombie.nudged_at = zombie.nudged_at == 0 ? now : zombie.nudged_at;
        oldest = std::min(oldest, zombie.first_seen);
    }
    if (count > parent.reported) {
        parent.reported = count;
        report(parent, now - oldest, seen_by);
    }
    if (threads_live && options_.zombies == Zombies::REAP) {
        report_blocker_once(parent.pid, {"threads of one live on"});
    }
    if (is_nudge_due && options_.zombies != Zombies::REPORT) {
        nudge(parent);
    }
}

void ZombieMonitor::report(const Parent& parent, sys::Nanoseconds oldest, sys::Nanoseconds seen_by) const
{
    const sys::ProcessName name(parent.pid);
    log::Line age;
    log::add_duration(age, oldest);
    log::Line names;
    add_names(names, parent.zombies(), seen_by);
    messages_.warning("zombies-neglected|{parent_name}[{parent}] neglects {zombies} zombie{}, oldest {oldest}: "
                      "{names}; only {} can reap them",
                      name.text(), parent.pid, parent.reported, parent.reported == 1 ? "" : "s", age.c_string(),
                      names.c_string(), name.text());
}

void ZombieMonitor::nudge(Parent& parent)
{
    if (parent.pid == 0) {
        return; // kill(0) would signal foster's own process group
    }
    // A failure does not prevent a remote wait, so it is reported only without --zombies=reap.
    if (const auto sent = sys::kill(parent.pid, SIGCHLD);
        !sent && sent.error != ESRCH && options_.zombies == Zombies::NUDGE) {
        report_blocker_once(parent.pid, {"SIGCHLD may not be sent to it; give foster CAP_KILL"});
    }
}

// Reports once per parent why its zombies cannot be reaped. A parent that has exited has no zombies any more.
void ZombieMonitor::report_blocker_once(pid_t parent, const Blocker& blocker)
{
    auto* const record = table_->find_parent(parent); // null: its zombies have gone since the remote wait began
    if (record != nullptr && record->blocker_reported) {
        return;
    }
    if (const auto stat = sys::read_stat(parent); parent != 0 && (!stat || stat.value.has_exited())) {
        return;
    }
    if (record != nullptr) {
        record->blocker_reported = true;
    }
    log::Line line;
    add_blocker(line, parent, blocker);
    messages_.warning("zombies-unreapable|cannot reap the zombies of {parent_name}[{parent}]: {reason}",
                      sys::ProcessName(parent).text(), parent, line.c_string());
}

} // namespace foster
