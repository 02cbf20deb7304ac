#include "supervisor/held_signals.hpp"

#include "sys/memory.hpp"

#include <algorithm>
#include <csignal>

namespace foster
{
namespace
{

constexpr std::size_t MAX = 0x10000; // more than may be pending for one user of most machines
constexpr sys::Nanoseconds FIRST_RETRY = 10'000'000;
constexpr sys::Nanoseconds MAX_RETRY = 100'000'000;

} // namespace

bool HeldSignals::add(const sys::ReceivedSignal& received, int signal)
{
    const auto plain = received.code == SI_QUEUE ? 0 : sys::bit_of(signal);
    if ((plain_ & plain) != 0) {
        return true;
    }
    if ((memory_ == nullptr && !begin()) || count_ == MAX) {
        return false;
    }
    plain_ |= plain;
    auto& held = memory_[(first_ + count_++) % MAX];
    held = received;
    held.number = signal;
    return true;
}

bool HeldSignals::begin()
{
    const auto memory = sys::map_memory(MAX * sizeof(sys::ReceivedSignal));
    if (memory) {
        memory_ = static_cast<sys::ReceivedSignal*>(memory.value);
        own_limit_ = sys::set_queue_limit(0);
        set_deadline();
    }
    return static_cast<bool>(memory);
}

const sys::ReceivedSignal& HeldSignals::take_first()
{
    if (count_ == 1) {
        (void)sys::set_queue_limit(own_limit_);
    }
    return memory_[first_];
}

void HeldSignals::remove_first()
{
    const auto& sent = memory_[first_];
    plain_ &= ~(sent.code == SI_QUEUE ? 0 : sys::bit_of(sent.number));
    first_ = (first_ + 1) % MAX;
    --count_;
    interval_ = 0;
    if (count_ == 0) {
        end();
    }
}

void HeldSignals::drop()
{
    if (has_any()) {
        (void)sys::set_queue_limit(own_limit_);
        end();
    }
}

void HeldSignals::end()
{
    sys::unmap_memory(memory_, MAX * sizeof(sys::ReceivedSignal));
    *this = {};
}

void HeldSignals::retry_later()
{
    if (count_ == 1) {
        (void)sys::set_queue_limit(0);
    }
    set_deadline();
}

void HeldSignals::set_deadline()
{
    interval_ = std::clamp(2 * interval_, FIRST_RETRY, MAX_RETRY);
    retry_at_ = sys::Deadline::in(interval_);
}

} // namespace foster
