// The source of foster's signals: a signalfd, or rt_sigtimedwait(2) where signalfd is refused.
#pragma once

#include "log/log.hpp"
#include "sys/clock.hpp"
#include "sys/fd.hpp"
#include "sys/files.hpp"
#include "sys/signals.hpp"

#include <array>
#include <sys/signalfd.h>

namespace foster
{

// Requires that all signals are blocked. One read(2) gets up to 16 signals, in the kernel's order.
class SignalSource
{
  public:
    // Logs a refusal of signalfd with -vv.
    explicit SignalSource(const log::Messages& messages);

    // Returns the next signal. Waits for at most `at_most` nanoseconds; 0: does not wait; negative: waits without
    // limit. EAGAIN: no signal arrived in that time. EINTR: foster was stopped and continued. signalfd(2), ppoll(2).
    sys::Result<sys::ReceivedSignal> next(sys::Nanoseconds at_most);
    // Whether the last read brought further signals that next() has not returned yet.
    bool has_more() const { return next_ < count_; }
    // Whether a SIGCONT is pending, or was read and next() has not returned it yet.
    bool has_sigcont() const;
    // Removes SIGTSTP, SIGTTIN and SIGTTOU from the signals that were read. The kernel does the same with those that
    // were not read, when SIGCONT arrives, signal(7).
    void drop_stops();
    // Moves the signalfd, if there is one, to the descriptor `number`, and then increments `number`. Closes it if that
    // is refused.
    void move_to(int& number);

  private:
    int read_batch(sys::Nanoseconds at_most);
    void give_up(int error);

    const log::Messages& messages_;
    sys::Fd fd_;
    std::size_t next_ = 0;
    std::size_t count_ = 0;
    std::array<signalfd_siginfo, 16> batch_; // one signal at a time touches only the first entry
};

} // namespace foster
