#include "supervisor/delayed_signals.hpp"

#include "sys/clock.hpp"
#include "sys/memory.hpp"

#include <algorithm>

namespace foster
{

DelayedSignals::DelayedSignals(const Options& options, const log::Messages& messages) : options_(options)
{
    constexpr std::size_t MAX = 64;
    if (options.delays[0].signal == 0) {
        return;
    }
    const auto memory = sys::map_memory(MAX * sizeof(Kept));
    if (!memory) {
        messages.warning("delay-refused|cannot delay signals: {reason}", log::Error{memory.error});
        return;
    }
    memory_ = {static_cast<Kept*>(memory.value), MAX};
}

bool DelayedSignals::enqueue_delayed(const siginfo_t& received)
{
    const auto number = received.si_signo;
    const auto* const delay = std::ranges::find(options_.delays, number, &Delay::signal);
    if (delay == options_.delays.end()) {
        return false;
    }
    const auto kept = memory_.first(count_);
    if (number < FIRST_REAL_TIME &&
        std::ranges::any_of(kept, [number](const Kept& other) { return other.signal.si_signo == number; })) {
        return true;
    }
    if (count_ == memory_.size()) {
        return false;
    }
    memory_[count_++] = {sys::monotonic_now() + delay->time, received};
    return true;
}

const DelayedSignals::Kept& DelayedSignals::next() const
{
    return *std::ranges::min_element(memory_.first(count_), {}, &Kept::due);
}

std::optional<siginfo_t> DelayedSignals::take_next()
{
    const auto* const first = &next();
    const auto signal = first->signal;
    std::copy(first + 1, static_cast<const Kept*>(memory_.data()) + count_, memory_.data() + (first - memory_.data()));
    --count_;
    return signal;
}

} // namespace foster
