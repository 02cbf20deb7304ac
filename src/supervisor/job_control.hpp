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
    // Whether the child's process group is the terminal's foreground group.
    bool child_has_terminal() const { return terminal_.is_foreground(child_.pid()); }
    // To be called after a SIGCHLD. If the child has stopped, foster takes the terminal back and stops itself by the
    // same signal, so that the shell shows its prompt. As PID 1, foster cannot stop: the kernel ignores the signal.
    void follow_stopped_child();
    // Gives the terminal to the child's process group and sends it SIGCONT. Returns false if the child has no process
    // group of its own.
    bool continue_child() const;
    // Takes the terminal for foster's own process group and continues that group. A member of it was stopped because it
    // used the terminal while the child's group was in the foreground, as in `foster producer | less`.
    void give_terminal_to_own_group();
    // Stops foster by SIGSTOP, unless a SIGCONT that would continue it has arrived already: a stop would discard it.
    void stop_with_child();
    // To be called after the child has exited.
    void take_terminal_back() const { (void)terminal_.take_back(child_.pid()); }
    // Moves the terminal, if there is one, to the descriptor `number`, and then increments `number`.
    sys::Status move_to(int& number) { return terminal_.move_to(number); }

  private:
    Terminal terminal_;
    const Child& child_;
    SignalSource& signals_;
};

} // namespace foster
