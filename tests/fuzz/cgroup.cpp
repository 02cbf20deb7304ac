// /proc/self/cgroup and the files of cgroups with any content. Nothing is read but under /sys/fs/cgroup, and each
// directory once.
#include "harness.hpp"

#include "sys/cgroup.hpp"

#include <algorithm>
#include <set>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using fuzz::expect;
    fuzz::reset();
    fuzz::Input input(data, size);
    const auto groups = input.text();
    std::vector<std::string> contents;
    while (!input.is_empty()) {
        contents.push_back(input.text());
    }
    std::size_t next = 0;
    std::set<std::string, std::less<>> read;
    fuzz::world.files = [&](std::string_view path) -> std::optional<std::string> {
        if (path == "/proc/self/cgroup") {
            return groups;
        }
        expect(path.starts_with("/sys/fs/cgroup/") && path.find('\n') == std::string_view::npos && path.size() < 4096);
        // A path that is too long is cut off, so that it may come again.
        expect(read.emplace(path).second || path.size() == 4095);
        return next < contents.size() ? std::optional(contents[next++]) : std::nullopt;
    };
    const auto run = [&](char after_content) {
        next = 0;
        read.clear();
        fuzz::world.after_content = after_content;
        const auto kills = foster::sys::oom_kills();
        read.clear();
        const auto use = foster::sys::pid_use();
        expect(kills >= -1 && use.limit >= 0);
        return std::tuple(kills, use.used, use.limit);
    };
    expect(run('7') == run('\n'));
    return 0;
}
