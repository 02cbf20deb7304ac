#include "descendants.hpp"

#include "sys/helper.hpp"
#include "sys/raw_call.hpp"

#include <algorithm>
#include <cerrno>

namespace foster
{

bool Process::is_alive() const
{
    if (start != 0) {
        const auto now = sys::read_stat(pid).value;
        return now.start == start && !now.has_ended();
    }
    const auto ended = sys::has_ended(pid);
    return ended.error != ECHILD && !ended.value; // a sandbox may refuse the look
}

Earlier::Earlier(const Options& options, const sys::Messages& messages)
{
    constexpr std::size_t MOST = 1024;
    const auto zombie = sys::find_zombie();
    had_zombie_ = zombie.value > 0;
    if (zombie.error == ECHILD || (options.grace < 0 && !options.wait_all)) {
        return;
    }
    fault_ = sys::fault_of_procfs();
    const auto memory = sys::map_memory(MOST * sizeof(Process));
    memory_ = static_cast<Process*>(memory.value);
    const std::size_t room = memory ? MOST : 0;
    Descendants all(*this, fault_ == nullptr);
    std::size_t count = 0;
    for (Process one; all.next(one); memory_[count++] = one) {
        if (count == room) {
            messages.warning("step-refused|cannot remember all processes that were there before the child: {reason}",
                             "there is room for 1024");
            break;
        }
    }
    count_ = count;
    if (count == 0) {
        memory_ = nullptr;
    }
}

void Earlier::note_child(pid_t child)
{
    if (were_there() && fault_ == nullptr) {
        child_start_ = sys::read_stat(child).value.start;
    }
}

bool Earlier::holds(const Process& process) const
{
    const auto* const end = memory_ + count_;
    return process.start < child_start_ || std::ranges::find(static_cast<const Process*>(memory_), end, process) != end;
}

void Earlier::forget_one(pid_t pid)
{
    auto* const found = std::ranges::find(memory_, memory_ + count_, pid, &Process::pid);
    if (found != memory_ + count_) {
        *found = memory_[--count_];
    }
}

bool Descendants::next(Process& found)
{
    constexpr pid_t LAST_PID = 1 << 22; // PID_MAX_LIMIT of the kernel's threads.h
    for (;;) {
        found = {has_proc_ ? processes_.next() : ++last_pid_};
        if (found.pid < 0 || found.pid > LAST_PID) {
            return false;
        }
        if (sys::Helper::is_one(found.pid)) {
            continue;
        }
        // What foster's own children do is not looked at in /proc, which is most of what a look costs.
        if (has_proc_ ? (!earlier_.were_there() && children_.next_is(found.pid)) || is_one(found) : is_child(found)) {
            return true;
        }
    }
}

// Without /proc all numbers are tried. For one that is no process's, as most are, the first call costs half of the second one.
bool Descendants::is_child(const Process& found) const
{
    if (sys::raw_call(SYS_getpgid, found.pid) < 0) { // 0: it is outside this PID namespace
        return false;
    }
    const auto ended = sys::has_ended(found.pid);
    return ended && !ended.value && !earlier_.holds(found);
}

bool Descendants::is_one(Process& found)
{
    const auto stat = sys::read_stat(found.pid).value;
    found.start = stat.start;
    if (found.pid == self_ || stat.pid == 0 || stat.has_ended() || stat.is_of_kernel || earlier_.holds(found)) {
        return false;
    }
    if (stat.parent != last_parent_) {
        last_parent_ = stat.parent;
        last_is_own_ = is_of_foster(stat.parent);
    }
    return last_is_own_;
}

// Foster itself or a descendant, which none that was there before stands between.
bool Descendants::is_of_foster(pid_t pid) const
{
    if (!earlier_.were_there()) {
        return sys::is_in_tree_of(self_, pid);
    }
    constexpr int DEEPEST = 10'000;
    for (int depth = 0; pid > 1 && pid != self_ && depth < DEEPEST; ++depth) {
        const auto stat = sys::read_stat(pid).value;
        if (earlier_.holds({pid, stat.start})) {
            return false;
        }
        pid = stat.parent;
    }
    return self_ == 1 || pid == self_;
}

} // namespace foster
