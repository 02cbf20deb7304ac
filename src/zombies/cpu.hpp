// What tracing needs to know of a CPU architecture: one file for each of them.
#pragma once

#include "sys/result.hpp"
#include "sys/shared.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <sched.h>
#include <span>
#include <sys/types.h>

namespace foster::cpu
{

using Registers = std::array<std::uint64_t, 40>;

// How many bytes of registers a process of this architecture has; one for an older architecture has another number.
std::size_t register_bytes();
// Starts a second thread of foster, clone(2). It has the same errno as the one that starts it, so it makes system calls by
// sys::raw_call alone. The body must not return. While the thread is there, running is its number, else 0. Returns that, or -errno.
long start_thread(std::span<std::byte> stack, void (*body)(void*), void* argument, sys::Shared<pid_t>& running);
inline constexpr int THREAD_FLAGS = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                                    CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
// What the call has answered: a pid, 0, or an errno value below 0.
long answer(const Registers& registers);

// On x86_64 a tracer finds a thread that was stopped on its way back from the kernel (PTRACE_EVENT_STOP in ptrace(2)) as the call
// has left it, and can put that back after other calls, which are made by the vdso's instruction. On aarch64 the kernel has
// already prepared what is to be begun again, do_signal in its arch/arm64/kernel/signal.c, and does not tell how. So there the
// thread is let go on to the entry of the call that it begins again, which becomes a wait4, whose answer becomes that of a call
// that was interrupted: the thread is stopped on its way back again.
#ifdef __aarch64__
inline constexpr bool USES_OWN_CALL = true;
#else
inline constexpr bool USES_OWN_CALL = false;
#endif

// Without USES_OWN_CALL.
// The bytes of the instruction that calls the kernel; at most a word.
std::span<const unsigned char> call_instruction();
// Whether a thread that was stopped on its way back was in a system call, not in its own code.
bool is_in_call(const Registers& registers);
// A call that answers EINTR to any stop, unlike most, is made one that the kernel begins again.
void begin_again_after_stop(Registers& registers);
// Makes the thread call wait4(pid, NULL, WNOHANG | __WALL, NULL) by the instruction at this address, and nothing be begun again.
void set_wait4(Registers& registers, std::uintptr_t instruction, pid_t pid);

// With USES_OWN_CALL.
// The registers of a thread that sleeps in a call, as far as proc_pid_syscall(5) tells; all 0: in none, or it is not to be had.
Registers read_asleep(pid_t thread);
// Whether a thread that was stopped on its way back comes from the call that it slept in, and can begin that again.
bool is_in_call(const Registers& registers, const Registers& asleep);
// Makes it begin the call again, also one that answers EINTR to any stop, unlike most.
void begin_again(Registers& registers, const Registers& asleep);
// At the entry of a call: makes it wait4(pid, NULL, WNOHANG | __WALL, NULL).
sys::Status replace_by_wait4(pid_t thread, pid_t pid);
// At the end of that: makes it the call that was found at the first stop, interrupted, but for its arguments.
void set_interrupted(Registers& registers, const Registers& found);

} // namespace foster::cpu
