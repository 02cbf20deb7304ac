// What tracing needs to know of a CPU architecture: one file for each of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <sys/types.h>

namespace foster::cpu
{

using Registers = std::array<std::uint64_t, 40>;

// Whether a remote wait can be had on this architecture.
extern const bool IS_SUPPORTED;
// The bytes of the instruction that calls the kernel; at most a word.
std::span<const unsigned char> call_instruction();
// How many bytes of registers a process of this architecture has; one for an older architecture has another number.
std::size_t register_bytes();

// All of a thread that was stopped on its way back from the kernel, PTRACE_EVENT_STOP in ptrace(2).
// Whether it was in a system call, not in its own code.
bool is_in_call(const Registers& registers);
// A call that answers EINTR to any stop, unlike most, is made one that the kernel begins again.
void begin_again_after_stop(Registers& registers);
// Makes the thread call wait4(pid, NULL, WNOHANG | __WALL, NULL) by the instruction at this address, and nothing be begun again.
void set_wait4(Registers& registers, std::uintptr_t instruction, pid_t pid);
// What the call has answered: a pid, 0, or an errno value below 0.
long answer(const Registers& registers);

} // namespace foster::cpu
