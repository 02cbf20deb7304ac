// Helpers for src/sys: convert the return value of a raw_call() to a Result.
#pragma once

#include "sys/clock.hpp"
#include "sys/fd.hpp"
#include "sys/raw_call.hpp"
#include "sys/result.hpp"

#include <ctime>

namespace foster::sys
{

inline constexpr Nanoseconds SECOND = 1'000'000'000;

inline Status status_of(long answer)
{
    return {{}, error_of(answer)};
}

template <typename T> Result<T> result_of(long answer)
{
    return {static_cast<T>(answer), error_of(answer)};
}

inline Result<Fd> fd_of(long answer)
{
    return {Fd(static_cast<int>(answer)), error_of(answer)};
}

inline timespec timespec_of(Nanoseconds time)
{
    return {time / SECOND, time % SECOND};
}

} // namespace foster::sys
