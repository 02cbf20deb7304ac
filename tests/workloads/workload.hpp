// What the workloads share: raw signal sets (the C library hides the signals that it keeps for itself), a clock and
// early ends.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <sys/syscall.h>
#include <unistd.h>

inline constexpr std::uint64_t ALL_SIGNALS = ~std::uint64_t{0};

inline std::uint64_t bit_of(int signal)
{
    return std::uint64_t{1} << (signal - 1);
}

inline void set_signal_mask(std::uint64_t mask)
{
    constexpr int SET = 2; // SIG_SETMASK
    syscall(SYS_rt_sigprocmask, SET, &mask, nullptr, sizeof mask);
}

// Nanoseconds.
inline long long monotonic_now()
{
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

[[noreturn]] inline void die(const char* what)
{
    std::perror(what);
    std::exit(99);
}

[[noreturn]] inline void exec_rest(char** command)
{
    execvp(command[0], command);
    die(command[0]);
}
