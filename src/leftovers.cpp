#include "leftovers.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <span>
#include <utility>

namespace foster
{
namespace
{

constexpr sys::Nanoseconds REST = 10'000'000;        // between two rounds of SIGKILL
constexpr sys::Nanoseconds PATIENCE = 1'000'000'000; // with those that got SIGKILL
constexpr sys::Nanoseconds LOOK_INTERVAL = 50'000'000;

// Hands out foster's descendants that have not ended, one after the other.
class Descendants
{
  public:
    explicit Descendants(pid_t self) : ancestor_(self), processes_("/proc") {}

    // Whether there was one more.
    bool next(sys::ProcessStat& found)
    {
        for (int pid = processes_.next(); pid >= 0; pid = processes_.next()) {
            if (is_one(pid, found)) {
                return true;
            }
        }
        return false;
    }

    // The next one's pid, 0: none is left. What foster's own children do is not looked at, which is most of what a look costs; some may
    // have ended.
    pid_t next_pid()
    {
        for (int pid = processes_.next(); pid >= 0; pid = processes_.next()) {
            sys::ProcessStat found;
            if (children_.next_is(pid) || is_one(pid, found)) {
                return pid;
            }
        }
        return 0;
    }

  private:
    bool is_one(pid_t pid, sys::ProcessStat& found)
    {
        found = sys::read_stat(pid).value;
        const bool has_ended = found.pid == 0 || (found.state == 'Z' && found.threads <= 1);
        if (pid == ancestor_ || has_ended || found.is_of_kernel) {
            return false;
        }
        if (found.parent != last_parent_) {
            last_parent_ = found.parent;
            last_is_own_ = sys::is_in_tree_of(ancestor_, last_parent_);
        }
        return last_is_own_;
    }

    pid_t ancestor_;
    sys::NumberedEntries processes_;
    sys::OwnChildren children_;
    pid_t last_parent_ = -1;
    bool last_is_own_ = false;
};

void send(pid_t pid, int signal, int next)
{
    (void)sys::kill(pid, signal);
    (void)sys::kill(pid, next);
}

} // namespace

void Leftovers::signal_all(int signal, int next) const
{
    if (self_ == 1) {
        // All at once: none can escape by a fork.
        send(-1, signal, next);
    } else if (fault_ == nullptr) {
        signal_listed(signal, next);
    }
}

// What one of them runs to clean up is not to get its SIGTERM, so they are listed first.
void Leftovers::signal_listed(int signal, int next) const
{
    std::array<pid_t, 1024> list;
    std::size_t listed = 0;
    Descendants leftovers(self_);
    bool is_more = true;
    while (is_more) {
        const pid_t pid = leftovers.next_pid();
        is_more = pid > 0;
        if (is_more) {
            list[listed++] = pid;
        }
        if (!is_more || listed == list.size()) {
            for (const pid_t each : std::span(list).first(std::exchange(listed, 0))) {
                send(each, signal, next);
            }
        }
    }
}

Leftovers::Count Leftovers::kill_all() const
{
    if (self_ == 1) {
        (void)sys::kill(-1, SIGKILL);
    }
    return fault_ == nullptr ? kill_found() : Count();
}

// With its process group, for one that forks and ends, forks and ends, is gone before its own signal comes. But a group of foster's
// session may hold others than descendants, for any process of it can join it, setpgid(2).
Leftovers::Count Leftovers::kill_found() const
{
    const pid_t own_session = ::getsid(0);
    Count count;
    Descendants leftovers(self_);
    for (sys::ProcessStat leftover; leftovers.next(leftover); ++count.found) {
        const pid_t session = ::getsid(leftover.pid);
        count.reached += sys::kill(leftover.pid, SIGKILL) ? 1 : 0;
        if (leftover.group > 1 && (leftover.group == child_ || (session > 0 && session != own_session))) {
            (void)sys::kill(-leftover.group, SIGKILL);
        }
    }
    return count;
}

void Leftovers::begin(bool is_stopping)
{
    if (options_.grace < 0 && !options_.wait_all) {
        return;
    }
    fault_ = sys::fault_of_procfs();
    if (!is_reachable()) {
        messages_.warning("step-refused|cannot signal what the child has left: {reason}", fault_);
    }
    is_stopping_ = is_stopping;
    if (options_.wait_all) {
        phase_ = Phase::WAITING;
    }
    if (options_.grace >= 0 && (is_stopping || !options_.wait_all)) {
        begin_grace();
    }
}

void Leftovers::begin_grace()
{
    if (is_reachable()) {
        signal_all(SIGTERM, SIGCONT); // one that is stopped could not end
        phase_ = Phase::GRACE;
        next_step_ = sys::monotonic_now() + options_.grace;
    }
}

void Leftovers::begin_killing(sys::Nanoseconds now)
{
    phase_ = Phase::KILLING;
    give_up_ = now + PATIENCE;
    kill_again(now);
}

// Until none is left that can be: the ones that are forked meanwhile get it in another round.
void Leftovers::kill_again(sys::Nanoseconds now)
{
    const auto count = kill_all();
    next_step_ = now + REST;
    if (now >= give_up_ || (count.found != 0 && count.reached == 0)) {
        if (count.found == 0) {
            messages_.warning("step-refused|cannot name what is left: {reason}",
                              fault_ == nullptr ? "not in /proc" : fault_);
        }
        tell_left(false);
        phase_ = Phase::LET_BE;
    }
}

// All, or those alone that foster may not signal.
void Leftovers::tell_left(bool refused_alone) const
{
    Descendants leftovers(self_);
    sys::ProcessStat leftover;
    while (fault_ == nullptr && leftovers.next(leftover)) {
        const auto sent = sys::kill(leftover.pid, 0);
        if (sent.error != ESRCH && !(sent && refused_alone)) {
            messages_.warning("leftover-left|cannot end {name:v}[{pid:d}]: {reason}", leftover.name(), leftover.pid,
                              !sent ? "it may not be signalled; run foster as root or give it CAP_KILL"
                                    : "it has got SIGKILL, and has not ended yet");
        }
    }
}

bool Leftovers::are_awaited(bool has_children)
{
    next_look_ = has_children ? 0 : std::max(next_look_, sys::Nanoseconds{1});
    if (phase_ == Phase::LET_BE || has_children || self_ != 1) {
        return phase_ != Phase::LET_BE && has_children;
    }
    // What was put into the PID namespace from outside, as by `docker exec`, is nobody's child here.
    const auto now = sys::monotonic_now();
    if (now >= next_look_) {
        next_look_ = now + LOOK_INTERVAL;
        sys::ProcessStat leftover;
        return fault_ == nullptr && Descendants(self_).next(leftover);
    }
    return true;
}

void Leftovers::act_if_due()
{
    if (phase_ != Phase::GRACE && phase_ != Phase::KILLING) {
        return;
    }
    const auto now = sys::monotonic_now();
    if (now < next_step_) {
        return;
    }
    phase_ == Phase::GRACE ? begin_killing(now) : kill_again(now);
}

void Leftovers::forward(int signal, bool asks_to_stop)
{
    if (phase_ == Phase::LET_BE) {
        return;
    }
    if (asks_to_stop && phase_ == Phase::GRACE && is_stopping_) {
        begin_killing(sys::monotonic_now());
        return;
    }
    is_stopping_ = is_stopping_ || asks_to_stop;
    if (asks_to_stop && phase_ == Phase::WAITING && options_.grace >= 0) {
        begin_grace();
    } else {
        signal_all(signal, 0);
        if (asks_to_stop && phase_ == Phase::WAITING) {
            tell_left(true);
        }
    }
}

} // namespace foster
