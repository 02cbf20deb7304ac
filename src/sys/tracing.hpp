// ptrace(2), and what goes with it.
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

} // namespace foster::sys
