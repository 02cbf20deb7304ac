// ZombieMonitor: when to scan for neglected zombies, what to report, and which parents to nudge or to make wait.
#pragma once

#include "log/log.hpp"
#include "sys/clock.hpp"
#include "sys/processes.hpp"
#include "zombies/blocker.hpp"
#include "zombies/remote_wait.hpp"
#include "zombies/scan.hpp"
#include "zombies/zombie_table.hpp"

#include <array>
#include <span>
#include <sys/types.h>

namespace foster
{

struct Options;

class ZombieMonitor
{
  public:
    // Maps memory only if --zombies or --reap-zombies was given. If /proc is not usable, logs a warning and never
    // scans.
    ZombieMonitor(const Options& options, const log::Messages& messages);

    // --reap-zombies: scans until the zombies are old enough, then reaps them, parent by parent. Returns whether
    // zombies are left, or could not be searched for.
    bool reap_once();

    // The time of the next scan or of the next step of a remote wait.
    sys::Deadline deadline() const { return deadline_; }
    // Does what is due: scans, reports, nudges, begins or checks a remote wait. Returns whether it has scanned.
    bool run_due_work();
    // Whether a remote wait of this process runs. Then a stop of the process may come from that.
    bool is_tracing(pid_t process) const;
    // Takes a status that wait(2) has returned. Returns whether it is the stop of a traced thread.
    bool take(const sys::Reaped& changed);
    // Whether foster must not exit yet: the thread of a parent has other registers than its own, and the parent might
    // crash. Makes all remote waits end at their next stop.
    bool is_needed();

  private:
    struct Memory;

    sys::Nanoseconds scan_interval() const;
    void scan(sys::Nanoseconds now);
    void report_ends(ZombieTable& before) const;
    void look_at_parent(Parent& parent, sys::Nanoseconds now);
    void report(const Parent& parent, sys::Nanoseconds oldest, sys::Nanoseconds seen_by) const;
    void nudge(Parent& parent);
    void report_blocker_once(pid_t parent, const Blocker& blocker);

    // monitor_reap.cpp
    bool is_due(const Zombie& zombie) const;
    bool is_nudge_running(sys::Nanoseconds seen_by) const;
    bool has_untried(Parent& parent) const;
    Parent* next_parent();
    pid_t number_to_wait_for(const Zombie& zombie);
    void run_due_remote_waits(sys::Nanoseconds now);
    void begin_remote_wait(sys::Nanoseconds now);
    void check_remote_wait(sys::Nanoseconds now);
    void give_up_remote_wait();
    void look_after_helpers(sys::Nanoseconds now);
    void handle_blocker(const Blocker& blocker);
    void end_remote_wait();
    void finish_remote_wait();
    bool has_left(sys::Nanoseconds seen_by) const;

    const Options& options_;
    const log::Messages& messages_;
    ScanScope scope_;
    Memory* memory_ = nullptr;           // null: there are no scans
    std::span<RemoteWait> remote_waits_; // in memory_
    ZombieTable* table_ = nullptr;       // of the last scan
    sys::Deadline deadline_;
    sys::Nanoseconds next_scan_ = 0;
    sys::Nanoseconds last_scan_ = 0;
    sys::Deadline next_remote_wait_;    // or the next check of the running one
    sys::Deadline next_care_;           // the next check of the helpers of remote waits that were given up
    std::size_t turn_ = 0;              // index of the first parent in the table that may have an untried zombie
    int passing_blockers_ = 0;          // temporary blockers in a row
    RemoteWait* remote_wait_ = nullptr; // the running one; null: none
    pid_t traced_parent_ = 0;
    sys::Nanoseconds remote_wait_start_ = 0;
};

// Shared with helper processes.
struct ZombieMonitor::Memory {
    std::array<RemoteWait, 4> remote_waits; // those that were given up and still run count, too
    std::array<ZombieTable, 2> tables;      // of the last two scans, alternating
};

} // namespace foster
