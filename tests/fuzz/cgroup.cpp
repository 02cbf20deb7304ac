// /proc/self/cgroup and the files of cgroups with any content. Nothing is read but under /sys/fs/cgroup, in the
// directory that the former names and those above it, in each once.
#include "harness.hpp"

#include "sys/cgroup.hpp"

#include <algorithm>
#include <set>
#include <sstream>

namespace
{

// The directory of a cgroup as the lines "NUMBER:CONTROLLER:/PATH" name it; none: a line is not of this form.
std::optional<std::string> directory_of(const std::string& groups, const std::string& controller)
{
    std::string v1;
    std::string v2;
    std::istringstream lines(groups);
    for (std::string line; std::getline(lines, line);) {
        const auto colon = line.find_first_not_of("0123456789");
        const auto path = line.find(":/");
        if (path == std::string::npos || line[colon] != ':' || line.find_first_of(":/", colon + 1) < path ||
            (path == colon + 1) != (line.substr(0, colon) == "0")) {
            return std::nullopt;
        }
        if (path > colon && line.substr(colon + 1, path - colon - 1) == controller && v1.empty()) {
            v1 = "/sys/fs/cgroup/" + controller + line.substr(path + 1);
        } else if (path == colon + 1 && v2.empty()) {
            v2 = line.substr(path + 1);
        }
    }
    return v1.empty() ? "/sys/fs/cgroup/" + v2 : v1;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using fuzz::expect;
    fuzz::reset();
    fuzz::Input input(data, size);
    const auto groups = input.text();
    const auto of_memory = directory_of(groups, "memory");
    const auto of_pids = directory_of(groups, "pids");
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
        const auto directory = path.substr(0, path.rfind('/'));
        const auto& nearest = path.find("/pids.", directory.size()) == std::string_view::npos ? of_memory : of_pids;
        if (nearest) {
            expect(read.empty() ? directory == *nearest : nearest->starts_with(directory));
            expect((*nearest + "/")[directory.size()] == '/');
            expect(read.emplace(path).second);
        }
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
