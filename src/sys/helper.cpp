#include "sys/helper.hpp"

#include "sys/clock.hpp"
#include "sys/files.hpp"
#include "sys/processes.hpp"
#include "sys/procfs.hpp"
#include "sys/raw_call.hpp"
#include "sys/signals.hpp"

#include <algorithm>
#include <csignal>
#include <sys/prctl.h>
#include <sys/wait.h>

namespace foster::sys
{

std::array<pid_t, 8> Helper::pids_; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
int Helper::count_;                 // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

bool Helper::is_helper(pid_t pid)
{
    return std::ranges::find(pids_, pid) != pids_.end();
}

// Returns the pid, or -errno; 0 in the helper, where fd is the descriptor's new number. The helper does not write to
// the object, which may be in memory that it shares with foster. Uses clone(2) without flags and without an exit
// signal. The C library's fork would set SIGCHLD as the exit signal.
long Helper::fork(int& fd)
{
    if (is_busy()) {
        return -EBUSY;
    }
    auto* const place = std::ranges::find(pids_, 0);
    if (place == pids_.end()) {
        return -EAGAIN; // too many helpers
    }
    const pid_t foster = ::getpid();
    const long pid = raw_call(SYS_clone, 0, 0, 0, 0, 0);
    if (pid == 0) {
        (void)set_parent_death_signal(SIGKILL);
        if (::getppid() != foster) {
            ::_exit(0); // foster has died before the call above
        }
        fd = keep_only(fd);
    } else if (pid > 0) {
        pid_ = *place = static_cast<pid_t>(pid);
        ++count_;
    }
    return pid;
}

// Closes all other descriptors: whoever reads foster's output until its end must not wait for a stuck helper. Returns
// the descriptor's new number.
int Helper::keep_only(int fd)
{
    constexpr int MAX_CLOSED = 64; // where close_range is refused
    const bool has_one = fd >= 0;
    if (has_one && !dup_onto(fd, 0)) {
        return fd; // a sandbox refuses dup3: then close nothing
    }
    if (raw_call(SYS_close_range, has_one ? 1 : 0, ~0U, 0) < 0) {
        for (int other = has_one ? 1 : 0; other < MAX_CLOSED; ++other) {
            close(other);
        }
    }
    return has_one ? 0 : -1;
}

// Counts sleeps and does not read the clock, which a sandbox may refuse. Each sleep takes a little longer than
// requested.
Status Helper::await()
{
    constexpr int YIELDS = 3; // more would give away time slices while other processes need the CPU
    constexpr int SHORT_SLEEPS = 100;
    constexpr Nanoseconds SHORT_SLEEP = 50'000;
    constexpr Nanoseconds LONG_SLEEP = 1'000'000;
    constexpr int MAX_POLLS = YIELDS + SHORT_SLEEPS + 80;
    constexpr int MAX_POLLS_WITHOUT_CPU = MAX_POLLS + 900;
    for (int polls = 0; polls < MAX_POLLS_WITHOUT_CPU; ++polls) {
        if (const auto code = reaped()) {
            return {{}, *code};
        }
        if (polls < YIELDS) {
            (void)raw_call(SYS_sched_yield);
        } else if (polls < MAX_POLLS || read_stat(pid_).value.state == 'R') {
            nap(polls < YIELDS + SHORT_SLEEPS ? SHORT_SLEEP : LONG_SLEEP);
        } else {
            break;
        }
    }
    return {{}, ETIMEDOUT};
}

// Returns the result of a helper's body if the helper has exited.
std::optional<int> Helper::reap(pid_t& helper)
{
    int status = 0;
    const long pid = raw_call(SYS_wait4, helper, &status, WNOHANG | __WALL | __WNOTHREAD, 0);
    if (pid <= 0 && pid != -ECHILD) {
        return {}; // no failure but ECHILD says that it has gone
    }
    helper = 0;
    --count_;
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

std::optional<int> Helper::reaped()
{
    auto* const known = std::ranges::find(pids_, pid_);
    const auto code = known == pids_.end() ? ECHILD : reap(*known);
    pid_ = code ? 0 : pid_;
    return code;
}

bool Helper::is_any_left()
{
    for (auto& pid : pids_) {
        if (pid != 0) {
            (void)reap(pid);
        }
    }
    return count_ != 0;
}

void Helper::signal(int number) const
{
    // A reaped helper's pid may belong to another process.
    if (pid_ != 0 && is_helper(pid_)) {
        (void)sys::kill(pid_, number);
    }
}

} // namespace foster::sys
