// Signals that are forwarded only after a delay, --delay. The inline functions are called in every round of the event
// loop; delayed_signals.cpp holds what runs rarely.
#pragma once

#include "options/options.hpp"
#include "sys/clock.hpp"

#include <optional>
#include <span>

namespace foster
{

class DelayedSignals
{
  public:
    // Maps memory only if a --delay is given. If there is no memory, it logs a warning, and no signal is delayed.
    DelayedSignals(const Options& options, const log::Messages& messages);

    // Queues a signal that --delay names. Returns false if the signal is to be forwarded now: it has no delay, or the
    // queue is full. A signal below SIGRTMIN is queued at most once, as the kernel does with a blocked signal,
    // signal(7).
    bool enqueue(const sys::ReceivedSignal& received) { return !memory_.empty() && enqueue_delayed(received); }
    // The time at which the next queued signal is due.
    sys::Deadline deadline() const { return count_ == 0 ? sys::Deadline() : sys::Deadline::at(next().due); }
    // Removes and returns a queued signal that is due now.
    std::optional<sys::ReceivedSignal> take_due()
    {
        return count_ == 0 || next().due > sys::monotonic_now() ? std::nullopt : take_next();
    }

  private:
    struct Entry {
        sys::Nanoseconds due;
        sys::ReceivedSignal signal;
    };
    bool enqueue_delayed(const sys::ReceivedSignal& received);
    const Entry& next() const;
    std::optional<sys::ReceivedSignal> take_next();

    const Options& options_;
    std::span<Entry> memory_;
    std::size_t count_ = 0; // entries in memory_, in the order of arrival
};

} // namespace foster
