// The child: the one process that foster itself spawns, the real workload.
#pragma once

#include "options.hpp"
#include "signals.hpp"

#include <sys/types.h>

namespace foster
{

inline constexpr int CANNOT_EXECUTE = 126;
inline constexpr int NOT_FOUND = 127;

class Child
{
  public:
    // Spawns the command with the inherited mask and dispositions. Ends foster with one line and 125 when no process can be
    // made, 126 when the command cannot be executed, 127 when it is not found.
    static Child spawn(const Options& options, const InheritedSignals& inherited, char** environment,
                       const sys::Messages& messages);

    pid_t pid() const { return pid_; }
    // Hands a received signal on. The child must not have been reaped: its pid would be anyone's. A refusal is a warning.
    void forward(const signalfd_siginfo& received) const;

  private:
    Child(pid_t pid, bool group, const sys::Messages& messages) : pid_(pid), group_(group), messages_(messages) {}
    sys::Status send(const signalfd_siginfo& received) const;
    void warn_refused(int signal, int error) const;

    pid_t pid_;
    bool group_;
    const sys::Messages& messages_;
};

// What foster ends with: the child's exit code, or 128 + N when signal N killed it. wait(2)'s status.
int exit_code_of(int status);
// "exited with 3", "killed by SIGTERM"
void add_ending(sys::Line& line, int status);

} // namespace foster
