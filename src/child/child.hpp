// The child: the one process that foster itself spawns, the real workload.
#pragma once

#include "child/exec.hpp"

#include <sys/types.h>

namespace foster
{

class Child
{
  public:
    // Spawns the command; with --pause there is none, and pid() is 0. Ends foster with one line, and the personality's code, when no process can be made, or the command
    // cannot be executed or found.
    static Child spawn(const Options& options, const InheritedSignals& inherited, const Terminal& terminal,
                       Environment& environment, const log::Messages& messages);

    pid_t pid() const { return pid_; }
    // Sends the signal that a received one stands for; whether it was sent. The child must not have been reaped: its pid would be
    // anyone's. A refusal is a warning.
    bool forward(const sys::ReceivedSignal& received, int signal) const;
    // SIGCONT to the process group that it was given; false where there is none.
    bool continue_group() const;

  private:
    Child(pid_t pid, bool group, const log::Messages& messages) : pid_(pid), group_(group), messages_(messages) {}
    sys::Status send(const sys::ReceivedSignal& received, int signal) const;
    void warn_refused(int signal, int error) const;

    pid_t pid_;
    bool group_;
    const log::Messages& messages_;
};

// What foster ends with: the child's exit code, or 128 + N when signal N killed it. wait(2)'s status.
int exit_code_of(int status);

} // namespace foster
