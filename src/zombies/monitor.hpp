// Neglected zombies under a running foster: when to scan, what to report, which parents to nudge and to make wait.
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
    // Maps memory only where zombies are asked for. A /proc that cannot be used is a warning, and nothing is scanned.
    ZombieMonitor(const Options& options, const log::Messages& messages);

    // --reap-zombies: scans, waits until what it has found is old enough, and reaps it, parent by parent. Returns
    // whether zombies are left, or could not be looked for.
    bool reap_once();

    // When there is something to do.
    sys::Deadline deadline() const { return deadline_; }
    // Does what is due: scans, reports, nudges, begins a remote wait or looks at one. Returns whether it has scanned.
    bool run_due_work();
    // Whether this process is being made to wait, so that it may have been stopped for that.
    bool is_tracing(pid_t process) const;
    // Takes a status that wait(2) gave. Returns whether it is a stop: only a tracer gets those.
    bool take(const sys::Reaped& changed);
    // Whether a parent would crash if foster ended now, for it is in the middle of a remote wait.
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
    Memory* memory_ = nullptr;           // null: nothing is scanned
    std::span<RemoteWait> remote_waits_; // in the memory
    ZombieTable* table_ = nullptr;       // of the last scan
    sys::Deadline deadline_;
    sys::Nanoseconds next_scan_ = 0;
    sys::Nanoseconds last_scan_ = 0;
    sys::Deadline next_remote_wait_;    // or the next check of the one under way
    sys::Deadline next_care_;           // of the helpers of those that were given up
    std::size_t turn_ = 0;              // the first of the table's parents that may have a zombie to try
    int passing_blockers_ = 0;          // in a row
    RemoteWait* remote_wait_ = nullptr; // the one under way
    pid_t traced_parent_ = 0;
    sys::Nanoseconds remote_wait_start_ = 0;
};

// Shared with helpers.
struct ZombieMonitor::Memory {
    std::array<RemoteWait, 4> remote_waits; // all but one may have been given up
    std::array<ZombieTable, 2> tables;      // of the last scan and of the one before, by turns
};

} // namespace foster
