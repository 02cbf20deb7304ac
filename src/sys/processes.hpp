// System calls on processes, most of them named as the call.
#pragma once

#include "sys/result.hpp"

#include <cstddef>
#include <span>
#include <sys/types.h>
#include <sys/wait.h>

namespace foster::sys
{

// waitid(2) for a pid, or for P_ALL, with WNOHANG and __WNOTHREAD. Returns 0 or -errno; info.si_pid is 0 where there is
// nothing to report.
long wait_at_once(idtype_t type, pid_t pid, siginfo_t& info, int options);
// Returns the signal that has stopped this child since the last call, or 0, waitid(2).
int stopped_by(pid_t child);

Status become_subreaper();
// Runs `body` in a new process on its own stack: with vfork semantics if shares_memory is set, else with fork
// semantics. `body` must not return. clone(2).
Result<pid_t> clone(bool shares_memory, std::span<std::byte> stack, int (*body)(void*), void* argument);
struct Reaped {
    pid_t pid = 0; // 0: there are children, but no zombie
    int status = 0;
};
// Reaps this pid, or any child if pid is -1, without blocking. wait4(2) with WNOHANG, and __WALL while no helper runs.
// ECHILD: no such child.
Result<Reaped> reap(pid_t pid);
// Whether a thread may have exited, at a fraction of the cost of reading /proc. A thread with a robust list has not:
// the kernel clears the list at the exit (futex_cleanup in the kernel). glibc sets one for every thread.
// get_robust_list(2).
bool may_have_exited(pid_t thread);
// Returns the pid of a zombie child without reaping it; 0: there is none. waitid(2) with WNOWAIT. ECHILD: no children.
Result<pid_t> find_zombie();
// Whether this child is a zombie. Does not reap it. waitid(2) with WNOWAIT. ECHILD: it is not a child.
Result<bool> has_exited(pid_t child);
// Sets the signal that this process gets when its parent dies; 0: none. PR_SET_PDEATHSIG(2const).
Status set_parent_death_signal(int signal);
Status setpgid(pid_t pid, pid_t group);
// The process group of a process; 0: unknown.
pid_t getpgid(pid_t pid);
// The session of a process; 0: unknown.
pid_t getsid(pid_t pid);
Status setsid();
// Changes this process to the user and the group, with exactly these supplementary groups: setgroups(2), setresgid(2),
// setresuid(2), in this order.
Status become_user(uid_t user, gid_t group, std::span<const gid_t> groups);
// The terminal's foreground process group. ENOTTY: fd is not a terminal, or not the controlling one. tcgetpgrp(3).
Result<pid_t> tcgetpgrp(int fd);
Status tcsetpgrp(int fd, pid_t group);
// Makes the terminal the controlling terminal of this session. This process must be the session leader.
// TIOCSCTTY(2const).
Status take_controlling_terminal(int fd);
// Gives up the controlling terminal, and discards the SIGHUP and SIGCONT that a session leader gets for that,
// TIOCNOTTY(2const). All signals must be blocked.
Status leave_controlling_terminal(int fd);
// Returns only on failure, with the errno value.
int execve(const char* path, char* const* arguments, char* const* environment);

} // namespace foster::sys
