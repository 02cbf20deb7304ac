// System calls on files and descriptors, most of them named as the call.
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
// Whether the path is a regular file that this process may execute. The mount option noexec counts, too, access(2).
bool is_executable_file(const char* path);
// Whether the path is the file of this program, or a copy of it.
bool is_own_file(const char* path);

// All descriptors are close-on-exec. A new file gets mode 0666, less the umask. open(2).
Result<Fd> open(const char* path, int flags);
// The size of a file. Sets the offset to the end. ESPIPE: a pipe or a terminal. lseek(2).
Result<std::size_t> size_of(int fd);
Result<struct stat> fstat(int fd);
Result<std::size_t> read(int fd, std::span<char> buffer);
// The target of a symbolic link, cut off at the size of the buffer.
Result<std::string_view> readlink(const char* path, std::span<char> buffer);
// Opens a file of procfs, sysfs or cgroups for reading. ENOENT: the path is on another file system. A workload may have
// put any file there, even a FIFO that blocks.
Result<Fd> open_of_kernel(const char* path, int flags = 0);
// Reads the beginning of such a file, up to the size of the buffer.
Result<std::string_view> read_of_kernel(const char* path, std::span<char> buffer);
// Whether one of these events occurred within at_most nanoseconds, ppoll(2).
Result<bool> poll_one(int fd, short events, Nanoseconds at_most);
Status write_all(int fd, std::span<const char> bytes);
struct Pipe {
    Fd reader;
    Fd writer;
};
Result<Pipe> pipe();
Status dup_onto(int from, int to);
// If fd is open, moves it to `number` and increments `number`. An open descriptor with that number is closed.
Status move_onto(Fd& fd, int& number);
// Duplicates a descriptor to a number above the standard ones.
Result<Fd> dup_above_standard(int fd);
// Returns the descriptor, or a copy with a higher number if its number is 0, 1 or 2. If a standard descriptor was
// closed when foster started, foster must not reuse its number: output of the workload or messages would go there.
Result<Fd> above_standard(Result<Fd> opened);
Status chdir(const char* path);
Status fchdir(int fd);
// Closes all descriptors from `first` on, by close_range(2) or one by one.
void close_from(int first);

} // namespace foster::sys
