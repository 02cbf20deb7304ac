// Leftovers: descendants that are still alive when the child has exited, --grace and --wait-all.
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

// If foster is PID 1, the leftovers are all processes of its PID namespace, and kill(-1) reaches them. If foster is not
// PID 1, or inherited processes exist, the leftovers are foster's descendants, found in /proc.
class Leftovers
{
  public:
    Leftovers(const Options& options, const log::Messages& messages, const InheritedChildren& inherited_children,
              pid_t child)
        : options_(options), messages_(messages), inherited_children_(inherited_children), child_(child)
    {
    }

    // To be called after the child has exited. is_stopping: foster was asked to stop before; then --wait-all does not
    // delay --grace.
    void begin(bool is_stopping, Reaper& reaper);
    // Whether foster is to wait for leftovers.
    bool are_awaited() const { return phase_ != Phase::NOT_AWAITED; }
    // The time of the next signal or search.
    sys::Deadline deadline() const
    {
        return !are_awaited()             ? sys::Deadline()
               : phase_ == Phase::WAITING ? sys::Deadline::at(next_search_)
                                          : sys::Deadline::at(std::min(kill_at_, next_search_));
    }
    // Sends SIGKILL after --grace is over, and checks whether any leftovers remain.
    void run_due_work(Reaper& reaper);
    // Forwards a signal to all leftovers. If --wait-all has delayed --grace, the first stop request starts --grace. A
    // further one sends SIGKILL at once.
    void forward(int signal, bool asks_to_stop);

  private:
    enum class Phase { NOT_AWAITED, WAITING, GRACE, KILLING };

    void begin_grace();
    void begin_killing(sys::Nanoseconds now);
    void kill_again(sys::Nanoseconds now);
    struct Count {
        int found = 0; // without those that have exited
        int reached = 0;
    };
    // Sends two signals; 0: none.
    void signal_all(int signal, int next);
    void send_to(std::span<Process> list, int signal, int next) const;
    pid_t group_of(pid_t member) const;
    Count kill_all();
    bool widen_search();
    void report_remaining(bool refused_only) const;
    void search_if_due(Reaper& reaper);
    void search_soon(sys::Nanoseconds now);
    bool are_whole_namespace() const { return self_ == 1 && !inherited_children_.are_relevant(); }

    const Options& options_;
    const log::Messages& messages_;
    const InheritedChildren& inherited_children_;
    const pid_t child_; // its pid, which is also the number of its process group
    const pid_t self_ = ::getpid();
    const char* problem_ = nullptr; // why /proc is not usable; null: it is usable
    // without /proc: leftovers have pids after this one; 0: search all pids, after a wraparound
    pid_t after_ = child_;
    Phase phase_ = Phase::NOT_AWAITED;
    bool is_stopping_ = false;
    Process* list_ = nullptr;      // mapped at the first use
    sys::Nanoseconds kill_at_ = 0; // the end of --grace, then the time of the next round of SIGKILL
    sys::Nanoseconds give_up_at_ = 0;
    sys::Nanoseconds next_search_ = 0;
    sys::Nanoseconds search_interval_ = 50'000'000;
    sys::Nanoseconds no_search_before_ = 0; // no search before this time, see INTERVAL_FACTOR
    int reaped_at_search_ = 0;              // reaper.orphans() at the last search
    Process known_leftover_{0, 1};          // a leftover found by the last search; at first none
};

} // namespace foster
