// Neglected zombies under a running foster: when to look, whom to tell, whom to make wait.
#pragma once

#include "obstacle.hpp"
#include "remote_wait.hpp"
#include "scan.hpp"

namespace foster
{

struct Options;

class Neglect
{
  public:
    // Takes memory only where zombies are asked for. A /proc that cannot be used is a warning, and nothing is looked for.
    Neglect(const Options& options, const sys::Messages& messages);

    // --reap-zombies: what a running foster does, until no more can be done. Returns whether zombies are left, or could not be looked for.
    bool reap_once();

    // Nanoseconds of CLOCK_MONOTONIC at which there is something to do; 0: never.
    sys::Nanoseconds deadline() const { return deadline_; }
    // Looks for zombies, tells of them, nudges their parents or begins a visit, whichever is due. Returns whether it has looked.
    bool act_if_due();
    // The thread that is being visited, whose stops must not wait for a sweep; 0: none.
    pid_t visited() const;
    // A status that wait(2) gave for a thread or process that is no child: it is being traced. Returns whether it was.
    bool take(const sys::Ended& changed);
    // Waits for the end of a visit that is under way.
    void finish_visit();

  private:
    struct Memory;

    sys::Nanoseconds interval() const; // of scans
    bool is_due(const Zombie& zombie, sys::Nanoseconds now) const;
    void scan(sys::Nanoseconds now);
    void carry_over(sys::Nanoseconds now);
    void tell_ends() const;
    void look_at_parents(sys::Nanoseconds now);
    void tell(pid_t parent, sys::Nanoseconds now);
    void nudge(pid_t parent, sys::Nanoseconds now);
    void begin_visit(sys::Nanoseconds now);
    void meet(const Obstacle& obstacle);
    void end_visit();
    void abandon_visit();
    void explain(pid_t parent, const Obstacle& obstacle);

    const Options& options_;
    const sys::Messages& messages_;
    Neglecters wanted_;
    Memory* memory_ = nullptr;
    std::span<Zombie> zombies_;  // in one half of the memory
    std::span<Zombie> previous_; // of the scan before, in the other half
    sys::Nanoseconds deadline_ = 0;
    sys::Nanoseconds next_scan_ = 0;
    sys::Nanoseconds next_visit_ = 0; // 0: none
    int passing_obstacles_ = 0;       // in a row
    pid_t visited_parent_ = 0;
    sys::Nanoseconds visit_start_ = 0;
};

struct Neglect::Memory {
    RemoteWait visit;
    std::array<std::array<Zombie, 4096>, 2> halves; // more are left to the scans to come
};

} // namespace foster
