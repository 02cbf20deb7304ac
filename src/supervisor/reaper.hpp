// Reaping: the hint, the sweep, and when a pending sweep is due.
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

// waitpid(-1) walks the kernel's whole list of children, so each exit costs O(N) with N living orphans. waitpid(pid) is
// O(1) since Linux 5.14 (do_wait_pid in the kernel). So foster waits at once for the pid that SIGCHLD names (the hint).
// SIGCHLDs coalesce, so waitpid(-1) is necessary, too (the sweep), but its rate is limited.
class Reaper
{
  public:
    // child: its pid, or 0 if there is none. group_signal: sent to the child's group when the child has exited; 0:
    // none. inherited_children: told of each reaped pid. monitor: gets the stops of threads that it traces.
    // exit_report: told how the child exited.
    Reaper(pid_t child, int group_signal, bool warn_reaped, const log::Messages& messages,
           InheritedChildren& inherited_children, ZombieMonitor& monitor, ExitReport& exit_report)
        : child_(child), group_signal_(group_signal), reads_names_(warn_reaped || exit_report.is_wanted()),
          warns_of_orphans_(warn_reaped), sweep_pending_(inherited_children.had_zombie()), messages_(messages),
          inherited_children_(inherited_children), monitor_(monitor), exit_report_(exit_report)
    {
    }

    // To be called after a SIGCHLD that named this pid. A sweep is pending from then on.
    void notice(pid_t hint)
    {
        hint_ = hint;
        sweep_pending_ = true;
    }
    // Reaps the child if it has exited and only the sweep has not come yet. A signal that arrives after the exit is not
    // for the child.
    void reap_child_if_noticed();
    // Requests a sweep for a reason other than the kernel's SIGCHLD.
    void request_sweep() { sweep_pending_ = true; }
    // Runs the pending sweep if it is due. If it is not due, reaps only what must not wait for the sweep: the pid that
    // SIGCHLD named, and the child.
    void sweep_if_due();
    // The time at which the pending sweep is due.
    sys::Deadline deadline() const { return sweep_pending_ ? sys::Deadline::at(next_sweep_at_) : sys::Deadline(); }
    // Reaps all zombies. If they appear faster than foster reaps them, a sweep stays pending.
    void finish();

    // The number of reaped processes, the child not counted.
    int orphans() const { return orphans_; }
    // Whether the last sweep found any child, living or zombie.
    bool has_children() const { return has_children_; }
    // The child's status as of wait(2), after it has been reaped.
    const std::optional<int>& child_status() const { return child_status_; }

  private:
    static constexpr int MAX_UNMEASURED = 16; // three reads of a clock cost a tenth of a cheap sweep

    int reap_all();
    void measure_sweep(sys::Nanoseconds now);
    bool reap(pid_t pid);
    bool reap_any();
    void signal_group();
    void record(const sys::Reaped& reaped, const char* name);

    pid_t child_; // 0: there is none, or it was reaped
    int group_signal_;
    bool reads_names_; // read the name of each process before it is reaped
    bool warns_of_orphans_;
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
    // The number of further sweeps that are taken to be cheap and not measured, at first because there are no orphans.
    int unmeasured_ = MAX_UNMEASURED;
};

} // namespace foster
