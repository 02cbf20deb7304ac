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
    fd_ = static_cast<sys::Fd&&>(opened.value);
    if (!opened) {
        give_up(opened.error);
    }
}

void SignalSource::give_up(int error)
{
    fd_ = sys::Fd();
    messages_.debug("signalfd-refused|cannot use a signalfd: {reason}; rt_sigtimedwait stands in", log::Error{error});
}

void SignalSource::move_to(int& number)
{
    if (const auto moved = sys::move_onto(fd_, number); !moved) {
        give_up(moved.error);
    }
}

sys::Result<sys::ReceivedSignal> SignalSource::next(sys::Nanoseconds at_most)
{
    while (!has_more() && fd_.number() >= 0) {
        const int error = read_batch(at_most);
        if (error == EINTR || error == EAGAIN) {
            at_most = 0; // a look without the signalfd, for where ppoll or read fails again and again
            break;
        }
        if (error == ERESTART) {
            return sys::wait_for_signal(0);
        }
        if (error != 0) {
            give_up(error);
        }
    }
    if (!has_more()) {
        return sys::wait_for_signal(at_most);
    }
    const auto& read = batch_[next_++];
    // gVisor gives a value as an int only (signalfd of its sentry).
    return {{static_cast<int>(read.ssi_signo), read.ssi_code, static_cast<pid_t>(read.ssi_pid), read.ssi_uid,
             read.ssi_ptr != 0 ? read.ssi_ptr : static_cast<std::uint32_t>(read.ssi_int)}};
}

// Returns an errno value, 0 on success. ERESTART: only SIGCONT is pending, which must be taken without waiting. SIGSTOP
// discards a pending SIGCONT, signal(7), and as PID 1 foster is not stopped. So read(2) could wait beyond the deadline.
int SignalSource::read_batch(sys::Nanoseconds at_most)
{
    if (at_most >= 0) {
        const auto is_there = sys::poll_one(fd_.number(), POLLIN, at_most);
        if (!is_there || !is_there.value) {
            return is_there ? EAGAIN : is_there.error;
        }
        if ((sys::pending_signals() & ~sys::bit_of(SIGCONT)) == 0) {
            return ERESTART;
        }
    }
    const auto size = sys::read(fd_.number(), {reinterpret_cast<char*>(batch_.data()), sizeof batch_});
    next_ = 0;
    count_ = size ? size.value / sizeof batch_[0] : 0;
    return size ? 0 : size.error;
}

bool SignalSource::has_sigcont() const
{
    bool has = (sys::pending_signals() & sys::bit_of(SIGCONT)) != 0;
    for (auto index = next_; index < count_; ++index) {
        has = has || batch_[index].ssi_signo == SIGCONT;
    }
    return has;
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
