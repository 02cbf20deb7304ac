// Job control: Ctrl-Z under a shell, and which process group has the terminal.
#pragma once

#include "child/child.hpp"
#include "child/terminal.hpp"
#include "signals/signal_source.hpp"

namespace foster
{

class JobControl
{
  public:
    JobControl(Terminal terminal, const Child& child, SignalSource& signals)
        : terminal_(static_cast<Terminal&&>(terminal)), child_(child), signals_(signals)
    {
    }

    bool has_terminal() const { return terminal_.is_there(); }
    // Whether the child's process group is in the foreground.
    bool child_has_terminal() const { return terminal_.is_foreground(child_.pid()); }
    // The child may have stopped: then foster gives the terminal back and stops by the same signal, so that the shell gets its prompt.
    // As PID 1 the kernel does not let it.
    void follow_stopped_child();
    // The child's process group gets the terminal, and SIGCONT. Returns whether it has a group.
    bool continue_child() const;
    // A member of foster's own process group wants the terminal that the child's group has, as in `foster producer | less`. It has
    // been stopped for that.
    void lend_terminal();
    // The child has exited.
    void take_terminal_back() const { (void)terminal_.take_back(child_.pid()); }
    // Moves the terminal, if there is one, to this descriptor number, and leaves the next one.
    sys::Status move_to(int& number) { return terminal_.move_to(number); }

  private:
    Terminal terminal_;
    const Child& child_;
    SignalSource& signals_;
};

} // namespace foster
