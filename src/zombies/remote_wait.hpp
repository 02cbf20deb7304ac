// RemoteWait: makes a process wait for zombies that it neglects, as people do by hand with a debugger.
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

// In a remote wait, a thread of the parent that sleeps in a system call is stopped by ptrace(2), calls wait4(2) for
// each zombie, gets its registers back and is detached. The interrupted call then continues. No code is written into
// the parent. How a thread is made to call wait4 depends on the CPU: cpu.hpp, cpu_x86_64.cpp, cpu_aarch64.cpp.
//
// The tracer may block without a limit: PTRACE_SEIZE waits for the cred_guard_mutex of the parent while an execve of
// the parent does not return. And the traced thread may never stop. So the tracer is a second thread of foster, which
// the main thread checks from time to time: remote_wait_thread.cpp. It is a thread, not a process, because Yama's mode
// 1 allows tracing by an ancestor, and a thread of foster counts as that. If the tracer needs the user and group IDs of
// the parent and foster is not PID 1, the tracer is a helper process. The RemoteWait is in memory that it shares with
// foster.
//
// The actions at each stop of the traced thread, in remote_wait.cpp:
//
//   step      | stop                 | action                                                     | next step
//   ----------+----------------------+------------------------------------------------------------+----------
//   SEIZED    | requested            | saves the registers and begins the first call              | ENTERING
//             |                      | if it is not usable or was given up: detaches the thread   |
//   ENTERING  | entry of a call      | makes the call a wait4, if it is not one yet (aarch64)     | LEAVING
//             |                      | if that fails: detaches the thread as it is                |
//   LEAVING   | exit of the call     | notes the answer and begins the next call (x86_64)         | ENTERING
//             |                      | if there is none, or not here (aarch64): requests a stop   | RETURNING
//             |                      | if a filter has caught the call: resumes, SIGSYS is next   | RETURNING
//   RETURNING | requested            | begins the next call (aarch64)                             | ENTERING
//             |                      | if there is none: restores the registers, detaches it      |
//   any       | signal, or stop of   | restores the registers and detaches the thread; the signal |
//             | the whole process    | is delivered, unless it is the SIGSYS of a filter          |
//
// A requested stop is PTRACE_EVENT_STOP with SIGTRAP, after PTRACE_INTERRUPT. One that comes while the step is ENTERING
// or LEAVING is handled as in RETURNING. When the thread has exited, the remote wait is over.
class RemoteWait
{
  public:
    static constexpr std::size_t MAX_ZOMBIES = 16;

    // Begins a remote wait. zombies: the pids of at most MAX_ZOMBIES children of the parent, in its PID namespace.
    // Needs the right to trace the parent, PTRACE_MODE_ATTACH_REALCREDS in ptrace(2). A seccomp filter that does not
    // apply to foster is a blocker, unless trusts_seccomp, since it may kill the parent for wait4. Returns why the
    // remote wait has not begun, or no blocker.
    Blocker begin(pid_t parent, std::span<const pid_t> zombies, bool trusts_seccomp);
    // Whether it is not over yet. If it needs the IDs of another user, begins it again with these.
    bool is_running();
    // Whether the traced thread has other registers than its own. Then foster must not exit, unless it is PID 1, whose
    // exit ends all processes.
    bool is_midway() { return is_running() && step_ != Step::SEIZED; }
    // To be called if the traced thread does not stop, or does not continue, in time. Detaches it at its next stop.
    void give_up() { is_given_up_ = true; }
    // Resumes the helper of a remote wait that was given up, in case the workload has stopped it. Kills it once the
    // parent has exited.
    void look_after_helper();
    bool has_helper() { return helper_.is_busy(); }
    // Why it is not over, to be called only while is_running().
    const char* why_stuck() const;
    // The parent of the zombies.
    pid_t parent() const { return parent_; }
    // Takes a status that the main thread has got by wait(2). Returns whether it belongs to this remote wait.
    bool pass_on(const sys::Reaped& stopped);
    // The blocker of a remote wait that /proc shows before an attempt, if any.
    static Blocker precheck(pid_t parent, bool trusts_seccomp);

    // The following are valid once it is over.
    // What wait4 has returned for each zombie, up to the last one that was tried: its pid; 0: it cannot be reaped yet;
    // or -errno.
    std::span<const long> answers() const { return std::span(answers_).first(answered_); }
    // Why it has ended before the last zombie; or no blocker.
    const Blocker& blocker() const { return blocker_; }
    // Its duration in nanoseconds.
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

    sys::Shared<pid_t> tracer_ = 0; // the second thread of foster; 0: none, or a helper is the tracer
    sys::Helper helper_;
    sys::Shared<bool> is_given_up_ = false;
    sys::Shared<int> passed_on_ = 0; // a status from pass_on(); 0: none
    sys::Shared<bool> is_traced_ = false;

    pid_t parent_ = 0;
    sys::Shared<pid_t> traced_thread_ = 0; // of the parent; 0: it was detached or has exited
    uid_t user_ = 0;                       // of the parent
    gid_t group_ = 0;
    bool has_ids_ = false; // the tracer has the IDs of the parent
    sys::Shared<Step> step_ = Step::SEIZED;
    std::size_t count_ = 0;
    std::size_t answered_ = 0;
    cpu::Calls calls_;
    Blocker blocker_;
    sys::Nanoseconds start_ = 0;
    sys::Nanoseconds end_ = 0;
    std::array<pid_t, MAX_ZOMBIES> zombies_{};
    std::array<long, MAX_ZOMBIES> answers_{};
    alignas(16) std::array<std::byte, 16384> stack_; // of the tracer
};

// Detaches a stopped thread that foster still traces but that belongs to no remote wait. status: of the stop, as
// wait(2) has returned it.
void let_go(pid_t thread, int status);

} // namespace foster
