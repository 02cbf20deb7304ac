// What a remote wait needs to know of a CPU architecture. Each one has a file, cpu_NAME.cpp, with its whole protocol.
//
// A new CPU needs a file cpu_NEW.cpp, which defines start_thread and the members of Calls, all but read_found; its
// macro in HAS_REMOTE_WAIT (sys/tracing.hpp) and in the first line of cpu_other.cpp, which is for the CPUs without a
// remote wait.
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

// Starts a second thread of foster, clone(2). It has the same errno as the one that starts it, so it makes system calls
// by sys::raw_call alone. The body must not return. While the thread is there, running is its number, else 0. Returns
// that, or -errno.
long start_thread(std::span<std::byte> stack, void (*body)(void*), void* argument, sys::Shared<pid_t>& running);
inline constexpr int THREAD_FLAGS = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                                    CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;

using Registers = std::array<std::uint64_t, 40>;

// A Blocker's reason: the thread runs, or its first stop was not in a system call.
extern const char BUSY[];

// The calls of wait4(zombie, NULL, WNOHANG | __WALL, NULL) that a traced thread of another process is made to do: its
// registers, and what is done with them at each of its stops. The members are in the order of the steps in
// remote_wait.hpp.
//
// The thread is used when it was stopped by PTRACE_INTERRUPT on its way back from a call that it slept in, where the
// kernel looks for signals: PTRACE_EVENT_STOP in ptrace(2). From there the kernel begins the interrupted call again by
// itself.
class Calls
{
  public:
    // Seizes the thread by PTRACE_SEIZE, and notes what cannot be known any more after its first stop. It does not stop
    // for that. Blocks as long as an execve of the process does. Returns why it cannot be seized: EPERM, or ESRCH.
    Blocker seize(pid_t thread);
    // At the first stop: saves its registers. Returns why it cannot be used; an error ESRCH: it has been killed.
    Blocker check_first_stop();
    // Whether the next call begins at the exit of the one before; else it does at the next stop on the way back.
    static bool begins_next_at_exit();
    // At the first stop, and at each where another call begins: writes the registers so that the thread enters a system
    // call when it is resumed. Any error: they are as they were.
    sys::Status begin_call(pid_t zombie);
    // At the entry of that call: makes it the wait4, where it is not yet. Any error: the call is the thread's own.
    sys::Status enter_call(pid_t zombie);
    // At the exit of the wait4: what it has answered, a pid, 0 or -errno. ESRCH: the thread has been killed.
    sys::Result<long> read_answer();
    // At the same stop, unless a filter has caught the call: prepares the way back.
    void exit_call();
    // At the last stop, on the way back: writes the registers that the thread had at the first one, so that its call
    // begins again. has_called: whether a wait4 has answered.
    void put_back(bool has_called);

  private:
    // The same on all CPUs, cpu.cpp: reads count registers into found_. Returns what check_first_stop does.
    Blocker read_found(std::size_t count);
    sys::Status write(const Registers& registers) const;

    pid_t thread_ = 0;
    Registers found_{};              // at the first stop
    Registers at_exit_{};            // of a wait4
    Registers asleep_{};             // aarch64: before the first stop
    std::uintptr_t instruction_ = 0; // x86_64: where the thread makes the wait4
};

} // namespace foster::cpu
