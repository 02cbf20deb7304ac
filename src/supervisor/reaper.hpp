// Reaping: the hint, the sweep, and when a sweep is owed.
#pragma once

#include "log/log.hpp"
#include "supervisor/descendants.hpp"
#include "supervisor/exit_report.hpp"
#include "sys/clock.hpp"
#include "sys/processes.hpp"
#include "zombies/monitor.hpp"

#include <optional>
#include <sys/types.h>

namespace foster
{

// The kernel walks the whole list of children in a wait for any of them, so N living orphans make every death cost O(N).
// A wait for one pid is O(1) since Linux 5.14 (do_wait_pid in the kernel). So the pid that SIGCHLD names is waited for at
// once, and the wait for any, which coalesced SIGCHLDs make necessary, is rationed.
class Reaper
{
  public:
    // child: 0 where there is none. earlier: is told of each that was reaped. neglect: hears of the stops of those that it traces.
    // last_word: hears how the child has ended.
    Reaper(pid_t child, bool warn_reaped, const log::Messages& messages, InheritedChildren& earlier,
           ZombieMonitor& neglect, ExitReport& exit_report)
        : child_(child), names_(warn_reaped || exit_report.is_wanted()), warns_(warn_reaped),
          sweep_pending_(earlier.had_zombie()), messages_(messages), inherited_children_(earlier), monitor_(neglect),
          exit_report_(exit_report)
    {
    }

    // A SIGCHLD came and named this pid. A sweep is owed from then on.
    void notice(pid_t hint)
    {
        hint_ = hint;
        sweep_pending_ = true;
    }
    // The child may have exited although no sweep has found it yet: a signal that comes after that is not for it.
    void reap_child_if_noticed()
    {
        if (sweep_pending_ && child_ > 0 && !child_status_) {
            reap(child_);
        }
    }
    // A sweep is owed for another reason than a SIGCHLD of the kernel's.
    void request_sweep() { sweep_pending_ = true; }
    // The sweep that is owed, if its time has come; else a look at those alone that must not wait for it: the one that SIGCHLD has
    // named, and the child.
    void sweep_if_due();
    // When the pending sweep is due.
    sys::Deadline deadline() const { return sweep_pending_ ? sys::Deadline::at(next_sweep_at_) : sys::Deadline(); }
    // Reaps all zombies that there are, unless they come faster than that; then a sweep is owed.
    void finish();

    // How many others than the child have been reaped.
    int orphans() const { return orphans_; }
    // Whether the last sweep has found children, be they zombies.
    bool has_children() const { return has_children_; }
    // wait(2)'s status of the child, once it has been reaped.
    const std::optional<int>& child_status() const { return child_status_; }

  private:
    int reap_all();
    void measure_sweep(sys::Nanoseconds start);
    bool reap(pid_t pid);
    bool reap_any();
    void record(const sys::Reaped& reaped, const char* name);

    pid_t child_;
    bool names_; // every name is wanted, and read while the zombie still holds it
    bool warns_;
    bool sweep_pending_;
    const log::Messages& messages_;
    InheritedChildren& inherited_children_;
    ZombieMonitor& monitor_;
    ExitReport& exit_report_;
    int orphans_ = 0;
    bool has_children_ = true;
    std::optional<int> child_status_;
    pid_t hint_ = 0;
    sys::Nanoseconds next_sweep_at_ = 1; // the earliest time of the next sweep
    int unmeasured_ = 0;                 // so many sweeps more are taken to be cheap
};

} // namespace foster
