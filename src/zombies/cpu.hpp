// The part of a remote wait that depends on the CPU architecture. Each CPU has a file cpu_NAME.cpp with its whole
// protocol; cpu_other.cpp is for the CPUs without a remote wait.
//
// A new CPU needs a file cpu_NEW.cpp, which defines start_thread and the members of Calls except read_found, and its
// macro in HAS_REMOTE_WAIT (sys/tracing.hpp) and in the #if of cpu_other.cpp.
#pragma once

#include "sys/result.hpp"
#include "sys/shared.hpp"
#include "zombies/blocker.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <sched.h>
#include <span>
#include <sys/types.h>

namespace foster::cpu
{

// Starts a second thread of foster by clone(2), which runs body on this stack. The thread shares errno with the one
// that starts it, so it makes system calls only by sys::raw_call. The body must not return. running is the ID of the
// thread until it has exited, then 0. Returns that ID, or -errno.
long start_thread(std::span<std::byte> stack, void (*body)(void*), void* argument, sys::Shared<pid_t>& running);
inline constexpr int THREAD_FLAGS = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                                    CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;

using Registers = std::array<std::uint64_t, 40>;

// The reason of a Blocker: the thread runs, or its first stop was not in a system call.
extern const char BUSY[];

// Makes a traced thread of another process call wait4(zombie, NULL, WNOHANG | __WALL, NULL): reads and writes its
// registers at each of its stops. The members are in the order of the steps in remote_wait.hpp.
//
// The first stop is by PTRACE_INTERRUPT. It must be on the way back from a system call that the thread slept in, where
// the kernel checks for signals: PTRACE_EVENT_STOP in ptrace(2). From there the kernel restarts the interrupted call by
// itself. Below, "the way back" is this part of a call.
class Calls
{
  public:
    // Seizes the thread by PTRACE_SEIZE, which does not stop it, and saves what is no longer visible after the first
    // stop. Blocks while an execve of the process does not return. Returns why the thread cannot be seized, with EPERM
    // or ESRCH; or no blocker.
    Blocker seize(pid_t thread);
    // At the first stop: saves the registers. Returns why the thread cannot be used, with ESRCH if it was killed; or no
    // blocker.
    Blocker check_first_stop();
    // Whether the next call begins at the exit of the previous one. If not, it begins at a further stop on the way
    // back.
    static bool begins_next_at_exit();
    // At the first stop, and at each stop where a further call begins: writes the registers so that the thread enters a
    // system call when it is resumed. After an error they are unchanged.
    sys::Status begin_call(pid_t zombie);
    // At the entry of that call: makes it a wait4, if it is not one yet. After an error the call is the thread's own.
    sys::Status enter_call(pid_t zombie);
    // At the exit of the wait4: returns its result, which is a pid, 0 or -errno. Error ESRCH: the thread was killed.
    sys::Result<long> read_answer();
    // At the same stop, unless a filter has caught the call: writes the registers for the way back.
    void exit_call();
    // At the last stop, on the way back: writes the registers of the first stop, so that the kernel restarts the
    // interrupted call. has_called: whether a wait4 has returned.
    void put_back(bool has_called);

  private:
    // In cpu.cpp, the same for all CPUs: reads count registers into found_. Returns a blocker as check_first_stop does.
    Blocker read_found(std::size_t count);
    sys::Status write(const Registers& registers) const;

    pid_t thread_ = 0;
    Registers found_{};              // the registers at the first stop
    Registers at_exit_{};            // at the exit of a wait4
    Registers asleep_{};             // aarch64: in the system call, before the first stop
    std::uintptr_t instruction_ = 0; // x86_64: the address of the call instruction
};

} // namespace foster::cpu
