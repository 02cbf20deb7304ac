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
// Sleeps, clock_nanosleep(2).
void nap(Nanoseconds time);

} // namespace foster::sys
