// foster's descendants, and the processes among them that existed before the child.
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
    // clock ticks since boot, proc_pid_stat(5); 0: unknown, and the process is foster's own child
    std::uint64_t start = 0;

    bool operator==(const Process&) const = default;
    // Returns false if the process has exited or the pid now belongs to another process.
    bool is_alive() const;
    // Whether the pid still belongs to the process, which may have exited. foster's own children keep it until they are
    // reaped.
    bool has_pid() const { return start == 0 || sys::read_stat(pid).value.start == start; }
};

// The processes that were foster's descendants before the spawn: `exec > >(tee log); exec foster ...` leaves such a
// tee. foster reaps them, but they do not count as leftovers.
class InheritedChildren
{
  public:
    // To be constructed before the spawn. Without any inherited child it costs one system call. If there are more
    // processes than fit, it logs a warning.
    InheritedChildren(const Options& options, const log::Messages& messages);

    // Whether an inherited child is a zombie already. The kernel sends no SIGCHLD for it any more.
    bool had_zombie() const { return had_zombie_; }
    // Whether inherited processes exist and --grace or --wait-all makes them matter.
    bool are_relevant() const { return memory_ != nullptr; }
    std::size_t count() const { return count_; }
    // Records the child's start time, before the child is reaped. A process that is older than the child cannot be its
    // descendant.
    void note_child(pid_t child);
    bool contains(const Process& process) const;
    // To be called after this pid was reaped: the kernel may give the pid to another process.
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
    const char* problem_ = nullptr; // why /proc is not usable; null: it is usable
    bool had_zombie_;
};

// Iterates over foster's living descendants, except inherited processes and their descendants.
// If /proc is not usable, it finds foster's own children only. It then tries the pids after the pid `after` up to the
// pid that the next fork would get; after a wraparound of the pid numbers this misses some. `after` 0 tries all pids.
class Descendants
{
  public:
    Descendants(const InheritedChildren& inherited_children, bool has_proc, pid_t after);

    // Returns false if there is no further one. A child of foster's own may have exited already.
    bool next(Process& found);

  private:
    pid_t next_number();
    bool is_child(const Process& found) const;
    bool is_descendant(Process& found);
    bool descends_from_foster(pid_t pid) const;

    const InheritedChildren& inherited_children_;
    const bool has_proc_;
    const pid_t self_ = ::getpid();
    sys::NumberedEntries processes_;
    sys::OwnChildren children_;
    pid_t last_pid_; // used only if /proc is not usable; so is end_
    pid_t end_;
    pid_t last_parent_ = -1;
    bool last_parent_descends_ = false;
};

} // namespace foster
