// The scan of /proc for neglected zombies: those whose parent lives, is not foster, and does not wait for them.
#pragma once

#include "sys/clock.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <sys/types.h>

namespace foster
{

// Without default values: an array of them takes no memory until it is filled.
struct Zombie {
    std::uint64_t start; // of the process, clock ticks since boot: with the pid it names one process for good
    pid_t pid;
    pid_t parent; // 0: it is outside this PID namespace
    std::array<char, 16> name_bytes;
    std::uint8_t name_size;
    bool threads_live; // only its first thread has exited: nobody can reap it yet

    // What is remembered of it from scan to scan.
    bool nudged;                 // its parent was sent SIGCHLD for it
    sys::Nanoseconds first_seen; // CLOCK_MONOTONIC

    std::string_view name() const { return {name_bytes.data(), name_size}; }
};

// Whose zombies are wanted.
struct ScanScope {
    pid_t ancestor = 0; // those of descendants of this process, not its own; 0: of any process
    pid_t parent = 0;   // those of this process; 0: of any process
};

// Fills the list with zombies, in the order of their pids, as many as it holds. Returns those found. What is remembered
// from scan to scan is 0. Needs a /proc of this PID namespace; without one nothing is found.
std::span<Zombie> find_zombies(std::span<Zombie> list, const ScanScope& scope);

} // namespace foster
