#include "supervisor/pid_limit.hpp"

#include "sys/cgroup.hpp"
#include "sys/clock.hpp"

namespace foster
{

void PidLimit::check_at_intervals()
{
    constexpr sys::Nanoseconds INTERVAL = 100'000'000; // thousands of orphans may exit within a short time
    const auto now = sys::monotonic_now();
    if (now < next_check_) {
        return;
    }
    next_check_ = now + INTERVAL;
    const auto pids = sys::pid_use();
    const bool is_near = pids.limit > 0 && pids.used * 100 >= pids.limit * percent_;
    if (is_near && !warned_) {
        messages_.warning("pids-near-limit|{used} of the {limit} PIDs that the cgroup may have are in use", pids.used,
                          pids.limit);
    }
    warned_ = is_near;
}

} // namespace foster
