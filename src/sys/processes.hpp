// The kernel as foster sees it: one function per system call, named as the call.
#pragma once

#include "sys/fd.hpp"
#include "sys/result.hpp"

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <sys/stat.h>
#include <sys/types.h>

namespace foster::sys
{

// The kernel's own signal set: bit n - 1 is signal n. The C libraries' sigset_t functions silently leave out the signals
// that they keep for themselves (musl 32 to 34, glibc 32 and 33), so foster uses none of them.
using SignalMask = std::uint64_t;
inline constexpr SignalMask ALL_SIGNALS = ~SignalMask{0};
inline constexpr int LAST_SIGNAL = 64;
constexpr SignalMask bit_of(int signal)
{
    return SignalMask{1} << (signal - 1);
}

// Nanoseconds of CLOCK_MONOTONIC.
using Nanoseconds = std::int64_t;
Nanoseconds monotonic_now();
// The CPU time that this thread has taken, CLOCK_THREAD_CPUTIME_ID.
Nanoseconds cpu_time_now();
// The same of CLOCK_BOOTTIME, which /proc counts by.
Nanoseconds boottime_now();
// Since 1970, CLOCK_REALTIME.
Nanoseconds realtime_now();
// Of two times of which 0 is never.
constexpr Nanoseconds earlier(Nanoseconds one, Nanoseconds other)
{
    return one == 0 || (other != 0 && other < one) ? other : one;
}
// Sleeps, clock_nanosleep(2).
void nap(Nanoseconds time);

// Signals. rt_sigprocmask(2) with SIG_SETMASK, returning the mask that was in force.
Result<SignalMask> set_signal_mask(SignalMask mask);
// Whether a signal is ignored. sigaction(2).
Result<bool> is_ignored(int signal);
// Sets SIGCHLD's disposition to ignored or to default; returns whether it was ignored. sigaction(2).
Result<bool> ignore_sigchld(bool ignored);
// The next signal of all, which must be blocked; waits so long for one (nanoseconds; 0 looks and does not wait, below 0: for ever).
// EAGAIN: none has come. EINTR: stopped and continued. rt_sigtimedwait(2).
Result<siginfo_t> wait_for_signal(Nanoseconds at_most);
// The signals that wait to be taken, rt_sigpending(2); all are blocked. None where it is refused.
SignalMask pending_signals();
// Takes those of these signals that wait to be taken, and does nothing with them; all must be blocked.
void drop_pending(SignalMask signals);
// pid below 0 names a process group, kill(2). ESRCH: none is there. EPERM: none may be signalled.
Status kill(pid_t pid, int signal);
// Whoever has the pid now, also when that is another's, pidfd_open(2).
Result<Fd> pidfd_open(pid_t pid);
Status pidfd_send_signal(int process, int signal);
// A signal with the value and the sender that foster received it with, rt_sigqueueinfo(2).
Status queue_signal(pid_t pid, int signal, siginfo_t received);
// SIGCONT to this process group, of which this process, where it is blocked, does not see its own.
void continue_own_group();
// Stops this process group by a signal that is blocked otherwise, until SIGCONT, which is left to be taken. Returns whether it has
// stopped: the kernel lets an orphaned group go on, and PID 1.
bool stop_own_group(int signal);
// Stops this process by SIGSTOP until SIGCONT; as PID 1 the kernel does not let it.
void stop_self();
// Ends this process by a signal, without a core file. Returns where it cannot: as PID 1.
void die_by(int signal);
// The signal that has stopped this child since the last call, waitid(2); 0: none has.
int stopped_by(pid_t child);

// Processes.
Status become_subreaper();
// vfork semantics on a stack of its own where shares_memory is set, else fork semantics. body must not return.
Result<pid_t> clone(bool shares_memory, std::span<std::byte> stack, int (*body)(void*), void* argument);
struct Ended {
    pid_t pid = 0; // 0: there are children, but none has ended
    int status = 0;
};
// Reaps pid, or any child where pid is -1, without waiting. wait4(2) with WNOHANG and __WALL. ECHILD: no such child.
Result<Ended> reap(pid_t pid);
// Whether a thread may have ended; a fraction of what a look into /proc costs. One that has a robust list has not, for the kernel
// takes that away when it ends (futex_cleanup in the kernel); glibc gives one to every thread. get_robust_list(2).
bool may_have_ended(pid_t thread);
// The pid of a child that can be reaped, which stays a zombie; 0: none. waitid(2) with WNOWAIT. ECHILD: no children.
Result<pid_t> find_zombie();
// Whether a child has, which stays a zombie. waitid(2) with WNOWAIT. ECHILD: it is no child.
Result<bool> has_ended(pid_t child);
// The signal that this process gets when its parent dies, PR_SET_PDEATHSIG(2const).
Status set_parent_death_signal(int signal);
Status setpgid(pid_t pid, pid_t group);
// The process group of a process; 0 where it is not to be had.
pid_t getpgid(pid_t pid);
// Its session; 0 where that is not to be had.
pid_t getsid(pid_t pid);
Status setsid();
// Makes this process the user, with exactly these groups: setgroups(2), setgid(2), setuid(2), in this order.
Status become_user(uid_t user, gid_t group, std::span<const gid_t> groups);
// The terminal's foreground process group. ENOTTY: fd is no terminal, or not the controlling one. tcgetpgrp(3).
Result<pid_t> tcgetpgrp(int fd);
Status tcsetpgrp(int fd, pid_t group);
// Makes the terminal the controlling one of this session's leader, TIOCSCTTY(2const).
Status take_controlling_terminal(int fd);
// Gives the controlling terminal up, without the SIGHUP and SIGCONT that it brings a session's leader, TIOCNOTTY(2const).
// All signals must be blocked.
Status leave_controlling_terminal(int fd);
// Returns only when it failed, with the reason.
int execve(const char* path, char* const* arguments, char* const* environment);
bool exists(const char* path);
// A regular file that this process may execute, also for what its file system is mounted with.
bool is_executable_file(const char* path);
// The file of this very program, or a copy of it.
bool is_own_file(const char* path);

// Tracing a thread, ptrace(2). EPERM: it is not allowed, or another traces it already. ESRCH: it is gone, or is not stopped.
// All of it is for the thread that traces, and does not touch errno. PTRACE_SEIZE: it does not stop for that. The call waits for an
// execve of that process to end, be it for ever.
Status trace_seize(pid_t thread);
// Asks for a stop, which comes when the thread next would see a signal: PTRACE_EVENT_STOP.
Status trace_interrupt(pid_t thread);
// Lets it run on from a stop, to the beginning or end of the next system call if that is wanted.
Status trace_resume(pid_t thread, bool to_system_call);
// Lets it go from a stop, with this signal delivered (0: none).
Status trace_detach(pid_t thread, int signal);
// The general registers of a stopped thread; how many bytes there are.
Result<std::size_t> read_registers(pid_t thread, std::span<std::uint64_t> registers);
Status write_registers(pid_t thread, std::span<const std::uint64_t> registers);
// Whether the kernel itself has sent the signal that a thread is stopped at, PTRACE_GETSIGINFO.
bool is_forced_signal(pid_t thread);
// A word of its memory.
Result<unsigned long> read_word(pid_t thread, std::uintptr_t address);

// The stop of a thread that is traced by this one, as wait(2) has it; 0: it has not stopped, -1: it has ended. Its end is not reaped,
// for that is its parent's.
int stop_of_traced(pid_t thread);
// A root that has not CAP_SYS_PTRACE may trace a process of another user as that user. Takes its ids for this thread alone, but keeps
// the saved ones. Whoever has this user's id may signal this process then, kill(2): only for PID 1, whom that does no harm, or for a
// process whose death does none.
bool borrow_ids(uid_t user, gid_t group);

// Anonymous memory of this many bytes, which processes that are forked share if that is wanted, mmap(2).
Result<void*> map_memory(std::size_t size, bool is_shared = false);
// A whole file to be read, which stays mapped; empty where the file is.
Result<std::string_view> map_file(const char* path);
// Gives back the memory that only set-up has used, madvise(2): the pages below the stack in use, and the code in the section
// set_up (see the Makefile), which the kernel reads again if it is run after all. A refusal changes nothing.
void release_set_up();

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
