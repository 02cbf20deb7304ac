// Makes a process wait for children that it neglects, as people do by hand with a debugger.
#pragma once

#include "cpu.hpp"
#include "obstacle.hpp"
#include "sys/kernel.hpp"

#include <array>
#include <span>

namespace foster
{

// One visit at a parent: a thread of it that sleeps in a system call is stopped by ptrace(2), calls wait4(2) for each zombie
// through the vdso's own call instruction or its own one (no code is written), gets its registers back and is let go; the call
// that was interrupted goes on. Nothing here waits: the thread's stops come in by take(), as reap() tells them.
class RemoteWait
{
  public:
    static constexpr std::size_t MOST_ZOMBIES = 16;

    // Begins a visit. zombies: at most MOST_ZOMBIES children of the parent, by the numbers that they have in its PID namespace.
    // Needs the right to trace it, PTRACE_MODE_ATTACH_REALCREDS in ptrace(2). A seccomp filter that foster is not under itself is an
    // obstacle, for it may answer wait4 with death, unless it is trusted.
    Obstacle begin(pid_t parent, std::span<const pid_t> zombies, bool trusts_seccomp);
    // The thread that is being visited; 0: none.
    pid_t thread() const { return thread_; }
    // A status of that thread, as wait(2) gave it.
    void take(int status);
    // Waits for the end of the visit: a second for the thread's first stop, half a minute once it has been given other work.
    void finish();
    // What can be told to stand against a visit without trying.
    static Obstacle foresee(pid_t parent, bool trusts_seccomp);
    // The thread has not stopped, or not gone on, in time: it is let go at its next stop. If it is not traced any more the visit is over.
    void abandon();
    // What wait4 answered for each zombie that its turn came for: its number, 0: it cannot be reaped yet, or -errno.
    std::span<const long> answers() const { return std::span(answers_).first(answered_); }
    // Why the visit was ended before that, if it was.
    const Obstacle& obstacle() const { return obstacle_; }

  private:
    enum class Step { SEIZED, ENTERING, LEAVING, RETURNING };

    Obstacle attach(pid_t parent, pid_t thread);
    Obstacle seize(pid_t thread);
    bool start_calls();
    bool call();
    bool enter_call();
    bool finish_call();
    bool go_on(int signal, bool asked_for);

    pid_t thread_ = 0;
    Step step_ = Step::SEIZED;
    bool abandoned_ = false;
    std::uintptr_t instruction_ = 0; // in the parent's vdso
    std::array<pid_t, MOST_ZOMBIES> zombies_{};
    std::size_t count_ = 0;
    std::array<long, MOST_ZOMBIES> answers_{};
    std::size_t answered_ = 0;
    cpu::Registers saved_{};
    cpu::Registers asleep_; // before the stop, with cpu::USES_OWN_CALL
    Obstacle obstacle_;
};

// The stop of a thread that nobody visits any more: it is let go. wait(2)'s status.
void let_go(pid_t thread, int status);

} // namespace foster
