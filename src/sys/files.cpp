#include "sys/files.hpp"

#include "sys/clock.hpp"
#include "sys/memory.hpp"
#include "sys/procfs.hpp"
#include "sys/signals.hpp"
#include "sys/syscall.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statfs.h>

namespace foster::sys
{
namespace
{

// Used without /proc. Closes up to the limit of open files, but not up to the 1,000,000,000 that some container engines
// set.
void close_up_to_limit(int first)
{
    constexpr rlim_t MAX = 1 << 20;
    rlimit limit{MAX, MAX};
    (void)raw_call(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &limit);
    for (int fd = first; fd < static_cast<int>(std::min(limit.rlim_cur, MAX)); ++fd) {
        close(fd);
    }
}

// For kernels before 5.9, and for seccomp profiles that do not know close_range.
void close_listed_from(int first)
{
    NumberedEntries descriptors("/proc/self/fd");
    if (descriptors.error() != 0) {
        close_up_to_limit(first);
    }
    for (int fd = descriptors.next(); fd >= 0; fd = descriptors.next()) {
        if (fd >= first && fd != descriptors.descriptor()) {
            close(fd);
        }
    }
}

Result<void*> map(std::size_t size, int protection, int flags, int fd)
{
    const long address = raw_call(SYS_mmap, 0, size, protection, flags, fd, 0);
    return {reinterpret_cast<void*>(address), error_of(address)};
}

} // namespace

Result<std::string_view> map_file(const char* path)
{
    const auto file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!file) {
        return {{}, file.error};
    }
    const auto size = size_of(file.value.number());
    if (!size || size.value == 0) {
        return {{}, size.error};
    }
    const auto memory = map(size.value, PROT_READ, MAP_PRIVATE, file.value.number());
    return {{static_cast<const char*>(memory.value), memory ? size.value : 0}, memory.error};
}

Result<std::size_t> size_of(int fd)
{
    return result_of<std::size_t>(raw_call(SYS_lseek, fd, 0, SEEK_END));
}

Result<Fd> open(const char* path, int flags)
{
    constexpr int MODE = 0666;
    return fd_of(raw_call(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, MODE));
}

Result<std::size_t> read(int fd, std::span<char> buffer)
{
    return result_of<std::size_t>(raw_call(SYS_read, fd, buffer.data(), buffer.size()));
}

Result<Fd> open_of_kernel(const char* path, int flags)
{
    constexpr std::uint32_t TYPES[] = {0x9fa0, 0x62656572, 0x27e0eb,
                                       0x63677270}; // procfs, sysfs, cgroup v1 and v2, statfs(2)
    auto file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | flags);
    if (file) {
        struct statfs system {
        };
        const long known = raw_call(SYS_fstatfs, file.value.number(), &system);
        if (known < 0 || std::ranges::find(TYPES, static_cast<std::uint32_t>(system.f_type)) == std::end(TYPES)) {
            return {{}, ENOENT};
        }
    }
    return file;
}

Result<std::string_view> read_of_kernel(const char* path, std::span<char> buffer)
{
    const auto opened = open_of_kernel(path);
    if (!opened) {
        return {{}, opened.error};
    }
    const auto size = read(opened.value.number(), buffer);
    return {{buffer.data(), size ? size.value : 0}, size.error};
}

Result<bool> poll_one(int fd, short events, Nanoseconds at_most)
{
    pollfd one{fd, events, 0};
    timespec limit = timespec_of(at_most);
    const long ready = raw_call(SYS_ppoll, &one, 1, &limit, 0, sizeof(SignalMask));
    // The kernel leaves the rest of the time in `limit`, ppoll(2).
    count_wait(at_most - limit.tv_sec * SECOND - limit.tv_nsec);
    return result_of<bool>(ready);
}

Status write_all(int fd, std::span<const char> bytes)
{
    while (!bytes.empty()) {
        const long written = raw_call(SYS_write, fd, bytes.data(), bytes.size());
        if (written < 0 && written != -EINTR) {
            return status_of(written);
        }
        bytes = bytes.last(bytes.size() - static_cast<std::size_t>(written < 0 ? 0 : written));
    }
    return {};
}

Result<Fd> dup_above_standard(int fd)
{
    return fd_of(raw_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

Result<Pipe> pipe()
{
    std::array<int, 2> ends{-1, -1};
    const long answer = raw_call(SYS_pipe2, ends.data(), O_CLOEXEC);
    return {{Fd(ends[0]), Fd(ends[1])}, error_of(answer)};
}

Status dup_onto(int from, int to)
{
    return from == to ? Status{} : status_of(raw_call(SYS_dup3, from, to, O_CLOEXEC));
}

Status move_onto(Fd& fd, int& number)
{
    if (fd.number() < 0) {
        return {};
    }
    const auto moved = dup_onto(fd.number(), number);
    if (moved && fd.number() != number) {
        fd = Fd(number);
    }
    number += moved ? 1 : 0;
    return moved;
}

void close(int fd)
{
    (void)raw_call(SYS_close, fd);
}

Status chdir(const char* path)
{
    return status_of(raw_call(SYS_chdir, path));
}

Status fchdir(int fd)
{
    return status_of(raw_call(SYS_fchdir, fd));
}

void close_from(int first)
{
    if (raw_call(SYS_close_range, static_cast<unsigned>(first), ~0U, 0U) != 0) {
        close_listed_from(first);
    }
}

bool exists(const char* path)
{
    return raw_call(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
}

Result<void*> map_memory(std::size_t size, bool is_shared)
{
    return map(size, PROT_READ | PROT_WRITE, (is_shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS, -1);
}

void unmap_memory(void* memory, std::size_t size)
{
    (void)raw_call(SYS_munmap, memory, size);
}

Result<Fd> above_standard(Result<Fd> opened)
{
    return opened && opened.value.number() <= STDERR_FILENO ? dup_above_standard(opened.value.number())
                                                            : static_cast<Result<Fd>&&>(opened);
}

} // namespace foster::sys
