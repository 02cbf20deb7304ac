#include "supervisor/reaper.hpp"

#include "child/child.hpp"
#include "signals/signal_name.hpp"
#include "sys/clock.hpp"
#include "sys/processes.hpp"
#include "sys/procfs.hpp"
#include "sys/signals.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/wait.h>
#include <utility>

namespace foster
{
namespace
{

// The wasted part of a sweep is its last wait, which walks the whole list and finds nothing. The next sweep comes 50
// times the CPU time of a wait later, so at most 2 % of the time is wasted, and at the earliest 50 ms later. So long a
// zombie waits that no SIGCHLD named, because SIGCHLDs coalesced.
constexpr sys::Nanoseconds INTERVAL_FACTOR = 50;
constexpr sys::Nanoseconds MIN_INTERVAL = 50'000'000;
// If processes exit as fast as foster reaps them, and many living orphans make each wait long, a sweep would never end.
constexpr int MAX_WAITS = 256;
constexpr sys::Nanoseconds CHEAP = 10'000; // less than the timer and the wakeup cost that a delayed sweep needs

} // namespace

void Reaper::sweep_if_due()
{
    if (!sweep_pending_) {
        return;
    }
    // Saves one walk over the list: the sweep still has to walk it once to find no zombie, but no longer to find this
    // one.
    if (const pid_t hint = std::exchange(hint_, 0); hint > 0) {
        reap(hint);
    }
    if (unmeasured_ > 0) {
        --unmeasured_;
        reap_all();
        return;
    }
    const auto now = sys::monotonic_now();
    if (now >= next_sweep_at_) {
        measure_sweep(now);
        return;
    }
    reap_child_if_noticed();
}

void Reaper::reap_child_if_noticed()
{
    if (sweep_pending_ && child_ > 0) {
        reap(child_);
    }
}

// Returns the number of waits.
int Reaper::reap_all()
{
    int waits = 1;
    while (reap_any() && waits < MAX_WAITS) {
        ++waits;
    }
    // An unfinished sweep continues after the next check for signals.
    sweep_pending_ = waits == MAX_WAITS;
    return waits;
}

void Reaper::measure_sweep(sys::Nanoseconds now)
{
    const auto start = sys::cpu_time_now(); // CPU time: a wait for a CPU must not delay the next sweep
    const int waits = reap_all();
    const auto used = sys::cpu_time_now() - start;
    const bool is_cheap = used < CHEAP * waits;
    unmeasured_ = is_cheap ? MAX_UNMEASURED : 0;
    next_sweep_at_ = now;
    if (!sweep_pending_ && !is_cheap) {
        next_sweep_at_ += used + std::max(INTERVAL_FACTOR * used / waits, MIN_INTERVAL);
    }
}

void Reaper::finish()
{
    constexpr int MAX_SWEEPS = 8;
    if (!sweep_pending_ && !has_children_) {
        return; // the last sweep has found none, and no SIGCHLD has come since
    }
    sweep_pending_ = true;
    for (int sweeps = 0; sweep_pending_ && sweeps < MAX_SWEEPS; ++sweeps) {
        reap_all();
    }
}

// Both functions return whether they reaped a zombie.
bool Reaper::reap_any()
{
    if (reads_names_ || group_signal_ != 0) {
        const auto zombie = sys::find_zombie();
        if (zombie) {
            has_children_ = true;
            return zombie.value > 0 && reap(zombie.value);
        }
        // Either there are no children, or a sandbox refuses waitid(2): then a zombie is reaped without its name.
    }
    const auto reaped = sys::reap(-1);
    has_children_ = reaped.error != ECHILD;
    if (!reaped || reaped.value.pid == 0) {
        return false;
    }
    record(reaped.value, "?");
    return true;
}

bool Reaper::reap(pid_t pid)
{
    // The group may have no other member. So it is signalled while the child, a zombie, still keeps its number from
    // being reused.
    if (group_signal_ != 0 && pid == child_ && sys::has_exited(pid).value) {
        signal_group();
    }
    if (!reads_names_) {
        const auto reaped = sys::reap(pid);
        if (!reaped || reaped.value.pid == 0) {
            return false;
        }
        record(reaped.value, nullptr);
        return true;
    }
    const sys::ProcessName name(pid);
    const auto reaped = sys::reap(pid);
    if (!reaped || reaped.value.pid == 0) {
        return false;
    }
    record(reaped.value, name.text());
    return true;
}

void Reaper::signal_group()
{
    (void)sys::kill(-child_, std::exchange(group_signal_, 0));
}

void Reaper::record(const sys::Reaped& reaped, const char* name)
{
    if (monitor_.take(reaped)) {
        return;
    }
    inherited_children_.forget(reaped.pid);
    const bool is_child = reaped.pid == child_;
    if (is_child) {
        if (group_signal_ != 0) {
            signal_group(); // where waitid(2) is refused
        }
        child_status_ = reaped.status;
        child_ = 0; // an orphan may get this pid
    } else {
        ++orphans_;
    }
    if (!reads_names_) {
        return;
    }
    if (is_child) {
        exit_report_.note_exit(name, reaped.status);
    }
    const auto level = warns_of_orphans_ && !is_child ? log::Level::WARNING : log::Level::INFO;
    const char* const role = is_child ? "child" : "orphan";
    const char* const what = is_child ? "" : "reaped ";
    if (WIFEXITED(reaped.status)) {
        messages_.log(level, "process-reaped|{}{role} {name}[{pid}] exited with {exit_code}", what, role, name,
                      reaped.pid, WEXITSTATUS(reaped.status));
    } else {
        const bool dumped = WCOREDUMP(reaped.status);
        messages_.log(level, "process-reaped|{}{role} {name}[{pid}] killed by {signal}{}{!core_dumped}", what, role,
                      name, reaped.pid, SignalName(WTERMSIG(reaped.status)).text(), dumped ? ", core dumped" : "",
                      dumped);
    }
}

} // namespace foster
