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
    const auto memory = sys::map_memory(MAX * sizeof(Entry));
    if (!memory) {
        messages.warning("delay-refused|cannot delay signals: {reason}", log::Error{memory.error});
        return;
    }
    memory_ = {static_cast<Entry*>(memory.value), MAX};
}

bool DelayedSignals::enqueue_delayed(const sys::ReceivedSignal& received)
{
    const auto number = received.number;
    const auto* const delay = std::ranges::find(options_.delays, number, &Delay::signal);
    if (delay == options_.delays.end()) {
        return false;
    }
    const auto queued = memory_.first(count_);
    if (number < FIRST_REAL_TIME &&
        std::ranges::any_of(queued, [number](const Entry& other) { return other.signal.number == number; })) {
        return true;
    }
    if (count_ == memory_.size()) {
        return false;
    }
    memory_[count_++] = {sys::monotonic_now() + delay->time, received};
    return true;
}

const DelayedSignals::Entry& DelayedSignals::next() const
{
    return *std::ranges::min_element(memory_.first(count_), {}, &Entry::due);
}

std::optional<sys::ReceivedSignal> DelayedSignals::take_next()
{
    const auto* const first = &next();
    const auto signal = first->signal;
    std::copy(first + 1, static_cast<const Entry*>(memory_.data()) + count_, memory_.data() + (first - memory_.data()));
    --count_;
    return signal;
}

} // namespace foster
