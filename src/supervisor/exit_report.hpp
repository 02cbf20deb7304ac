// The last word: one line on how it ended, in the messages with -v and in the file of --termination-log.
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
    // Before the spawn: what is counted is counted from here on. Empties the file, which is kept open; a refusal is a warning.
    ExitReport(const Options& options, const log::Messages& messages);

    // Whether there will be one.
    bool is_wanted() const { return start_ != 0; }
    // A signal was forwarded to the child in place of a received one.
    void note_forwarded(int signal, const sys::ReceivedSignal& received)
    {
        last_ = {signal, received.code, received.sender, received.user};
    }
    // The child has ended, with this name and wait(2)'s status.
    void note_exit(const char* name, int status);
    // Moves the file, if there is one, to this descriptor number, and leaves the number behind it.
    sys::Status move_to(int& number) { return sys::move_onto(file_, number); }
    // Never over what the workload has written into the file itself.
    void say(pid_t child, int orphans, int leftovers) const;

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
    sys::Nanoseconds start_ = 0; // 0: there will be none
    std::int64_t oom_kills_ = -1;
    Forwarded last_;
    std::array<char, 64> name_{};
    int status_ = 0;
    sys::Nanoseconds ran_ = 0;
};

} // namespace foster
