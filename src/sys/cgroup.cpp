#include "sys/cgroup.hpp"

#include "sys/files.hpp"
#include "sys/text.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace foster::sys
{
namespace
{

// Returns the path after a mark in /proc/self/cgroup: ":memory:" in cgroup v1, "\n0::" in v2.
std::string_view path_after(std::string_view text, std::string_view mark)
{
    // What looks like a mark in a path is none. Only a path has a '/'.
    for (bool in_path = false; !text.empty(); text.remove_prefix(1)) {
        in_path = text.front() == '/' || (in_path && text.front() != '\n');
        if (!in_path && text.starts_with(mark)) {
            break;
        }
    }
    text.remove_prefix(std::min(mark.size(), text.size()));
    return {text.data(), std::min(text.find('\n'), text.size())};
}

// The directory of a cgroup; go_to_parent() goes up. The path in /proc/self/cgroup may be the host's, while the
// container's own cgroup is mounted at /sys/fs/cgroup. Then the path does not exist there, and go_to_parent() arrives
// at the root, which is the container's cgroup.
class Group
{
  public:
    // controller: a mark such as ":memory:". Uses cgroup v1 if this controller has a v1 hierarchy.
    explicit Group(std::string_view controller)
    {
        std::array<char, 4096> buffer;
        buffer[0] = '\n';
        const auto size = read_of_kernel("/proc/self/cgroup", std::span(buffer).last(buffer.size() - 1)).value.size();
        const std::string_view text(buffer.data(), size + 1);
        const auto path = path_after(text, controller);
        is_v1_ = !path.empty();
        add("/sys/fs/cgroup/");
        if (is_v1_) {
            add({controller.data() + 1, controller.size() - 2});
        }
        root_ = size_;
        add(is_v1_ ? path : path_after(text, "\n0::"));
    }

    bool is_v1() const { return is_v1_; }

    // Returns the first number in a file of the directory, or the number after a key in it; -1: none.
    std::int64_t read_number(std::string_view file, std::string_view key = {})
    {
        const auto size = size_;
        add("/");
        add(file);
        std::array<char, 1024> buffer;
        auto text = read_of_kernel(path_.data(), buffer).value;
        size_ = size;
        text = key.empty() ? text : after_key(text, key, ' ');
        return take_number(text);
    }

    // Goes to the parent directory. Returns false at the root.
    bool go_to_parent()
    {
        const bool is_root = size_ == root_;
        while (size_ > root_ && path_[--size_] != '/') {
        }
        return !is_root;
    }

  private:
    void add(std::string_view text)
    {
        const auto size = std::min(text.size(), path_.size() - 1 - size_);
        std::copy_n(text.data(), size, path_.data() + size_);
        size_ += size;
        path_[size_] = '\0';
    }

    std::size_t size_ = 0;
    std::size_t root_ = 0; // the length of the root's path
    bool is_v1_;
    std::array<char, 4096> path_;
};

} // namespace

std::int64_t oom_kills()
{
    Group group(":memory:");
    std::int64_t kills = -1;
    do {
        kills = group.read_number(group.is_v1() ? "memory.oom_control" : "memory.events", "oom_kill");
    } while (kills < 0 && group.go_to_parent());
    return kills;
}

PidUse pid_use()
{
    Group group(":pids:");
    PidUse nearest;
    do {
        // "max" is not a number, so the limit is -1. The kernel's numbers fit into an int, so their products fit below.
        const PidUse use{static_cast<int>(group.read_number("pids.current")),
                         static_cast<int>(group.read_number("pids.max"))};
        if (use.limit > 0 && (nearest.limit == 0 || use.used * nearest.limit > nearest.used * use.limit)) {
            nearest = use;
        }
    } while (group.go_to_parent());
    return nearest;
}

} // namespace foster::sys
