// Real-time signals for which the child has no room in its queue: its user has RLIMIT_SIGPENDING signals pending,
// sigqueue(3). The inline functions are called in every round of the event loop.
#pragma once

#include "sys/clock.hpp"
#include "sys/signals.hpp"

namespace foster
{

// As long as signals are held, nobody can queue further ones to foster: senders get EAGAIN, as the child itself would
// give it. Those that are pending for foster already are read and held, too, because the kernel counts the pending
// signals of all processes of a user, so that they could take the room that the child needs.
class HeldSignals
{
  public:
    bool has_any() const { return count_ != 0; }
    // Adds a signal, with the number as which it is to be forwarded. Returns false if there is no memory for it.
    bool add(const sys::ReceivedSignal& received, int signal);
    // The oldest one, which is to be sent now. There must be one. If it is the last one, signals can be queued to
    // foster again, because who gets it may answer at once.
    const sys::ReceivedSignal& take_first();
    // To be called after take_first(): the signal was sent, or there still was no room for it.
    void remove_first();
    void retry_later();
    // Drops all.
    void drop();
    // The time of the next attempt.
    sys::Deadline deadline() const { return retry_at_; }

  private:
    bool begin();
    void set_deadline();
    void end();

    sys::ReceivedSignal* memory_ = nullptr; // null: there is none
    std::size_t first_ = 0;
    std::size_t count_ = 0;
    sys::SignalMask plain_ = 0;   // held ones without a value: of these one of a number is enough, as with kill(2)
    std::uint64_t own_limit_ = 0; // foster's RLIMIT_SIGPENDING, which is 0 meanwhile
    sys::Deadline retry_at_;
    sys::Nanoseconds interval_ = 0;
};

} // namespace foster
