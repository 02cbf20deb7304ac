// The event loop: one wait, for signals and for deadlines.
#pragma once

#include "child/child.hpp"
#include "signals/signal_source.hpp"
#include "supervisor/delayed_signals.hpp"
#include "supervisor/exit_report.hpp"
#include "supervisor/held_signals.hpp"
#include "supervisor/job_control.hpp"
#include "supervisor/leftovers.hpp"
#include "supervisor/pid_limit.hpp"
#include "supervisor/reaper.hpp"
#include "sys/clock.hpp"

#include <sys/types.h>
#include <unistd.h>

namespace foster
{

// Forwards signals and reaps zombies until the child has exited, and the leftovers, if the options ask for that.
class Supervisor
{
  public:
    Supervisor(const Options& options, const log::Messages& messages, SignalSource& signals, Terminal terminal,
               const Child& child, InheritedChildren& inherited_children, ExitReport& exit_report)
        : options_(options), messages_(messages), signals_(signals), child_(child),
          job_control_(static_cast<Terminal&&>(terminal), child, signals), inherited_children_(inherited_children),
          exit_report_(exit_report), delayed_signals_(options, messages),
          leftovers_(options, messages, inherited_children, child.pid()), pid_limit_(options, messages),
          monitor_(options, messages), reaper_(child.pid(), group_signal_of(options), options.warn_reaped, messages,
                                               inherited_children, monitor_, exit_report)
    {
        inherited_children.note_child(child.pid());
    }

    // Releases what the workload may need released: the working directory, and every descriptor except standard output
    // and error. Blanks the child's command line in foster's own /proc/self/cmdline, so that `pgrep -f` finds the
    // workload once.
    void release_inherited();
    // Returns the exit code after the child has exited (--pause: after a stop request) and no leftovers are awaited.
    // Nothing else makes it return, no failure either.
    int run();

  private:
    static int group_signal_of(const Options& options);
    void release_descriptors();
    void wait_and_handle();
    void run_due_work();
    // Returns the number of leftovers that were reaped.
    int wait_for_leftovers();
    void await_remote_waits();
    void kill_child_if_due();
    void free_memory_if_due();
    sys::Deadline deadline() const;
    bool has_exited() const { return reaper_.child_status() || pause_ended_; }
    void handle(const sys::ReceivedSignal& received);
    void deliver(const sys::ReceivedSignal& received);
    void forward(const sys::ReceivedSignal& received, int signal);
    void send_held();
    void handle_wait_error(int error, bool is_time_over);

    const Options& options_;
    const log::Messages& messages_;
    SignalSource& signals_;
    const Child& child_;
    JobControl job_control_;
    InheritedChildren& inherited_children_;
    ExitReport& exit_report_;
    DelayedSignals delayed_signals_;
    HeldSignals held_signals_;
    Leftovers leftovers_;
    PidLimit pid_limit_;
    ZombieMonitor monitor_;
    Reaper reaper_;
    const pid_t self_ = ::getpid();
    int seen_orphans_ = 0;         // reaper_.orphans() at the last check of pid_limit_
    int stop_requests_ = 0;        // by any signal that counts as a stop request
    sys::Deadline kill_child_at_;  // --stop-timeout
    sys::Deadline free_memory_at_; // of the set-up
    bool pause_ended_ = false;
    bool waiting_failed_ = false;
    int failed_waits_ = 0; // consecutive, each soon after the one before
    sys::Nanoseconds last_failed_wait_ = 0;
};

} // namespace foster
