// System calls on files and descriptors, each one named as the call.
#pragma once

#include "sys/clock.hpp"
#include "sys/fd.hpp"
#include "sys/result.hpp"

#include <cstddef>
#include <span>
#include <string_view>
#include <sys/stat.h>

namespace foster::sys
{

bool exists(const char* path);
// A regular file that this process may execute, also for what its file system is mounted with.
bool is_executable_file(const char* path);
// The file of this very program, or a copy of it.
bool is_own_file(const char* path);

// Files. Every descriptor is close-on-exec. A file that is made is anyone's to read and write, but for the umask.
Result<Fd> open(const char* path, int flags);
// How long a file is, which is to be appended to. ESPIPE: a pipe, a terminal. lseek(2).
Result<std::size_t> size_of(int fd);
Result<struct stat> fstat(int fd);
Result<std::size_t> read(int fd, std::span<char> buffer);
// Where a symbolic link leads, as much as the buffer holds.
Result<std::string_view> readlink(const char* path, std::span<char> buffer);
// A file of procfs, sysfs or cgroups, to be read. ENOENT: it is on another file system, where it may be whatever a workload has made,
// even a FIFO.
Result<Fd> open_of_kernel(const char* path, int flags = 0);
// The beginning of such a file, as much as the buffer holds.
Result<std::string_view> read_of_kernel(const char* path, std::span<char> buffer);
// Whether these events have come before the time is over, ppoll(2).
Result<bool> poll_one(int fd, short events, Nanoseconds at_most);
Status write_all(int fd, std::span<const char> bytes);
struct Pipe {
    Fd reader;
    Fd writer;
};
Result<Pipe> pipe();
Status dup_onto(int from, int to);
// Gives a descriptor, if it is one, this number, and leaves the next one. What has it is closed.
Status move_onto(Fd& fd, int& number);
// A copy with a number above the standard ones.
Result<Fd> dup_above_standard(int fd);
// The same descriptor, or where its number is a standard one a copy above those: one that was closed when foster was started is
// not foster's to take, for what the workload or a message writes would land there.
Result<Fd> above_standard(Result<Fd> opened);
Status chdir(const char* path);
Status fchdir(int fd);
// Closes every descriptor from this one on: close_range(2), or one by one through /proc/self/fd.
void close_from(int first);

} // namespace foster::sys
