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

// One visit at a parent: a thread of it that sleeps in a system call is stopped by ptrace(2), calls wait4(2) for each zombie
// through the vdso's own call instruction or its own one (no code is written), gets its registers back and is let go; the call
// that was interrupted goes on.
//
// The kernel may keep the tracer for ever, when an execve of the parent does not end (PTRACE_SEIZE waits for its cred_guard_mutex), and
// the traced thread may not stop. So a second thread of foster makes the visit, and foster looks at it now and then. It is a thread since
// Yama's mode 1 allows an ancestor to trace, and takes a thread of that for it. A helper makes the visit where ids are to be borrowed
// and foster is not PID 1. The object lies in memory that it shares with foster.
class RemoteWait
{
  public:
    static constexpr std::size_t MAX_ZOMBIES = 16;

    // Begins a visit. zombies: at most MOST_ZOMBIES children of the parent, by the numbers that they have in its PID namespace.
    // Needs the right to trace it, PTRACE_MODE_ATTACH_REALCREDS in ptrace(2). A seccomp filter that foster is not under itself is an
    // obstacle, for it may answer wait4 with death, unless it is trusted.
    Blocker begin(pid_t parent, std::span<const pid_t> zombies, bool trusts_seccomp);
    // Whether it goes on. A visit that wants another user's ids begins once more.
    bool is_running();
    // Whether the thread has other registers than its own: foster must not end then, unless as PID 1, with whom all others do.
    bool is_midway() { return is_running() && step_ != Step::SEIZED; }
    // The thread has not stopped, or not gone on, in time: it is let go at its next stop.
    void give_up() { is_given_up_ = true; }
    // A helper that was given up: goes on if the workload has stopped it, and ends when the parent has.
    void look_after_helper();
    bool has_helper() { return helper_.is_busy(); }
    // Why it goes on, while it does.
    const char* why_stuck() const;
    // Whose zombies they are.
    pid_t parent() const { return parent_; }
    // Hands over a status that foster's own wait has taken. Whether it is of this visit.
    bool pass_on(const sys::Reaped& stopped);
    // What can be told to stand against a visit without trying.
    static Blocker precheck(pid_t parent, bool trusts_seccomp);

    // Once it is over. What wait4 answered for each zombie that its turn came for: its number, 0: it cannot be reaped yet, or -errno.
    std::span<const long> answers() const { return std::span(answers_).first(answered_); }
    // Why the visit was ended before that, if it was.
    const Blocker& blocker() const { return blocker_; }
    // How long it has taken, nanoseconds.
    sys::Nanoseconds duration() const { return end_ - start_; }

  private:
    enum class Step { SEIZED, ENTERING, LEAVING, RETURNING };

    static void work(void* visit);
    bool wants_ids() const;
    void make();
    void follow();
    Blocker attach();
    Blocker seize();
    void take(int status);
    void release();
    bool start_calls();
    bool call();
    bool enter_call();
    bool finish_call();
    bool go_on(int signal, bool asked_for);

    sys::Shared<pid_t> worker_ = 0; // the thread that makes the visit; 0: none, or a helper does
    sys::Helper helper_;
    sys::Shared<bool> is_given_up_ = false;
    sys::Shared<int> passed_on_ = 0; // a status; 0: none
    sys::Shared<bool> is_traced_ = false;

    pid_t parent_ = 0;
    sys::Shared<pid_t> thread_ = 0; // of the parent
    uid_t user_ = 0;                // of the parent
    gid_t group_ = 0;
    bool has_ids_ = false; // of the parent
    sys::Shared<Step> step_ = Step::SEIZED;
    std::uintptr_t vdso_ = 0;        // the parent's
    std::uintptr_t instruction_ = 0; // where it is in any vdso
    std::array<pid_t, MAX_ZOMBIES> zombies_{};
    std::size_t count_ = 0;
    std::array<long, MAX_ZOMBIES> answers_{};
    std::size_t answered_ = 0;
    cpu::Registers saved_{};
    cpu::Registers asleep_; // before the stop, with cpu::USES_OWN_CALL
    Blocker blocker_;
    sys::Nanoseconds start_ = 0;
    sys::Nanoseconds end_ = 0;
    alignas(16) std::array<std::byte, 16384> stack_; // of the worker
};

// The stop of a thread that nobody visits any more: it is let go. wait(2)'s status.
void let_go(pid_t thread, int status);

} // namespace foster
