// The scan of /proc for zombies.
#pragma once

#include "sys/clock.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <sys/types.h>

namespace foster
{

// Has no default values, so that an array of zombies uses no memory until it is filled.
struct Zombie {
    std::uint64_t start; // start time, clock ticks since boot; with the pid it identifies a process uniquely
    pid_t pid;
    pid_t parent; // 0: outside this PID namespace
    std::array<char, 16> name_bytes;
    std::uint8_t name_size;
    bool threads_live; // only its first thread has exited, so it cannot be reaped yet

    // Kept from one scan to the next.
    sys::Nanoseconds first_seen; // CLOCK_MONOTONIC
    sys::Nanoseconds nudged_at;  // when SIGCHLD was sent to its parent for it, CLOCK_MONOTONIC; 0: not yet

    std::string_view name() const { return {name_bytes.data(), name_size}; }
};

// Which zombies find_zombies() returns.
struct ScanScope {
    pid_t ancestor = 0; // only zombies whose parent is a descendant of this process; 0: no restriction
    pid_t parent = 0;   // only zombies of this parent; 0: no restriction
};

// Fills the list with zombies in the order of their pids, at most list.size() of them. Returns the filled part, in
// which first_seen and nudged_at are 0. Needs a /proc of this PID namespace; without one it finds nothing.
std::span<Zombie> find_zombies(std::span<Zombie> list, const ScanScope& scope);

} // namespace foster
