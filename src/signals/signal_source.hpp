// Where foster's signals come from: a signalfd, or rt_sigtimedwait(2) where that is refused.
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

// All signals must be blocked. Many of them come by one read(2), and are handed out in the order in which the kernel had them.
class SignalSource
{
  public:
    // A refusal is a message with -vv.
    explicit SignalSource(const log::Messages& messages);

    // The next signal; waits for one at most so long (nanoseconds; 0 looks and does not wait, below 0: for ever). EAGAIN: none has
    // come. EINTR: foster was stopped and continued. signalfd(2), ppoll(2).
    sys::Result<sys::ReceivedSignal> next(sys::Nanoseconds at_most);
    // Whether the read that brought the last one has brought more.
    bool has_more() const { return next_ < count_; }
    // The signals that have come and were not handed out, wherever they are.
    sys::SignalMask pending() const;
    // The stop signals among those that were read are gone, as SIGCONT takes them from those that were not, signal(7).
    void drop_stops();
    // Moves the signalfd, if there is one, to this descriptor number, and leaves the next one.
    sys::Status move_to(int& number) { return sys::move_onto(fd_, number); }

  private:
    int read_batch(sys::Nanoseconds at_most);
    void log_refusal(int error) const;

    const log::Messages& messages_;
    sys::Fd fd_;
    std::size_t next_ = 0;
    std::size_t count_ = 0;
    std::array<signalfd_siginfo, 16> batch_; // its beginning alone is touched while signals come one by one
};

} // namespace foster
