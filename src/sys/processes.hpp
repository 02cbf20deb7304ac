// System calls on processes, each one named as the call.
#pragma once

#include "sys/result.hpp"

#include <cstddef>
#include <span>
#include <sys/types.h>

namespace foster::sys
{

// The signal that has stopped this child since the last call, waitid(2); 0: none has.
int stopped_by(pid_t child);

Status become_subreaper();
// vfork semantics on a stack of its own where shares_memory is set, else fork semantics. body must not return.
Result<pid_t> clone(bool shares_memory, std::span<std::byte> stack, int (*body)(void*), void* argument);
struct Reaped {
    pid_t pid = 0; // 0: there are children, but none has ended
    int status = 0;
};
// Reaps pid, or any child where pid is -1, without waiting. wait4(2) with WNOHANG and __WALL. ECHILD: no such child.
Result<Reaped> reap(pid_t pid);
// Whether a thread may have ended; a fraction of what a look into /proc costs. One that has a robust list has not, for the kernel
// takes that away when it ends (futex_cleanup in the kernel); glibc gives one to every thread. get_robust_list(2).
bool may_have_exited(pid_t thread);
// The pid of a child that can be reaped, which stays a zombie; 0: none. waitid(2) with WNOWAIT. ECHILD: no children.
Result<pid_t> find_zombie();
// Whether a child has, which stays a zombie. waitid(2) with WNOWAIT. ECHILD: it is no child.
Result<bool> has_exited(pid_t child);
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

} // namespace foster::sys
