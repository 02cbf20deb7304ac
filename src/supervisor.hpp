// The event loop: one wait, for signals and for the deadline of an owed sweep.
#pragma once

#include "child.hpp"
#include "reaper.hpp"
#include "sys/fd.hpp"

#include <unistd.h>

namespace foster
{

// Forwards and reaps until the child has ended.
class Supervisor
{
  public:
    // signals: a signalfd for all of them.
    Supervisor(sys::Fd signals, const Child& child, bool warn_reaped, const sys::Messages& messages)
        : signals_(static_cast<sys::Fd&&>(signals)), child_(child), reaper_(child.pid(), warn_reaped, messages),
          messages_(messages)
    {
    }

    // Lets go of whatever the workload may want released: the working directory, every descriptor but standard error, and
    // the copy of its command line in foster's own /proc/self/cmdline, so that `pgrep -f` finds the workload once.
    void release_inherited(char** command);
    // Returns foster's exit code when the child has ended. Nothing else ends it, and no failure does.
    int run();

  private:
    void release_descriptors();
    void wait_for_signals();
    void handle(const signalfd_siginfo& received);
    void survive_read_failure(int error);

    sys::Fd signals_;
    const Child& child_;
    Reaper reaper_;
    const sys::Messages& messages_;
    const pid_t self_ = ::getpid();
    bool reading_failed_ = false;
};

} // namespace foster
