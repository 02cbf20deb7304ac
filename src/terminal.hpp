// The controlling terminal: who is in its foreground.
#pragma once

#include "sys/fd.hpp"
#include "sys/output.hpp"

#include <sys/types.h>

namespace foster
{

// foster's controlling terminal, if it has one. No error of a terminal is more than a debug message.
class Terminal
{
  public:
    // None.
    Terminal() = default;
    // The controlling terminal if it is standard input, output or error.
    static Terminal find();

    bool is_there() const { return fd_.number() >= 0; }
    // In the child: puts its process group into the foreground if foster's own was there. A background job steals nothing.
    void give_to(pid_t group, const sys::Messages& messages) const;
    // Puts foster's own process group into the foreground where the child's was.
    void take_back(pid_t child_group, const sys::Messages& messages) const;
    // Moves to this descriptor number. Returns whether it holds it.
    bool move_to(int number);

  private:
    void put_in_foreground(pid_t from, pid_t to, const sys::Messages& messages) const;

    sys::Fd fd_;
    pid_t own_group_ = 0;
};

} // namespace foster
