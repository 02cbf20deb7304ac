// The exit report: one line on how the child exited, logged with -v and written to the file of --termination-log.
#pragma once

#include "options/options.hpp"
#include "sys/clock.hpp"
#include "sys/fd.hpp"
#include "sys/files.hpp"
#include "sys/helper.hpp"

#include <array>
#include <sys/types.h>

namespace foster
{

class ExitReport
{
  public:
    // To be constructed before the spawn: run time and OOM kills are counted from here. Truncates the file and keeps it
    // open. If that fails, it logs a warning.
    ExitReport(const Options& options, const log::Messages& messages);

    // Whether a report will be written.
    bool is_wanted() const { return start_ != 0; }
    // Records a signal that was forwarded to the child in place of a received one.
    void note_forwarded(int signal, const sys::ReceivedSignal& received)
    {
        last_ = {signal, received.code, received.sender, received.user};
    }
    // Records the exit of the child. status: as of wait(2).
    void note_exit(const char* name, int status);
    // Moves the file, if one is open, to the descriptor `number`, and then increments `number`.
    sys::Status move_to(int& number) { return sys::move_onto(file_, number); }
    // Writes the report. If the workload has written to the file itself, the file keeps that text.
    void write(pid_t child, int orphans, int leftovers) const;

  private:
    struct Forwarded {
        int signal = 0; // 0: none
        int code = 0;   // sigaction(2)'s si_code
        pid_t sender = 0;
        uid_t user = 0;
    };
    sys::Result<sys::Fd> open(const char* path);

    const log::Messages& messages_;
    sys::Helper opener_;
    sys::Fd file_;
    sys::Nanoseconds start_ = 0; // monotonic; 0: no report is wanted
    std::int64_t oom_kills_ = -1;
    Forwarded last_;
    std::array<char, 64> name_{};
    int status_ = 0;
    sys::Nanoseconds run_time_ = 0;
};

} // namespace foster
