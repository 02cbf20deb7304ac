// Neglected zombies under a running foster: when to look, whom to tell, whom to make wait.
#pragma once

#include "sys/clock.hpp"
#include "sys/processes.hpp"
#include "zombies/blocker.hpp"
#include "zombies/remote_wait.hpp"
#include "zombies/scan.hpp"

#include <span>
#include <sys/types.h>

namespace foster
{

struct Options;

class ZombieMonitor
{
  public:
    // Takes memory only where zombies are asked for. A /proc that cannot be used is a warning, and nothing is looked for.
    ZombieMonitor(const Options& options, const log::Messages& messages);

    // --reap-zombies: what a running foster does, until no more can be done. Returns whether zombies are left, or could not be looked for.
    bool reap_once();

    // Nanoseconds of CLOCK_MONOTONIC at which there is something to do; 0: never.
    sys::Nanoseconds deadline() const { return deadline_; }
    // Looks for zombies, tells of them, nudges their parents, begins a visit or looks at one, whichever is due. Returns whether it has
    // looked for zombies.
    bool run_due_work();
    // Whether a process is being visited, so that its stops may be of that.
    bool visits(pid_t process) const;
    // A status that wait(2) gave. Returns whether it is a stop: the one who traces hears of it.
    bool take(const sys::Reaped& changed);
    // Whether a parent cannot do without foster yet: it is in the midst of a visit.
    bool is_needed();
    // --reap-zombies: waits for the end of a visit that is under way, some seconds.
    void finish_visit();

  private:
    struct Memory;

    sys::Nanoseconds interval() const; // of scans
    bool is_due(const Zombie& zombie, sys::Nanoseconds now) const;
    void scan(sys::Nanoseconds now);
    void carry_over(sys::Nanoseconds now);
    void report_ends() const;
    void look_at_parents(sys::Nanoseconds now);
    void log(pid_t parent, sys::Nanoseconds now);
    void nudge(pid_t parent, sys::Nanoseconds now);
    void look_after_visits(sys::Nanoseconds now);
    RemoteWait* free_visit();
    void begin_visit(sys::Nanoseconds now);
    void look_at_visit(sys::Nanoseconds now);
    void give_up_visit();
    void handle_blocker(const Blocker& blocker);
    void end_visit();
    void report_blocker_once(pid_t parent, const Blocker& blocker);

    const Options& options_;
    const log::Messages& messages_;
    Neglecters wanted_;
    Memory* memory_ = nullptr;
    std::span<Zombie> zombies_;  // in one half of the memory
    std::span<Zombie> previous_; // of the scan before, in the other half
    sys::Nanoseconds deadline_ = 0;
    sys::Nanoseconds next_scan_ = 0;
    sys::Nanoseconds last_scan_ = 0;
    sys::Nanoseconds next_visit_ = 0; // or the next look at the one under way; 0: none
    int passing_blockers_ = 0;        // in a row
    sys::Nanoseconds next_care_ = 0;  // of those that were given up; 0: there is none
    RemoteWait* visit_ = nullptr;     // the one under way
    pid_t visited_parent_ = 0;
    sys::Nanoseconds visit_start_ = 0;
};

// Shared with helpers.
struct ZombieMonitor::Memory {
    std::array<RemoteWait, 4> visits;               // all but one may have been given up
    std::array<std::array<Zombie, 4096>, 2> halves; // more are left to the scans to come
};

} // namespace foster
