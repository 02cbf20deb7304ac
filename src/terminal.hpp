// The controlling terminal: who is in its foreground.
#pragma once

#include "sys/kernel.hpp"

#include <sys/types.h>

namespace foster
{

// foster's controlling terminal, if it has one. Its errors are nothing to stop for.
class Terminal
{
  public:
    // None.
    Terminal() = default;
    // The controlling terminal, by way of a standard descriptor or of /dev/tty.
    static Terminal find();

    bool is_there() const { return fd_.number() >= 0; }
    // Puts the child's process group into the foreground if foster's own was there. A background job steals nothing.
    sys::Status give_to(pid_t group) const { return put_in_foreground(own_group_, group); }
    // Whether foster's own group is in the foreground.
    bool is_own() const { return is_foreground(own_group_); }
    // Puts foster's own process group into the foreground where the child's was.
    sys::Status take_back(pid_t child_group) const { return put_in_foreground(child_group, own_group_); }
    // Whether this group is in the foreground.
    bool is_foreground(pid_t group) const;
    // Moves to this descriptor number, if there is a terminal, and leaves the number behind it.
    sys::Status move_to(int& number) { return sys::move_onto(fd_, number); }

  private:
    sys::Status put_in_foreground(pid_t from, pid_t to) const;

    sys::Fd fd_;
    pid_t own_group_ = 0;
};

} // namespace foster
