#include "supervisor/reaper.hpp"

#include "child/child.hpp"
#include "signals/signal_name.hpp"
#include "sys/procfs.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/wait.h>
#include <utility>

namespace foster
{
namespace
{

// What a sweep wastes is its last wait, which walks the whole list and finds nothing. The next sweep comes 50 times as long
// after it as a wait took, so that not more than 2 % of the time is wasted; and a zombie that a coalesced SIGCHLD did not name
// waits no longer than 50 ms.
constexpr sys::Nanoseconds REST_FACTOR = 50;
constexpr sys::Nanoseconds LONGEST_REST = 50'000'000;
// Beside many living orphans, processes that die as fast as they are reaped would make a sweep endless.
constexpr int MOST_WAITS = 256;
constexpr sys::Nanoseconds CHEAP = 10'000; // less than the timer and the wakeup that putting it off would cost
constexpr int MOST_UNMEASURED = 16;        // two looks at the clock are a tenth of what a cheap sweep costs

} // namespace

void adopt_orphans(const sys::Messages& messages)
{
    if (::getpid() == 1) {
        return;
    }
    if (const auto subreaper = sys::become_subreaper(); !subreaper) {
        messages.warning("step-refused|cannot become a child subreaper: {reason:e}; orphans will go to another init",
                         sys::Error{subreaper.error});
    }
}

void Reaper::sweep_if_due()
{
    if (!owed_) {
        return;
    }
    // One walk over the list less: the sweep has to find out that there is nothing, but not where this one is.
    if (const pid_t hint = std::exchange(hint_, 0); hint > 0) {
        reap(hint);
    }
    if (unmeasured_ > 0) {
        --unmeasured_;
        reap_all();
        return;
    }
    const auto now = sys::monotonic_now();
    if (now >= due_) {
        measure_sweep(now);
        return;
    }
    if (child_ > 0 && !child_status_) {
        reap(child_);
    }
}

// Returns how many waits it took.
int Reaper::reap_all()
{
    int waits = 1;
    while (reap_any() && waits < MOST_WAITS) {
        ++waits;
    }
    // What could not be finished goes on after a look at the signals.
    owed_ = waits == MOST_WAITS;
    return waits;
}

void Reaper::measure_sweep(sys::Nanoseconds start)
{
    const int waits = reap_all();
    const auto end = sys::monotonic_now();
    const auto wasted = (end - start) / waits;
    const bool is_cheap = wasted < CHEAP;
    unmeasured_ = is_cheap ? MOST_UNMEASURED : 0;
    due_ = owed_ || is_cheap ? end : end + std::min(REST_FACTOR * wasted, LONGEST_REST);
}

void Reaper::finish()
{
    constexpr int MOST_SWEEPS = 8;
    owed_ = true;
    for (int sweeps = 0; owed_ && sweeps < MOST_SWEEPS; ++sweeps) {
        reap_all();
    }
}

// Each returns whether a zombie was reaped.
bool Reaper::reap_any()
{
    if (names_) {
        const auto zombie = sys::find_zombie();
        if (zombie) {
            has_children_ = true;
            return zombie.value > 0 && reap(zombie.value);
        }
        // A sandbox may refuse the look, or there are no children: reaped without a name is better than not at all.
    }
    const auto ended = sys::reap(-1);
    has_children_ = ended.error != ECHILD;
    if (!ended || ended.value.pid == 0) {
        return false;
    }
    record(ended.value, "?");
    return true;
}

bool Reaper::reap(pid_t pid)
{
    if (!names_) {
        const auto ended = sys::reap(pid);
        if (!ended || ended.value.pid == 0) {
            return false;
        }
        record(ended.value, nullptr);
        return true;
    }
    const sys::ProcessName name(pid);
    const auto ended = sys::reap(pid);
    if (!ended || ended.value.pid == 0) {
        return false;
    }
    record(ended.value, name.text());
    return true;
}

void Reaper::record(const sys::Ended& ended, const char* name)
{
    if (neglect_.take(ended)) {
        return;
    }
    earlier_.forget(ended.pid);
    const bool is_child = ended.pid == child_;
    if (is_child) {
        child_status_ = ended.status;
    }
    orphans_ += is_child ? 0 : 1;
    if (!names_) {
        return;
    }
    if (is_child) {
        last_word_.note_end(name, ended.status);
    }
    const auto level = warns_ && !is_child ? sys::Level::WARNING : sys::Level::INFO;
    const char* const role = is_child ? "child" : "orphan";
    const char* const reaped = is_child ? "" : "reaped ";
    if (WIFEXITED(ended.status)) {
        messages_.tell(level, "process-reaped|{}{role} {name}[{pid:d}] exited with {exit_code:d}", reaped, role, name,
                       ended.pid, WEXITSTATUS(ended.status));
    } else {
        const bool dumped = WCOREDUMP(ended.status);
        messages_.tell(level, "process-reaped|{}{role} {name}[{pid:d}] killed by {signal}{}{!core_dumped:b}", reaped,
                       role, name, ended.pid, SignalName(WTERMSIG(ended.status)).text(), dumped ? ", core dumped" : "",
                       dumped);
    }
}

} // namespace foster
