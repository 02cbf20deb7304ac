// Helper processes, for system calls that may block forever, so that foster itself does not block.
#pragma once

#include "sys/processes.hpp"
#include "sys/raw_call.hpp"
#include "sys/signals.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <sys/types.h>

namespace foster::sys
{

// A forked process without an exit signal: it causes no SIGCHLD, and only a wait with __WALL finds it. It gets SIGKILL
// when foster dies. One object has at most one process at a time.
class Helper
{
  public:
    // Runs `body` in a new process that has no open descriptor but fd (below 0: none). If no process can be made, runs
    // `body` in this process. Returns the errno value that `body` returned. ETIMEDOUT: the body still runs after a
    // tenth of a second (a second if the helper got no CPU time), and continues. EBUSY: the object's previous helper
    // still runs.
    template <typename Body> Status run(int fd, const Body& body)
    {
        const auto started = start(fd, body);
        return started ? await() : Status{{}, started.error == EBUSY ? EBUSY : body(fd)};
    }
    // Starts `body` in a new process; await() waits for it. EAGAIN, ENOMEM, EPERM, ENOSYS: no process could be made,
    // and nothing was done. EBUSY: as above.
    template <typename Body> Status start(int fd, const Body& body)
    {
        const long pid = fork(fd);
        if (pid == 0) {
            ::_exit(body(fd));
        }
        return {{}, error_of(pid)};
    }
    Status await();
    // Whether the helper still runs.
    bool is_busy() { return pid_ != 0 && !reaped(); }
    pid_t pid() const { return pid_; }
    // Sends SIGKILL. A helper blocked in the kernel exits only when its system call allows it.
    void kill() const { signal(SIGKILL); }
    // Sends SIGCONT, in case someone has stopped the helper.
    void resume() const { signal(SIGCONT); }
    // Whether the pid is a helper's.
    static bool is_helper(pid_t pid);
    // Whether any helper still runs. Reaps those that have exited.
    static bool is_any_running() { return count_ != 0 && is_any_left(); }

  private:
    void signal(int number) const;
    long fork(int& fd);
    static bool is_any_left();
    static int keep_only(int fd);
    static std::optional<int> reap(pid_t& helper);
    // The result of the helper's body if the helper has exited.
    std::optional<int> reaped();

    // shared by all objects
    static std::array<pid_t, 8> pids_; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
    static int count_;                 // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

    pid_t pid_ = 0; // 0: none
};

} // namespace foster::sys
