// The controlling terminal, and which process group is in its foreground.
#pragma once

#include "sys/files.hpp"
#include "sys/processes.hpp"

#include <sys/types.h>

namespace foster
{

// foster's controlling terminal, if it has one. No terminal error is fatal.
class Terminal
{
  public:
    // No terminal.
    Terminal() = default;
    // Finds the controlling terminal through a standard descriptor or /dev/tty. no_terminal: the child never gets it,
    // --no-terminal.
    static Terminal find(bool no_terminal);

    bool is_there() const { return fd_.number() >= 0; }
    // Whether foster's own process group is in the foreground, and the child's group may replace it. To be called by a
    // member of foster's group, with SIGTTIN blocked.
    bool is_own() const;
    // Puts the child's process group into the foreground, if that group exists, foster's own group is in the
    // foreground, and --no-terminal is not given. So a background job does not take the terminal.
    sys::Status give_to(pid_t group) const;
    // Puts foster's own process group into the foreground if the child's group is there.
    sys::Status take_back(pid_t child_group) const;
    // Works from the background, too, because SIGTTOU is blocked, tcsetpgrp(3).
    sys::Status put_in_foreground(pid_t group) const { return sys::tcsetpgrp(fd_.number(), group); }
    // Whether this group is in the foreground.
    bool is_foreground(pid_t group) const;
    // Moves the terminal's descriptor, if there is one, to `number`, and then increments `number`.
    sys::Status move_to(int& number) { return sys::move_onto(fd_, number); }

  private:
    sys::Fd fd_;
    pid_t own_group_ = 0;
    bool no_terminal_ = false;
};

} // namespace foster
