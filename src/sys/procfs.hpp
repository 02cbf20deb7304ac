// Reading /proc. Everything may be unknown: /proc may be missing, or hide processes.
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

// The path "/proc/<pid>/<file>".
class ProcessPath : public FixedText<64>
{
  public:
    ProcessPath(pid_t pid, const char* file);
};

// Reads the beginning of that file, up to the size of the buffer.
Result<std::string_view> read_of_process(pid_t pid, const char* file, std::span<char> buffer);

// The kernel's name of a process, proc_pid_comm(5), which a zombie keeps; "?" if unknown.
class ProcessName
{
  public:
    explicit ProcessName(pid_t pid);
    const char* text() const { return bytes_.data(); }

  private:
    std::array<char, 64> bytes_; // names of kernel threads can be longer than 16 bytes
};

// The number in the line `key` of proc_pid_status(5), such as "Uid" or "TracerPid"; -1: unknown.
long number_in_status(pid_t pid, const char* key);

struct ProcessStat {
    pid_t pid = 0;
    pid_t parent = 0;
    pid_t group = 0;
    char state = '?'; // Z: zombie; S: sleeping, so inside a system call
    int threads = 0;
    bool is_of_kernel =
        false; // a thread that never leaves the kernel: a kernel thread, or a thread of io_uring in a process
    std::uint64_t start = 0; // clock ticks since boot
    std::array<char, 64> name_bytes{};
    std::size_t name_size = 0;

    std::string_view name() const { return {name_bytes.data(), name_size}; }
    // False while other threads live: the first thread alone is a zombie then.
    bool has_exited() const { return state == 'Z' && threads <= 1; }
};

// Reads proc_pid_stat(5) of a process or a thread. ESRCH: the text is not complete.
Result<ProcessStat> read_stat(pid_t pid);

// Why /proc is not usable for this PID namespace; null: it is usable.
const char* procfs_problem();

// Whether a process is the ancestor itself or descends from it. PID 1 counts as the ancestor of every process in its
// PID namespace, even of those that entered it from outside.
bool is_in_tree_of(pid_t ancestor, pid_t pid);

// The pid of a process in the PID namespace of another process; 0: none, or unknown. Namespaces are nested, so a
// process has one pid in each enclosing namespace: NSpid in proc_pid_status(5).
pid_t pid_as_seen_by(pid_t pid, pid_t other);

// The address of the vdso in a process, from its auxiliary vector, proc_pid_auxv(5). EACCES: foster may not trace the
// process.
Result<std::uintptr_t> vdso_of(pid_t pid);

// Iterates over the entries of a directory whose names are numbers, in the directory's order. In /proc they ascend.
class NumberedEntries
{
  public:
    explicit NumberedEntries(const char* path);
    // 0, or the errno value if the directory cannot be opened.
    int error() const { return error_; }
    int descriptor() const { return directory_.number(); }
    // The next number; -1: there is none.
    int next();

  private:
    Fd directory_;
    int error_;
    std::size_t at_ = 0;
    std::size_t size_ = 0;
    alignas(8) std::array<char, 1024> buffer_;
};

// The children of this process, in the kernel's order, proc_tid_children(5). Empty if the kernel does not provide this
// file.
class OwnChildren
{
  public:
    OwnChildren();
    // Whether this pid is a child. Must be called with ascending pids, because the list is read once. A child out of
    // order may be missed.
    bool contains(pid_t pid);

  private:
    int take_byte();

    Fd file_;
    pid_t next_ = 0;
    std::size_t at_ = 0;
    std::size_t size_ = 0;
    std::array<char, 512> buffer_;
};

} // namespace foster::sys
