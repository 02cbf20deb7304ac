#include "sys/procfs.hpp"

#include "sys/files.hpp"
#include "sys/raw_call.hpp"
#include "sys/text.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <elf.h>
#include <fcntl.h>
#include <span>

namespace foster::sys
{
namespace
{

constexpr std::size_t STATUS_SIZE = 4096; // a long list of groups comes before some lines

// Returns the text after a key in /proc/<pid>/status; empty: unknown.
std::string_view status_line(pid_t pid, const char* key, std::span<char> buffer)
{
    return after_key(read_of_process(pid, "status", buffer).value, key, ':');
}

// Whether the mounted /proc belongs to this PID namespace.
bool is_own_procfs()
{
    std::array<char, 24> buffer{};
    auto number = readlink("/proc/self", buffer).value;
    return take_number(number) == ::getpid();
}

} // namespace

ProcessPath::ProcessPath(pid_t pid, const char* file)
{
    add("/proc/");
    add_number(pid);
    add("/");
    add(file);
}

Result<std::string_view> read_of_process(pid_t pid, const char* file, std::span<char> buffer)
{
    return read_of_kernel(ProcessPath(pid, file).c_string(), buffer);
}

ProcessName::ProcessName(pid_t pid)
{
    std::string_view name;
    if (is_own_procfs()) {
        name = read_of_process(pid, "comm", std::span(bytes_).first(bytes_.size() - 1)).value;
    }
    auto size = name.size();
    if (size == 0) {
        bytes_[size++] = '?';
    } else if (name.back() == '\n') {
        --size;
    }
    bytes_[size] = '\0';
}

long number_in_status(pid_t pid, const char* key)
{
    std::array<char, STATUS_SIZE> buffer;
    auto line = is_own_procfs() ? status_line(pid, key, buffer) : std::string_view();
    return take_number(line);
}

Result<ProcessStat> read_stat(pid_t pid)
{
    std::array<char, 512> buffer;
    const auto read = read_of_process(pid, "stat", buffer);
    // The name, in parentheses, may contain any byte, even ")".
    const auto name_start = read.value.find('(') + 1;
    const auto name_end = read.value.rfind(')');
    if (!read || name_start == 0 || name_end < name_start || name_end >= read.value.size() - 2) {
        return {{}, read.error != 0 ? read.error : ESRCH};
    }
    ProcessStat stat;
    stat.pid = pid;
    stat.name_size = std::min(name_end - name_start, stat.name_bytes.size());
    std::copy_n(read.value.data() + name_start, stat.name_size, stat.name_bytes.data());
    stat.state = read.value[name_end + 2];
    auto rest = after(read.value, name_end + 2);
    for (int field = 4; field <= 22; ++field) {
        const auto number = take_number(rest);
        if (field == 4) {
            stat.parent = static_cast<pid_t>(number);
        } else if (field == 5) {
            stat.group = static_cast<pid_t>(number);
        } else if (field == 9) {
            constexpr std::int64_t KERNEL_FLAGS =
                0x204010; // PF_KTHREAD, PF_USER_WORKER, PF_IO_WORKER of the kernel's sched.h
            stat.is_of_kernel = (number & KERNEL_FLAGS) != 0;
        } else if (field == 20) {
            stat.threads = static_cast<int>(number);
        } else if (field == 22) {
            stat.start = static_cast<std::uint64_t>(number);
        }
    }
    return {stat};
}

const char* procfs_problem()
{
    if (NumberedEntries("/proc").next() < 0) {
        return "there is no /proc";
    }
    return is_own_procfs() ? nullptr : "the /proc that is mounted belongs to another PID namespace";
}

bool is_in_tree_of(pid_t ancestor, pid_t pid)
{
    constexpr int MAX_DEPTH = 10'000; // limits the loop: reused pids could form a cycle
    for (int depth = 0; ancestor != 1 && pid > 1 && pid != ancestor && depth < MAX_DEPTH; ++depth) {
        pid = read_stat(pid).value.parent;
    }
    return ancestor == 1 || pid == ancestor;
}

pid_t pid_as_seen_by(pid_t pid, pid_t other)
{
    std::array<char, STATUS_SIZE> buffer;
    int depth = 0;
    for (auto numbers = status_line(other, "NSpid", buffer); take_number(numbers) > 0; ++depth) {
    }
    auto numbers = status_line(pid, "NSpid", buffer);
    std::int64_t seen = depth == 0 ? pid : 0; // the kernel has no PID namespaces
    while (depth-- > 0) {
        seen = take_number(numbers);
    }
    return std::max(static_cast<pid_t>(seen), 0);
}

Result<std::uintptr_t> vdso_of(pid_t pid)
{
    alignas(8) std::array<char, 1024> buffer;
    const auto read = read_of_process(pid, "auxv", buffer);
    const auto* entries = reinterpret_cast<const std::array<std::uintptr_t, 2>*>(buffer.data());
    const auto count = read.value.size() / sizeof *entries;
    const auto* found =
        std::find_if(entries, entries + count, [](const auto& entry) { return entry[0] == AT_SYSINFO_EHDR; });
    return found == entries + count ? Result<std::uintptr_t>{0, read.error} : Result<std::uintptr_t>{(*found)[1]};
}

OwnChildren::OwnChildren()
{
    FixedText<64> path;
    path.add("/proc/self/task/");
    path.add_number(::getpid());
    path.add("/children");
    file_ = std::move(open_of_kernel(path.c_string()).value);
}

// Returns -1 at the end.
int OwnChildren::take_byte()
{
    if (at_ == size_) {
        const auto size = read(file_.number(), buffer_);
        at_ = 0;
        size_ = size ? size.value : 0;
    }
    return at_ < size_ ? buffer_[at_++] : -1;
}

bool OwnChildren::contains(pid_t pid)
{
    while (next_ < pid) {
        unsigned number = 0; // the kernel's pids fit into an int
        int byte = take_byte();
        for (; byte >= '0'; byte = take_byte()) {
            number = number * 10 + static_cast<unsigned>(byte - '0');
        }
        next_ = byte < 0 ? INT_MAX : static_cast<pid_t>(number); // each number is followed by a blank
    }
    return next_ == pid;
}

NumberedEntries::NumberedEntries(const char* path)
{
    auto opened = open_of_kernel(path, O_DIRECTORY);
    directory_ = std::move(opened.value);
    error_ = opened.error;
}

int NumberedEntries::next()
{
    // The layout of linux_dirent64, getdents64(2).
    struct Entry {
        std::uint64_t inode;
        std::int64_t offset;
        std::uint16_t length;
        std::uint8_t type;
        char name[1]; // of variable length
    };
    for (;;) {
        if (at_ >= size_) {
            const long size = raw_call(SYS_getdents64, directory_.number(), buffer_.data(), buffer_.size());
            if (size <= 0) {
                return -1;
            }
            at_ = 0;
            size_ = static_cast<std::size_t>(size);
        }
        const auto* entry = reinterpret_cast<const Entry*>(buffer_.data() + at_);
        at_ += entry->length;
        int number = 0;
        const char* digit = &entry->name[0];
        for (; *digit >= '0' && *digit <= '9'; ++digit) {
            number = number * 10 + (*digit - '0');
        }
        if (*digit == '\0') {
            return number;
        }
    }
}

} // namespace foster::sys
