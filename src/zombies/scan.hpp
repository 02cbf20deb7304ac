// The look through /proc for neglected zombies: those whose parent lives, is not foster, and does not wait for them.
#pragma once

#include "log/log.hpp"
#include "sys/clock.hpp"

#include <array>
#include <span>
#include <string_view>
#include <sys/types.h>

namespace foster
{

struct Zombie {
    pid_t pid = 0;
    pid_t parent = 0;        // 0: it is outside this PID namespace
    std::uint64_t start = 0; // of the process, clock ticks since boot: with the pid it names one process for good
    std::array<char, 16> name_bytes{};
    std::uint8_t name_size = 0;
    bool threads_live = false; // its leader alone has ended: nobody can reap it yet

    // What is remembered of it from scan to scan.
    bool nudged = false;
    bool blocker_reported = false; // why its parent cannot be made to wait has been told
    bool tried = false;            // since the last scan
    std::uint16_t reported = 0;    // the most zombies of its parent that was told
    sys::Nanoseconds first_seen = 0;

    std::string_view name() const { return {name_bytes.data(), name_size}; }
};

// Whose zombies are wanted.
struct Neglecters {
    pid_t ancestor = 0; // only descendants of this process, not itself; 0: any process
    pid_t only = 0;     // this process alone; 0: any
};

// Fills the list with zombies in the order of their pids, as many as it holds; returns those.
std::span<Zombie> find_zombies(std::span<Zombie> list, const Neglecters& wanted);

// "sudo x4, sh x1": the zombies of this parent that were first seen by then.
void add_names(log::Line& line, std::span<const Zombie> zombies, pid_t parent, sys::Nanoseconds seen_by);

} // namespace foster
