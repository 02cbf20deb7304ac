// Reaping: the hint, the sweep, and when a sweep is owed.
#pragma once

#include "log/log.hpp"
#include "supervisor/descendants.hpp"
#include "supervisor/exit_report.hpp"
#include "sys/processes.hpp"
#include "zombies/monitor.hpp"

#include <optional>

namespace foster
{

// Makes this process the one that orphans are re-parented to: a child subreaper, unless it is PID 1 and has them anyway.
// PR_SET_CHILD_SUBREAPER(2const). A refusal is a warning.
void adopt_orphans(const sys::Messages& messages);

// The kernel walks the whole list of children in a wait for any of them, so N living orphans make every death cost O(N).
// A wait for one pid is O(1) since Linux 5.14 (do_wait_pid in the kernel). So the pid that SIGCHLD names is waited for at
// once, and the wait for any, which coalesced SIGCHLDs make necessary, is rationed.
class Reaper
{
  public:
    // child: 0 where there is none. earlier: is told of each that was reaped. neglect: hears of the stops of those that it traces.
    // last_word: hears how the child has ended.
    Reaper(pid_t child, bool warn_reaped, const sys::Messages& messages, Earlier& earlier, Neglect& neglect,
           LastWord& last_word)
        : child_(child), names_(warn_reaped || last_word.is_wanted()), warns_(warn_reaped), owed_(earlier.had_zombie()),
          messages_(messages), earlier_(earlier), neglect_(neglect), last_word_(last_word)
    {
    }

    // A SIGCHLD came and named this pid. A sweep is owed from then on.
    void notice(pid_t hint)
    {
        hint_ = hint;
        owed_ = true;
    }
    // A sweep is owed for another reason than a SIGCHLD of the kernel's.
    void owe_sweep() { owed_ = true; }
    // The sweep that is owed, if its time has come; else a look at those alone that must not wait for it: the one that SIGCHLD has
    // named, and the child.
    void sweep_if_due();
    // Nanoseconds of CLOCK_MONOTONIC at which the owed sweep is due; 0: none is owed.
    sys::Nanoseconds deadline() const { return owed_ ? due_ : 0; }
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
    void record(const sys::Ended& ended, const char* name);

    pid_t child_;
    bool names_; // every name is wanted, and read while the zombie still holds it
    bool warns_;
    bool owed_;
    const sys::Messages& messages_;
    Earlier& earlier_;
    Neglect& neglect_;
    LastWord& last_word_;
    int orphans_ = 0;
    bool has_children_ = true;
    std::optional<int> child_status_;
    pid_t hint_ = 0;
    sys::Nanoseconds due_ = 1; // the earliest time of the next sweep
    int unmeasured_ = 0;       // so many sweeps more are taken to be cheap
};

} // namespace foster
