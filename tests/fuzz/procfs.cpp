// Files of /proc with any content. The bytes that a buffer held before must not matter, nor how many one read returns.
#include "harness.hpp"

#include "sys/procfs.hpp"

#include <algorithm>
#include <tuple>

namespace
{

using fuzz::expect;
namespace sys = foster::sys;

constexpr pid_t PID = 123;

void set_content(const std::string& content, char after_content)
{
    fuzz::world.after_content = after_content;
    fuzz::world.files = [content](std::string_view path) -> std::optional<std::string> {
        return path == "/proc/self" ? std::to_string(fuzz::OWN_PID) : content;
    };
}

auto read_all(const std::string& content, char after_content)
{
    set_content(content, after_content);
    const auto stat = sys::read_stat(PID);
    expect(stat.error == 0 || stat.error == ESRCH);
    expect(stat.value.name_size <= stat.value.name_bytes.size());
    const std::string name = sys::ProcessName(PID).text();
    expect(name.size() < 64);
    expect(sys::pid_as_seen_by(PID, PID) >= 0);
    std::vector<long> numbers{stat.error,         stat.value.parent,       stat.value.group,       stat.value.state,
                              stat.value.threads, stat.value.is_of_kernel, stat.value.has_exited()};
    numbers.push_back(static_cast<long>(stat.value.start));
    for (const char* key : {"Uid", "Gid", "TracerPid", "Seccomp", "Seccomp_filters"}) {
        numbers.push_back(sys::number_in_status(PID, key));
    }
    numbers.push_back(sys::pid_as_seen_by(PID, PID));
    return std::tuple(std::string(stat.value.name()), name, numbers, sys::vdso_of(PID).value);
}

// A line as the kernel writes it, around any name: proc_pid_stat(5).
void check_stat_of(const std::string& name)
{
    set_content("123 (" + name + ") Z 45 46 47 0 -1 4194564 8 9 10 11 12 13 14 15 20 0 1 0 5000000000 23 24\n", '7');
    const auto [stat, error] = sys::read_stat(PID);
    expect(error == 0 && stat.pid == PID && stat.parent == 45 && stat.group == 46 && stat.has_exited());
    expect(stat.name() == name.substr(0, 64) && stat.start == 5'000'000'000 && !stat.is_of_kernel);
}

void check_children_in(const std::string& content, std::size_t bytes_at_once)
{
    set_content(content, '7');
    fuzz::world.bytes_at_once = bytes_at_once;
    std::vector<bool> found;
    for (const std::size_t at_once : {bytes_at_once, SIZE_MAX}) {
        fuzz::world.bytes_at_once = at_once;
        sys::OwnChildren children;
        auto same = found.begin();
        for (pid_t pid = 1; pid < 50; ++pid) {
            const bool is_child = children.contains(pid);
            at_once == SIZE_MAX ? expect(is_child == *same++) : found.push_back(is_child);
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::reset();
    fuzz::Input input(data, size);
    const auto bytes_at_once = 1 + input.byte() % 16;
    const auto content = input.rest();
    expect(read_all(content, '7') == read_all(content, '\n'));
    check_stat_of(content.substr(0, content.find('\0')).substr(0, 300));
    check_children_in(content, bytes_at_once);
    // A parent that is its own ancestor must not be followed for ever: here the file is gone after some reads.
    int reads = 0;
    fuzz::world.files = [&](auto) { return ++reads > 3 ? std::nullopt : std::optional(content); };
    (void)sys::is_in_tree_of(7, 8);
    return 0;
}
