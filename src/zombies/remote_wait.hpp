// Makes a process wait for children that it neglects, as people do by hand with a debugger.
#pragma once

#include "sys/clock.hpp"
#include "sys/helper.hpp"
#include "sys/processes.hpp"
#include "zombies/blocker.hpp"
#include "zombies/cpu.hpp"

#include <array>
#include <span>
#include <sys/types.h>

namespace foster
{

// One remote wait: a thread of the parent that sleeps in a system call is stopped by ptrace(2), calls wait4(2) for each
// zombie, gets its registers back and is let go; the call that was interrupted goes on. No code is written. How a
// thread is made to call wait4 is different on each CPU: cpu.hpp, cpu_x86_64.cpp, cpu_aarch64.cpp.
//
// The kernel may keep the tracer for ever, when an execve of the parent does not return (PTRACE_SEIZE waits for its
// cred_guard_mutex), and the traced thread may not stop. So a second thread of foster makes the remote wait, and foster
// looks at it now and then: remote_wait_thread.cpp. It is a thread since Yama's mode 1 allows an ancestor to trace, and
// takes a thread of that for it. A helper makes the remote wait where ids are to be borrowed and foster is not PID 1.
// The object lies in memory that it shares with foster.
//
// What is done at each stop of the traced thread, in remote_wait.cpp:
//
//   step      | the stop             | what is done                                              | next step
//   ----------+----------------------+-----------------------------------------------------------+----------
//   SEIZED    | that was asked for   | the registers are saved, and the first call begins        | ENTERING
//             |                      | it cannot be used, or was given up: it is let go          |
//   ENTERING  | at a call's entry    | the call becomes wait4, where it is not yet (aarch64)     | LEAVING
//             |                      | that fails: it is let go, as it is                        |
//   LEAVING   | at the call's exit   | the answer is noted, and the next call begins (x86_64)    | ENTERING
//             |                      | there is none, or not here: a stop is asked for           | RETURNING
//             |                      | a filter has caught the call: it goes on to its SIGSYS    | RETURNING
//   RETURNING | that was asked for   | the next call begins (aarch64)                            | ENTERING
//             |                      | there is none: its registers are put back, it is let go   |
//   any       | for a signal, or of  | its registers are put back, and it is let go; the signal  |
//             | the whole process    | is delivered, unless it is the SIGSYS of a filter         |
//
// A stop that was asked for is PTRACE_EVENT_STOP with SIGTRAP. One that comes while the thread is ENTERING or LEAVING
// is handled as in RETURNING. When the thread has exited, the remote wait is over.
class RemoteWait
{
  public:
    static constexpr std::size_t MAX_ZOMBIES = 16;

    // Begins a remote wait. zombies: at most MAX_ZOMBIES children of the parent, by the numbers that they have in its
    // PID namespace. Needs the right to trace it, PTRACE_MODE_ATTACH_REALCREDS in ptrace(2). A seccomp filter that
    // foster is not under itself is a blocker, since it may answer wait4 with death, unless it is trusted. Returns why
    // it has not begun, if so.
    Blocker begin(pid_t parent, std::span<const pid_t> zombies, bool trusts_seccomp);
    // Whether it goes on. One that needs another user's ids begins once more.
    bool is_running();
    // Whether the thread has other registers than its own: foster must not exit then, unless as PID 1, with whom all
    // others do.
    bool is_midway() { return is_running() && step_ != Step::SEIZED; }
    // The thread has not stopped, or not gone on, in time: it is let go at its next stop.
    void give_up() { is_given_up_ = true; }
    // A helper whose remote wait was given up: is resumed if the workload has stopped it, and killed once the parent
    // has exited.
    void look_after_helper();
    bool has_helper() { return helper_.is_busy(); }
    // Why it goes on, while it does.
    const char* why_stuck() const;
    // Whose zombies they are.
    pid_t parent() const { return parent_; }
    // Takes over a status that foster's own wait(2) has got. Returns whether it is of this remote wait.
    bool pass_on(const sys::Reaped& stopped);
    // The blockers of a remote wait that can be seen without one, in /proc.
    static Blocker precheck(pid_t parent, bool trusts_seccomp);

    // Once it is over. What wait4 has answered for each zombie that its turn came for: its number, 0: it cannot be
    // reaped yet, or -errno.
    std::span<const long> answers() const { return std::span(answers_).first(answered_); }
    // Why it was over before the last zombie, if it was.
    const Blocker& blocker() const { return blocker_; }
    // How long it has taken, nanoseconds.
    sys::Nanoseconds duration() const { return end_ - start_; }

  private:
    enum class Step { SEIZED, ENTERING, LEAVING, RETURNING };

    // remote_wait_thread.cpp
    static void run_in_thread(void* remote_wait);
    bool needs_ids() const;
    void run();
    void handle_stops();
    void ask_for_last_stop();

    // remote_wait.cpp
    Blocker attach();
    void handle_stop(int status);
    bool goes_on(int status);
    void let_go(int status);
    bool begin_calls();
    bool begin_call();
    bool enter_call();
    bool exit_call();

    sys::Shared<pid_t> tracer_ = 0; // the thread that makes the remote wait; 0: none, or a helper does
    sys::Helper helper_;
    sys::Shared<bool> is_given_up_ = false;
    sys::Shared<int> passed_on_ = 0; // a status; 0: none
    sys::Shared<bool> is_traced_ = false;

    pid_t parent_ = 0;
    sys::Shared<pid_t> traced_thread_ = 0; // of the parent; 0: it has been let go, or has exited
    uid_t user_ = 0;                       // of the parent
    gid_t group_ = 0;
    bool has_ids_ = false; // of the parent
    sys::Shared<Step> step_ = Step::SEIZED;
    std::array<pid_t, MAX_ZOMBIES> zombies_{};
    std::size_t count_ = 0;
    std::array<long, MAX_ZOMBIES> answers_{};
    std::size_t answered_ = 0;
    cpu::Calls calls_;
    Blocker blocker_;
    sys::Nanoseconds start_ = 0;
    sys::Nanoseconds end_ = 0;
    alignas(16) std::array<std::byte, 16384> stack_; // of the tracer
};

// Lets go of a thread that foster still traces, but no remote wait knows, at its stop. Takes the status that wait(2)
// has got.
void let_go(pid_t thread, int status);

} // namespace foster
