// The controlling terminal: who is in its foreground.
#pragma once

#include "sys/files.hpp"
#include "sys/processes.hpp"

#include <sys/types.h>

namespace foster
{

// foster's controlling terminal, if it has one. Its errors are nothing to stop for.
class Terminal
{
  public:
    // None.
    Terminal() = default;
    // The controlling terminal, by way of a standard descriptor or of /dev/tty. Whether the child is never to have it: --no-terminal.
    static Terminal find(bool is_kept);

    bool is_there() const { return fd_.number() >= 0; }
    // Whether foster's own process group is in the foreground, and the child's may take its place. For a process of that group to ask,
    // with SIGTTIN blocked.
    bool is_own() const;
    // Puts the child's process group, if there is one, into the foreground if foster's own was there and is not to stay there. A
    // background job steals nothing.
    sys::Status give_to(pid_t group) const;
    // Puts foster's own process group into the foreground where the child's was.
    sys::Status take_back(pid_t child_group) const
    {
        return is_there() && is_foreground(child_group) ? put_in_foreground(own_group_) : sys::Status{};
    }
    // SIGTTOU is blocked, so this works from the background, too.
    sys::Status put_in_foreground(pid_t group) const { return sys::tcsetpgrp(fd_.number(), group); }
    // Whether this group is in the foreground.
    bool is_foreground(pid_t group) const;
    // Moves to this descriptor number, if there is a terminal, and leaves the number behind it.
    sys::Status move_to(int& number) { return sys::move_onto(fd_, number); }

  private:
    sys::Fd fd_;
    pid_t own_group_ = 0;
    bool is_kept_ = false;
};

} // namespace foster
