// Foster's descendants, and those of them that were there before the child.
#pragma once

#include "options/options.hpp"
#include "sys/procfs.hpp"

#include <cstdint>
#include <sys/types.h>
#include <unistd.h>

namespace foster
{

struct Process {
    pid_t pid = 0;
    std::uint64_t start = 0; // clock ticks since boot; 0: unknown, it is a child of foster's own

    bool operator==(const Process&) const = default;
    // Whether it has not ended, and its pid is not another's.
    bool is_alive() const;
};

// What foster was born with, as `exec > >(tee log); exec foster ...` leaves it: it is reaped, but is nothing that the child has left.
class InheritedChildren
{
  public:
    // To be made before the child. Costs one system call where there is nothing. More than it holds are a warning.
    InheritedChildren(const Options& options, const log::Messages& messages);

    // A zombie was there, of which there will be no SIGCHLD.
    bool had_zombie() const { return had_zombie_; }
    // Whether there was anything that matters to these options; and how many of them have not been reaped.
    bool were_there() const { return memory_ != nullptr; }
    std::size_t count() const { return count_; }
    // The child, before it is reaped: what is older than that cannot be its descendant.
    void note_child(pid_t child);
    bool holds(const Process& process) const;
    // One has been reaped: its pid may become another's.
    void forget(pid_t pid)
    {
        if (count_ != 0) {
            forget_one(pid);
        }
    }

  private:
    std::size_t find(pid_t after, std::size_t room);
    void forget_one(pid_t pid);

    Process* memory_ = nullptr;
    std::size_t count_ = 0;
    std::uint64_t child_start_ = 0;
    const char* problem_ = nullptr; // why /proc is of no use
    bool had_zombie_;
};

// Hands out foster's descendants that have not ended, one after the other, but for those that were there before the child and what
// descends from these. Where /proc is of no use, foster's own children: those that were forked after a process, 0: all of them. These
// have the numbers from there to the next one that would be forked, unless all numbers have been used up meanwhile.
class Descendants
{
  public:
    Descendants(const InheritedChildren& earlier, bool has_proc, pid_t after);

    // Whether there was one more. A child of foster's own may have ended.
    bool next(Process& found);

  private:
    pid_t next_number();
    bool is_child(const Process& found) const;
    bool is_one(Process& found);
    bool is_of_foster(pid_t pid) const;

    const InheritedChildren& inherited_children_;
    const bool has_proc_;
    const pid_t self_ = ::getpid();
    sys::NumberedEntries processes_;
    sys::OwnChildren children_;
    pid_t last_pid_; // without /proc
    pid_t end_;
    pid_t last_parent_ = -1;
    bool last_is_own_ = false;
};

} // namespace foster
