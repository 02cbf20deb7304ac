// What one scan has found: the zombies, and a record of each parent that neglects them.
#pragma once

#include "sys/clock.hpp"
#include "zombies/scan.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <sys/types.h>

namespace foster
{

// Without default values, as a Zombie.
struct Parent {
    std::uint64_t start; // of the process, clock ticks since boot; 0: unknown
    pid_t pid;           // 0: outside this PID namespace
    std::uint32_t tried; // so many of its zombies, from the first one on, were tried to reap since the scan
    Zombie* first_zombie;
    std::uint32_t count; // of its zombies

    // What is remembered of it from scan to scan.
    std::uint32_t reported; // the most zombies that were reported at once
    bool blocker_reported;  // why it cannot be made to wait

    std::span<Zombie> zombies() const { return {first_zombie, count}; }
};

// Of fixed size. It must not be moved: the records of parents point to the zombies.
class ZombieTable
{
  public:
    static constexpr std::size_t MAX_ZOMBIES = 4096; // more are left to the scans to come

    // Scans /proc, as find_zombies() does. What is remembered is taken over from the scan before; what was reported of
    // a parent is moved, so that it stays only with those that are not found any more. now: the first_seen of new
    // zombies, nanoseconds of CLOCK_MONOTONIC.
    void fill(const ScanScope& scope, ZombieTable& before, sys::Nanoseconds now);

    // In the order of their parents' pids, those of one parent in the order of their own.
    std::span<Zombie> zombies() { return std::span(zombies_).first(zombie_count_); }
    std::span<const Zombie> zombies() const { return std::span(zombies_).first(zombie_count_); }
    // In the order of their pids.
    std::span<Parent> parents() { return std::span(parents_).first(parent_count_); }
    // The parent of this pid; null: it has no zombies here.
    Parent* find_parent(pid_t pid);

  private:
    Parent& add_parent(Zombie& zombie, ZombieTable& before);

    std::size_t zombie_count_ = 0;
    std::size_t parent_count_ = 0;
    std::array<Zombie, MAX_ZOMBIES> zombies_;
    std::array<Parent, MAX_ZOMBIES> parents_;
};

} // namespace foster
