// What /proc tells about a process. Everything here may be unknown: /proc may be absent, or hide processes.
#pragma once

#include "sys/fd.hpp"
#include "sys/processes.hpp"
#include "sys/result.hpp"
#include "sys/text.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <sys/types.h>

namespace foster::sys
{

// "/proc/<pid>/<file>".
class ProcessPath : public FixedText<64>
{
  public:
    ProcessPath(pid_t pid, const char* file);
};

// The beginning of that file, as much as the buffer holds.
Result<std::string_view> read_of_process(pid_t pid, const char* file, std::span<char> buffer);

// The kernel's name of a process (its comm, proc_pid_comm(5)), which a zombie keeps; "?" where it is not to be had.
class ProcessName
{
  public:
    explicit ProcessName(pid_t pid);
    const char* text() const { return bytes_.data(); }

  private:
    std::array<char, 64> bytes_; // a kernel thread's name can be longer than 16 bytes
};

// The number in a line of proc_pid_status(5), as "Uid" or "TracerPid" names it; -1 where it is not to be had.
long number_in_status(pid_t pid, const char* key);

struct ProcessStat {
    pid_t pid = 0;
    pid_t parent = 0;
    pid_t group = 0;
    char state = '?'; // Z: a zombie, S: asleep, which is in a system call
    int threads = 0;
    bool is_of_kernel =
        false; // a thread that never leaves the kernel: one of its own, or one that io_uring gave to a process
    std::uint64_t start = 0; // clock ticks since boot
    std::array<char, 64> name_bytes{};
    std::size_t name_size = 0;

    std::string_view name() const { return {name_bytes.data(), name_size}; }
    // Not the first thread alone.
    bool has_exited() const { return state == 'Z' && threads <= 1; }
};

// What proc_pid_stat(5) tells of a process, or of one thread.
Result<ProcessStat> read_stat(pid_t pid);

// Why /proc does not tell of this PID namespace; null: it does.
const char* procfs_problem();

// Whether a process is this ancestor or a descendant of it. PID 1 has whatever is in its PID namespace, also what was put there from
// outside.
bool is_in_tree_of(pid_t ancestor, pid_t pid);

// The number of a process in the PID namespace of another one; 0: none, or unknown. Namespaces are nested, so that a process has a
// number in each of those around its own, proc_pid_status(5) under NSpid.
pid_t pid_as_seen_by(pid_t pid, pid_t other);

// Where the vdso is mapped in a process, of its auxiliary vector, proc_pid_auxv(5). EACCES: it must be allowed to be traced.
Result<std::uintptr_t> vdso_of(pid_t pid);

// The numbers that a directory's entries have for names, in the directory's order, which is ascending in /proc.
class NumberedEntries
{
  public:
    explicit NumberedEntries(const char* path);
    // 0 or why there is no such directory to be had.
    int error() const { return error_; }
    int descriptor() const { return directory_.number(); }
    // The next one; -1: there is none.
    int next();

  private:
    Fd directory_;
    int error_;
    std::size_t at_ = 0;
    std::size_t size_ = 0;
    alignas(8) std::array<char, 1024> buffer_;
};

// The children of this process, in the kernel's order, proc_tid_children(5); none where the kernel does not tell.
class OwnChildren
{
  public:
    OwnChildren();
    // Whether this is one of them. To be asked for ascending numbers, for it goes through them once; one that is out of order may be missed.
    bool next_is(pid_t pid);

  private:
    int take_byte();

    Fd file_;
    pid_t next_ = 0;
    std::size_t at_ = 0;
    std::size_t size_ = 0;
    std::array<char, 512> buffer_;
};

} // namespace foster::sys
