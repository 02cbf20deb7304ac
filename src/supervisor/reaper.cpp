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

// The wasted part of a sweep is its last wait, which walks the whole list and finds nothing. The next sweep comes at
// the earliest 50 times the length of a wait later, so at most 2 % of the time is wasted. A zombie that no SIGCHLD
// named, because SIGCHLDs coalesced, waits at most 50 ms.
constexpr sys::Nanoseconds INTERVAL_FACTOR = 50;
constexpr sys::Nanoseconds MAX_INTERVAL = 50'000'000;
// If processes exit as fast as foster reaps them, and many living orphans make each wait long, a sweep would never end.
constexpr int MAX_WAITS = 256;
constexpr sys::Nanoseconds CHEAP = 10'000; // less than the timer and the wakeup cost that a delayed sweep needs
constexpr int MAX_UNMEASURED = 16;         // two reads of the clock cost a tenth of a cheap sweep

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

void Reaper::measure_sweep(sys::Nanoseconds start)
{
    const int waits = reap_all();
    const auto end = sys::monotonic_now();
    const auto wasted = (end - start) / waits;
    const bool is_cheap = wasted < CHEAP;
    unmeasured_ = is_cheap ? MAX_UNMEASURED : 0;
    next_sweep_at_ = sweep_pending_ || is_cheap ? end : end + std::min(INTERVAL_FACTOR * wasted, MAX_INTERVAL);
}

void Reaper::finish()
{
    constexpr int MAX_SWEEPS = 8;
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
