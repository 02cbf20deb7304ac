// Clocks, in nanoseconds.
#pragma once

#include <cstdint>

namespace foster::sys
{

// A time of CLOCK_MONOTONIC, or a duration.
using Nanoseconds = std::int64_t;
// Returns the error of clock_gettime(2). Where a sandbox refuses it, the time of each clock is the sum of all waits.
int clock_error();
// Adds a wait to that sum.
void count_wait(Nanoseconds time);
Nanoseconds monotonic_now();
// The CPU time of this thread, CLOCK_THREAD_CPUTIME_ID.
Nanoseconds cpu_time_now();
// The time of CLOCK_BOOTTIME, which /proc uses.
Nanoseconds boottime_now();
// The time since 1970, CLOCK_REALTIME.
Nanoseconds realtime_now();
// A point in time of CLOCK_MONOTONIC, or never.
class Deadline
{
  public:
    constexpr Deadline() = default; // never
    static constexpr Deadline at(Nanoseconds time) { return Deadline(time); }
    static Deadline in(Nanoseconds time) { return Deadline(monotonic_now() + time); }

    constexpr bool is_set() const { return time_ != 0; }
    // Whether the time has come. Never is not over.
    constexpr bool is_over(Nanoseconds now) const { return is_set() && now >= time_; }
    bool is_over() const;
    // The nanoseconds until then, at least 0; -1: never.
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
