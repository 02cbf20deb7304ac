#include "sys/clock.hpp"

#include "sys/signals.hpp"
#include "sys/syscall.hpp"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

namespace foster::sys
{
namespace
{

// Of both threads, see zombies/cpu.hpp. Not 0, which means never.
Nanoseconds waited = 1; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

Nanoseconds now_by(clockid_t clock)
{
    // Not through the vdso: the code that finds the function there takes a kilobyte, and it touches a page of the vdso
    // and one of its data.
    timespec now{};
    return raw_call(SYS_clock_gettime, clock, &now) < 0 ? __atomic_load_n(&waited, __ATOMIC_RELAXED)
                                                        : now.tv_sec * SECOND + now.tv_nsec;
}

} // namespace

int clock_error()
{
    timespec now;
    return error_of(raw_call(SYS_clock_gettime, CLOCK_MONOTONIC, &now));
}

void count_wait(Nanoseconds time)
{
    __atomic_fetch_add(&waited, time, __ATOMIC_RELAXED);
}

Nanoseconds monotonic_now()
{
    return now_by(CLOCK_MONOTONIC);
}

Nanoseconds cpu_time_now()
{
    return now_by(CLOCK_THREAD_CPUTIME_ID);
}

Nanoseconds boottime_now()
{
    return now_by(CLOCK_BOOTTIME);
}

Nanoseconds realtime_now()
{
    return now_by(CLOCK_REALTIME);
}

bool Deadline::is_over() const
{
    return is_set() && is_over(monotonic_now());
}

Nanoseconds Deadline::left() const
{
    return is_set() ? std::max(time_ - monotonic_now(), Nanoseconds{0}) : -1;
}

void nap(Nanoseconds time)
{
    const timespec length = timespec_of(time);
    count_wait(time);
    const long napped = raw_call(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &length, 0);
    if (napped < 0 && napped != -EINTR) {
        // If the sleep is refused, wait in another call, so that the caller does not spin.
        (void)raw_call(SYS_ppoll, 0, 0, &length, 0, sizeof(SignalMask));
    }
}

} // namespace foster::sys
