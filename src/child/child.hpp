// The child: the one process that foster itself spawns, the real workload.
#pragma once

#include "child/exec.hpp"

#include <sys/types.h>

namespace foster
{

// What has become of a signal that was to be forwarded.
enum class Forwarded : std::uint8_t {
    YES,
    NO,      // it was refused, which was logged, or the child has exited
    NO_ROOM, // the child's queue is full
};

class Child
{
  public:
    // Spawns the command. With --pause there is no child, and pid() is 0. If no process can be made, or the command is
    // not found or cannot be executed, it ends foster with one line and the personality's exit code.
    static Child spawn(const Options& options, const InheritedSignals& inherited, const Terminal& terminal,
                       Environment& environment, const log::Messages& messages);

    pid_t pid() const { return pid_; }
    // Sends `signal` in place of the received signal, with the received value if it has one. The child must not have
    // been reaped, since its pid could then belong to another process. kill(2), rt_sigqueueinfo(2).
    Forwarded forward(const sys::ReceivedSignal& received, int signal) const;
    // Sends SIGCONT to the process group that foster gave to the child. Returns false if there is no such group.
    bool continue_group() const;

  private:
    Child(pid_t pid, bool group, const log::Messages& messages) : pid_(pid), group_(group), messages_(messages) {}
    sys::Status send(const sys::ReceivedSignal& received, int signal) const;
    void warn_refused(int signal, int error) const;

    pid_t pid_;
    bool group_;
    const log::Messages& messages_;
    mutable bool values_refused_ = false; // and that was logged
};

// foster's exit code for a status as of wait(2): the child's exit code, or 128 + N if signal N killed it.
int exit_code_of(int status);

} // namespace foster
