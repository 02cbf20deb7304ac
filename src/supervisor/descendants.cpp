#include "supervisor/descendants.hpp"

#include "sys/helper.hpp"
#include "sys/memory.hpp"
#include "sys/processes.hpp"
#include "sys/raw_call.hpp"

#include <algorithm>
#include <cerrno>

namespace foster
{

bool Process::is_alive() const
{
    if (start != 0) {
        const auto now = sys::read_stat(pid).value;
        return now.start == start && !now.has_exited();
    }
    const auto reaped = sys::has_exited(pid);
    // a sandbox may refuse waitid(2), and a process group (pid < 0) has no answer
    return pid != 0 && reaped.error != ECHILD && !reaped.value;
}

InheritedChildren::InheritedChildren(const Options& options, const log::Messages& messages)
{
    constexpr std::size_t MAX = 1024;
    const auto zombie = sys::find_zombie();
    had_zombie_ = zombie.value > 0;
    if (zombie.error == ECHILD || (options.grace < 0 && !options.wait_all)) {
        return;
    }
    problem_ = sys::procfs_problem();
    const auto memory = sys::map_memory(MAX * sizeof(Process));
    memory_ = static_cast<Process*>(memory.value);
    const std::size_t room = memory ? MAX : 0;
    std::size_t count = find(::getpid(), room);
    if (count == 0 && problem_ != nullptr) {
        count = find(0, room);
    }
    if (count > room) {
        messages.warning("earlier-unknown|cannot remember all processes that were there before the child: {reason}",
                         "there is room for 1024");
        count = room;
    }
    count_ = count;
    if (count == 0) {
        memory_ = nullptr;
    }
}

// Returns the number of inherited processes, at most room + 1.
std::size_t InheritedChildren::find(pid_t after, std::size_t room)
{
    Descendants all(*this, problem_ == nullptr, after);
    std::size_t count = 0;
    for (Process one; count <= room && all.next(one); ++count) {
        if (count < room) {
            memory_[count] = one;
        }
    }
    return count;
}

void InheritedChildren::note_child(pid_t child)
{
    if (are_relevant() && problem_ == nullptr) {
        child_start_ = sys::read_stat(child).value.start;
    }
}

bool InheritedChildren::contains(const Process& process) const
{
    // A start time of 0 matches any: /proc may have been usable at only one of the two times.
    const auto is_it = [process](const Process& known) {
        return known.pid == process.pid && (known.start == process.start || known.start == 0 || process.start == 0);
    };
    return (process.start != 0 && process.start < child_start_) || std::any_of(memory_, memory_ + count_, is_it);
}

void InheritedChildren::forget_one(pid_t pid)
{
    auto* const found = std::ranges::find(memory_, memory_ + count_, pid, &Process::pid);
    if (found != memory_ + count_) {
        *found = memory_[--count_];
    }
}

namespace
{

constexpr pid_t LAST_PID = 1 << 22; // PID_MAX_LIMIT of the kernel's threads.h

} // namespace

Descendants::Descendants(const InheritedChildren& inherited_children, bool has_proc, pid_t after)
    : inherited_children_(inherited_children), has_proc_(has_proc), processes_("/proc"), last_pid_(after),
      end_(LAST_PID)
{
    sys::Helper next;
    if (!has_proc && after != 0 && next.start(-1, [](int /*none*/) { return 0; })) {
        end_ = next.pid();
        (void)next.await();
    }
}

// Returns the next number, or 0 after the last one.
pid_t Descendants::next_number()
{
    last_pid_ = last_pid_ == end_ ? 0 : last_pid_ == LAST_PID ? 1 : last_pid_ + 1;
    return last_pid_;
}

bool Descendants::next(Process& found)
{
    for (;;) {
        found = {has_proc_ ? processes_.next() : next_number()};
        if (found.pid <= 0) {
            found = {}; // is_alive() is false then
            return false;
        }
        if (sys::Helper::is_helper(found.pid)) {
            continue;
        }
        // foster's own children need no look into /proc, which is the most expensive part of the search.
        if (has_proc_ ? (!inherited_children_.are_relevant() && children_.contains(found.pid)) || is_descendant(found)
                      : is_child(found)) {
            return true;
        }
    }
}

// Without /proc, every number is tried. Most numbers belong to no process, and then getpgid costs half of what waitid
// does.
bool Descendants::is_child(const Process& found) const
{
    if (sys::raw_call(SYS_getpgid, found.pid) < 0) { // 0: the group is outside this PID namespace
        return false;
    }
    const auto reaped = sys::has_exited(found.pid);
    return reaped && !reaped.value && !inherited_children_.contains(found);
}

bool Descendants::is_descendant(Process& found)
{
    const auto stat = sys::read_stat(found.pid).value;
    found.start = stat.start;
    if (found.pid == self_ || stat.pid == 0 || stat.has_exited() || stat.is_of_kernel ||
        inherited_children_.contains(found)) {
        return false;
    }
    if (stat.parent != last_parent_) {
        last_parent_ = stat.parent;
        last_parent_descends_ = descends_from_foster(stat.parent);
    }
    return last_parent_descends_;
}

// Whether the process is foster itself or a descendant of foster that does not descend from an inherited process.
bool Descendants::descends_from_foster(pid_t pid) const
{
    if (!inherited_children_.are_relevant()) {
        return sys::is_in_tree_of(self_, pid);
    }
    constexpr int MAX_DEPTH = 10'000;
    for (int depth = 0; pid > 1 && pid != self_ && depth < MAX_DEPTH; ++depth) {
        const auto stat = sys::read_stat(pid).value;
        if (inherited_children_.contains({pid, stat.start})) {
            return false;
        }
        pid = stat.parent;
    }
    return self_ == 1 || pid == self_;
}

} // namespace foster
