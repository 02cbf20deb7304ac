#include "sys/procfs.hpp"

#include "sys/kernel.hpp"
#include "sys/output.hpp"

#include <algorithm>
#include <fcntl.h>
#include <span>

namespace foster::sys
{
namespace
{

// The beginning of /proc/<pid>/<file>, as much as the buffer holds; empty where that is refused.
std::string_view read_of(pid_t pid, const char* file, std::span<char> buffer)
{
    Line path;
    path.add({"/proc/", pid, "/", file});
    const auto opened = open(path.c_string(), O_RDONLY);
    if (!opened) {
        return {};
    }
    const auto size = read(opened.value.number(), buffer);
    return {buffer.data(), size ? size.value : 0};
}

} // namespace

ProcessName::ProcessName(pid_t pid)
{
    auto name = read_of(pid, "comm", bytes_);
    if (name.empty()) {
        bytes_[0] = '?';
        size_ = 1;
        return;
    }
    size_ = name.size() - (name.back() == '\n' ? 1 : 0);
}

long user_of(pid_t pid)
{
    std::array<char, 512> buffer;
    const auto text = read_of(pid, "status", buffer);
    constexpr std::string_view KEY = "\nUid:\t";
    const auto* found = std::search(text.begin(), text.end(), KEY.begin(), KEY.end());
    if (found == text.end()) {
        return -1;
    }
    long user = 0;
    for (const char* digit = found + KEY.size(); digit != text.end() && *digit >= '0' && *digit <= '9'; ++digit) {
        user = user * 10 + (*digit - '0');
    }
    return user;
}

} // namespace foster::sys
