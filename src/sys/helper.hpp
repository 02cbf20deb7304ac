// A process for system calls that may never return, so that foster does not wait for them.
#pragma once

#include "sys/processes.hpp"
#include "sys/signals.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <sys/types.h>

namespace foster::sys
{

// A forked process. It has no exit signal: a wait without __WALL does not see it, and no SIGCHLD tells of its end. It gets SIGKILL
// when foster ends. One object has one process at a time.
class Helper
{
  public:
    // Runs a body, which gets a descriptor (below 0: none) and returns an errno value, in a new process that has no other one open, or
    // where there is none to be had in this one. Returns what it has returned. ETIMEDOUT: after a tenth of a second, or a second where
    // it has got no CPU, it is still at it, and goes on. EBUSY: the one before still is.
    template <typename Body> Status run(int fd, const Body& body)
    {
        const auto started = start(fd, body);
        return started ? await() : Status{{}, started.error == EBUSY ? EBUSY : body(fd)};
    }
    // The same in two steps. EAGAIN, ENOMEM, EPERM, ENOSYS: there is no process to be had, and nothing was done.
    template <typename Body> Status start(int fd, const Body& body)
    {
        const auto started = fork(fd);
        if (pid_ == SELF) {
            ::_exit(body(fd));
        }
        return started;
    }
    Status await();
    // Whether it has not ended.
    bool is_busy() { return pid_ != 0 && !reaped(); }
    pid_t pid() const { return pid_; }
    // Ends it, which takes effect when its system call lets it.
    void kill() const { signal(SIGKILL); }
    // It goes on if somebody has stopped it.
    void resume() const { signal(SIGCONT); }
    // Whether this process is a helper.
    static bool is_one(pid_t pid);
    // Whether there is one that has not ended. Those that have are reaped.
    static bool is_any() { return count_ != 0 && is_any_left(); }

  private:
    static constexpr pid_t SELF = -1;

    void signal(int number) const;
    Status fork(int& fd);
    static bool is_any_left();
    static int keep_only(int fd);
    static std::optional<int> reap(pid_t& helper);
    // What its body has returned, if it has ended.
    std::optional<int> reaped();

    // Of all of them.
    static std::array<pid_t, 8> pids_; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
    static int count_;                 // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

    pid_t pid_ = 0; // 0: none
};

} // namespace foster::sys
