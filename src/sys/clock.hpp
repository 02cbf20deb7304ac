// Clocks. Times are nanoseconds.
#pragma once

#include <cstdint>

namespace foster::sys
{

// Nanoseconds of CLOCK_MONOTONIC.
using Nanoseconds = std::int64_t;
Nanoseconds monotonic_now();
// The CPU time that this thread has taken, CLOCK_THREAD_CPUTIME_ID.
Nanoseconds cpu_time_now();
// The same of CLOCK_BOOTTIME, which /proc counts by.
Nanoseconds boottime_now();
// Since 1970, CLOCK_REALTIME.
Nanoseconds realtime_now();
// Of two times of which 0 is never.
constexpr Nanoseconds earlier(Nanoseconds one, Nanoseconds other)
{
    return one == 0 || (other != 0 && other < one) ? other : one;
}
// A point in time of CLOCK_MONOTONIC, or never.
class Deadline
{
  public:
    constexpr Deadline() = default; // never
    static constexpr Deadline at(Nanoseconds time) { return Deadline(time); }
    static Deadline in(Nanoseconds time) { return Deadline(monotonic_now() + time); }

    constexpr bool is_set() const { return time_ != 0; }
    // Whether it has come by then; never has not.
    constexpr bool is_over(Nanoseconds now) const { return is_set() && now >= time_; }
    bool is_over() const { return is_set() && is_over(monotonic_now()); }
    // Nanoseconds until then, not below 0; -1: for ever.
    Nanoseconds left() const;
    friend constexpr Deadline earlier(Deadline one, Deadline other)
    {
        return !one.is_set() || (other.is_set() && other.time_ < one.time_) ? other : one;
    }

  private:
    constexpr explicit Deadline(Nanoseconds time) : time_(time) {}

    Nanoseconds time_ = 0; // 0: never
};
// Sleeps, clock_nanosleep(2).
void nap(Nanoseconds time);

} // namespace foster::sys
