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
    // real-time signal is kept once, as the kernel does with one that is blocked.
    bool keep(const siginfo_t& received) { return !memory_.empty() && enqueue_delayed(received); }
    // Nanoseconds of CLOCK_MONOTONIC at which the next one's time has come; 0: there is none.
    sys::Nanoseconds deadline() const { return count_ == 0 ? 0 : next().due; }
    // The next one whose time has come.
    std::optional<siginfo_t> take_due()
    {
        return count_ == 0 || next().due > sys::monotonic_now() ? std::nullopt : take_next();
    }

  private:
    struct Kept {
        sys::Nanoseconds due;
        siginfo_t signal;
    };
    bool enqueue_delayed(const siginfo_t& received);
    const Kept& next() const;
    std::optional<siginfo_t> take_next();

    const Options& options_;
    std::span<Kept> memory_;
    std::size_t count_ = 0; // of those kept, in the order in which they came
};

} // namespace foster
