// Signals that are forwarded only after a time, --delay. What is here is asked again and again; the rest is rarely run.
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
    // Takes memory only where a delay is asked for. If there is none to be had, that is a warning, and nothing is delayed.
    DelayedSignals(const Options& options, const log::Messages& messages);

    // Keeps a signal that is to be delayed; false: it is to be forwarded now, maybe because there is no room. One that is no
    // real-time signal is queued once, as the kernel does with one that is blocked.
    bool enqueue(const sys::ReceivedSignal& received) { return !memory_.empty() && enqueue_delayed(received); }
    // When the next one's time has come.
    sys::Deadline deadline() const { return count_ == 0 ? sys::Deadline() : sys::Deadline::at(next().due); }
    // The next one whose time has come.
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
    std::size_t count_ = 0; // of those queued, in the order in which they came
};

} // namespace foster
