// ptrace(2), and the credentials for it.
#pragma once

#include "sys/result.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <sys/types.h>

namespace foster::sys
{

// Whether there is a zombies/cpu_*.cpp for this architecture.
#if defined __x86_64__ || defined __aarch64__
inline constexpr bool HAS_REMOTE_WAIT = true;
#else
inline constexpr bool HAS_REMOTE_WAIT = false;
#endif

// Tracing a thread, ptrace(2). EPERM: foster may not trace it, or another process traces it. ESRCH: it has exited, or
// is not stopped. These calls are made by the tracing thread and do not touch errno. PTRACE_SEIZE does not stop the
// thread. The call blocks, without limit, while the process is in execve.
Status trace_seize(pid_t thread);
// Requests a stop, PTRACE_EVENT_STOP. It occurs when the thread next checks for signals.
Status trace_interrupt(pid_t thread);
// Resumes a stopped thread. to_system_call: it stops again at the entry or the exit of its next system call.
Status trace_resume(pid_t thread, bool to_system_call);
// Detaches from a stopped thread and delivers this signal; 0: none.
Status trace_detach(pid_t thread, int signal);
// Reads the general registers of a stopped thread. Returns their size in bytes.
Result<std::size_t> read_registers(pid_t thread, std::span<std::uint64_t> registers);
Status write_registers(pid_t thread, std::span<const std::uint64_t> registers);
// Whether the kernel sent the signal that the thread is stopped at, PTRACE_GETSIGINFO.
bool is_forced_signal(pid_t thread);
// Reads a word of the thread's memory.
Result<unsigned long> read_word(pid_t thread, std::uintptr_t address);

// The new stop of a traced thread, in the format of wait(2); 0: it has not stopped; -1: it has exited. Does not reap
// it: only its parent may.
int stop_of_traced(pid_t thread);
// Root without CAP_SYS_PTRACE may trace another user's process if it has that user's ids. Sets the effective and real
// ids of this thread alone, and keeps the saved ones. The user may then send signals to this process, kill(2). So this
// is only for PID 1, which such signals do not harm, or for a process whose death does no harm.
bool borrow_ids(uid_t user, gid_t group);

} // namespace foster::sys
