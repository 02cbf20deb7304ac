// What the programs of a round of chaos share.
#pragma once

#include <atomic>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

inline constexpr rlimit NO_CORE{0, 0};

inline std::int64_t now()
{
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
}

// SplitMix64: the same numbers for the same seed, everywhere.
struct Random {
    std::uint64_t state;

    std::uint64_t next()
    {
        std::uint64_t mixed = state += 0x9e3779b97f4a7c15;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        return mixed ^ (mixed >> 31);
    }

    std::uint64_t below(std::uint64_t limit) { return limit == 0 ? 0 : next() % limit; }
};

// The raw call: the C library refuses the signals that it keeps for itself.
inline void set_disposition(int signal, bool ignored)
{
    struct {
        std::uintptr_t handler, flags, restorer;
        std::uint64_t mask;
    } const action{ignored ? std::uintptr_t{1} : 0, 0, 0, 0};
    syscall(SYS_rt_sigaction, signal, &action, nullptr, sizeof action.mask);
}

// What all processes of the tree share, DIR/shared.
struct Shared {
    std::atomic<std::int64_t> forks; // so many processes were made
    std::int64_t max_forks;
    std::int64_t end; // no new one after this time
};
