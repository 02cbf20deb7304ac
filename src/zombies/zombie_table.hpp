// ZombieTable: the result of one scan, the zombies and a record for each parent that neglects zombies.
#pragma once

#include "sys/clock.hpp"
#include "zombies/scan.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <sys/types.h>

namespace foster
{

// Has no default values, for the same reason as Zombie.
struct Parent {
    std::uint64_t start; // start time, clock ticks since boot; 0: unknown
    pid_t pid;           // 0: outside this PID namespace
    std::uint32_t tried; // the number of its zombies, from the first one on, that were tried since the scan
    Zombie* first_zombie;
    std::uint32_t count; // the number of its zombies

    // Kept from one scan to the next.
    std::uint32_t reported; // the largest number of zombies that was reported
    bool blocker_reported;  // the reason why it cannot be made to wait was reported

    std::span<Zombie> zombies() const { return {first_zombie, count}; }
};

// Has a fixed size. Must not be moved: Parent::first_zombie points into the table.
class ZombieTable
{
  public:
    static constexpr std::size_t MAX_ZOMBIES = 4096; // further zombies have to wait for later scans

    // Scans /proc by find_zombies(). What is kept from one scan to the next is copied from the table of the previous
    // scan, before. Parent::reported is moved: in before it stays above 0 only for parents that were not found again.
    // now: the first_seen of new zombies, nanoseconds of CLOCK_MONOTONIC.
    void fill(const ScanScope& scope, ZombieTable& before, sys::Nanoseconds now);

    // Sorted by the parent's pid, then by their own pid.
    std::span<Zombie> zombies() { return std::span(zombies_).first(zombie_count_); }
    std::span<const Zombie> zombies() const { return std::span(zombies_).first(zombie_count_); }
    // Sorted by pid.
    std::span<Parent> parents() { return std::span(parents_).first(parent_count_); }
    // The parent with this pid; null: the table has no zombie of it.
    Parent* find_parent(pid_t pid);

  private:
    Parent& add_parent(Zombie& zombie, ZombieTable& before);

    std::size_t zombie_count_ = 0;
    std::size_t parent_count_ = 0;
    std::array<Zombie, MAX_ZOMBIES> zombies_;
    std::array<Parent, MAX_ZOMBIES> parents_;
};

} // namespace foster
