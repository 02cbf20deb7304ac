// Leftovers: descendants that are still alive when the child has ended, --grace and --wait-all.
#pragma once

#include "options/options.hpp"
#include "supervisor/descendants.hpp"
#include "sys/clock.hpp"

#include <algorithm>
#include <span>
#include <sys/types.h>
#include <unistd.h>

namespace foster
{

class Reaper;

// As PID 1 they are all that its PID namespace holds, which kill(2) reaches at once. Elsewhere, and where others were there before the
// child, they are foster's descendants, which /proc tells.
class Leftovers
{
  public:
    Leftovers(const Options& options, const log::Messages& messages, const InheritedChildren& earlier, pid_t child)
        : options_(options), messages_(messages), inherited_children_(earlier), child_(child)
    {
    }

    // The child has ended. Whether foster has been asked to stop before: then --wait-all does not put off a --grace.
    void begin(bool is_stopping, Reaper& reaper);
    // Whether foster is to go on.
    bool are_awaited() const { return phase_ != Phase::LET_BE; }
    // When there is something to do or to look at.
    sys::Deadline deadline() const
    {
        return !are_awaited()             ? sys::Deadline()
               : phase_ == Phase::WAITING ? sys::Deadline::at(next_look_)
                                          : sys::Deadline::at(std::min(kill_at_, next_look_));
    }
    // Sends SIGKILL when --grace is over, and looks whether any are left.
    void run_due_work(Reaper& reaper);
    // Hands a signal to all of them. The first request to stop begins a --grace that has been put off, the second one ends it.
    void forward(int signal, bool asks_to_stop);

  private:
    enum class Phase { LET_BE, WAITING, GRACE, KILLING };

    void begin_grace();
    void begin_killing(sys::Nanoseconds now);
    void kill_again(sys::Nanoseconds now);
    struct Count {
        int found = 0; // those that have ended left out
        int reached = 0;
    };
    // Two signals; 0 is none.
    void signal_all(int signal, int next);
    void send_to(std::span<Process> list, int signal, int next) const;
    pid_t group_of(pid_t member) const;
    Count kill_all();
    bool search_all();
    void report_left(bool refused_alone) const;
    void look_if_due(Reaper& reaper);
    void look_soon(sys::Nanoseconds now);
    bool are_all_others() const { return self_ == 1 && !inherited_children_.were_there(); }

    const Options& options_;
    const log::Messages& messages_;
    const InheritedChildren& inherited_children_;
    const pid_t child_; // which has led a process group
    const pid_t self_ = ::getpid();
    const char* problem_ = nullptr; // why /proc is of no use
    pid_t after_ = child_; // without it: leftovers have been forked after this process; 0: numbers are used again
    Phase phase_ = Phase::LET_BE;
    bool is_stopping_ = false;
    Process* list_ = nullptr;      // memory for it, once it was taken
    sys::Nanoseconds kill_at_ = 0; // the end of --grace, then the next round of SIGKILL
    sys::Nanoseconds give_up_ = 0;
    sys::Nanoseconds next_look_ = 0;
    sys::Nanoseconds look_interval_ = 50'000'000;
    sys::Nanoseconds rest_until_ = 0; // from a look through /proc
    int seen_reaped_ = 0;             // since the last one, by the reaper
    Process awaited_{0, 1};           // one that was found by it; none
};

} // namespace foster
