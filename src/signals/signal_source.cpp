#include "signals/signal_source.hpp"

#include "sys/clock.hpp"

#include "sys/files.hpp"

#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sys/types.h>

namespace foster
{

SignalSource::SignalSource(const log::Messages& messages) : messages_(messages)
{
    auto opened = sys::above_standard(sys::signalfd());
    if (!opened) {
        log_refusal(opened.error);
    }
    fd_ = static_cast<sys::Fd&&>(opened.value);
}

void SignalSource::log_refusal(int error) const
{
    messages_.debug("signalfd-refused|cannot use a signalfd: {reason}; rt_sigtimedwait stands in", log::Error{error});
}

sys::Result<sys::ReceivedSignal> SignalSource::next(sys::Nanoseconds at_most)
{
    while (!has_more() && fd_.number() >= 0) {
        const int error = read_batch(at_most);
        if (error == EINTR || error == EAGAIN) {
            return {{}, error};
        }
        if (error != 0) {
            log_refusal(error);
            fd_ = sys::Fd();
        }
    }
    if (!has_more()) {
        return sys::wait_for_signal(at_most);
    }
    const auto& read = batch_[next_++];
    return {{static_cast<int>(read.ssi_signo), read.ssi_code, static_cast<pid_t>(read.ssi_pid), read.ssi_uid,
             read.ssi_ptr}};
}

// Returns an errno value, 0 on success.
int SignalSource::read_batch(sys::Nanoseconds at_most)
{
    if (at_most >= 0) {
        const auto is_there = sys::poll_one(fd_.number(), POLLIN, at_most);
        if (!is_there || !is_there.value) {
            return is_there ? EAGAIN : is_there.error;
        }
    }
    const auto size = sys::read(fd_.number(), {reinterpret_cast<char*>(batch_.data()), sizeof batch_});
    next_ = 0;
    count_ = size ? size.value / sizeof batch_[0] : 0;
    return size ? 0 : size.error;
}

sys::SignalMask SignalSource::pending() const
{
    auto pending = sys::pending_signals();
    for (auto index = next_; index < count_; ++index) {
        pending |= sys::bit_of(static_cast<int>(batch_[index].ssi_signo));
    }
    return pending;
}

void SignalSource::drop_stops()
{
    auto end = next_;
    for (auto index = next_; index < count_; ++index) {
        const auto number = static_cast<int>(batch_[index].ssi_signo);
        if (number != SIGTSTP && number != SIGTTIN && number != SIGTTOU) {
            batch_[end++] = batch_[index];
        }
    }
    count_ = end;
}

} // namespace foster
