#include "log/line_writer.hpp"

#include "sys/syscall.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

namespace foster::sys
{
namespace
{

// Whether its file system may be frozen, or at the other end of a network. Asked for without asking that, statx(2).
bool is_in_file_system(int fd)
{
    constexpr int DO_NOT_SYNC = 0x4000; // AT_STATX_DONT_SYNC; musl 1.2.3 does not know this call
    constexpr int TYPE = 1;             // STATX_TYPE
    constexpr std::size_t MODE = 14;    // stx_mode, in 16-bit words
    std::array<std::uint16_t, 128> state{};
    const auto known = status_of(raw_call(SYS_statx, fd, "", AT_EMPTY_PATH | DO_NOT_SYNC, TYPE, state.data()));
    return known ? S_ISREG(state[MODE]) || S_ISBLK(state[MODE]) : known.error != EBADF;
}

// As much as there is room for. EAGAIN: for nothing. EOPNOTSUPP: this file, or this kernel, cannot promise not to wait.
Result<std::size_t> write_at_once(int fd, std::span<const char> bytes)
{
    constexpr int NO_WAIT = 8; // RWF_NOWAIT; musl 1.2.3 does not know it
    if (is_in_file_system(fd)) {
        return {0, EOPNOTSUPP};
    }
    const iovec whole{const_cast<char*>(bytes.data()), bytes.size()};
    auto written = result_of<std::size_t>(raw_call(SYS_pwritev2, fd, &whole, 1, -1L, -1L, NO_WAIT));
    if (!written && written.error != EAGAIN) {
        // Kernels before 6.4 promise it for sockets by this call alone. A terminal and a FIFO never do.
        written = result_of<std::size_t>(
            raw_call(SYS_sendto, fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0));
        written.error = written.error == ENOTSOCK ? EOPNOTSUPP : written.error;
    }
    return written;
}

} // namespace

Status LineWriter::write(std::span<const char> line, Nanoseconds at_most)
{
    go_on();
    if (is_behind()) {
        return keep(line);
    }
    auto written = write_at_once(fd_, line);
    if (written.error == EAGAIN && at_most != 0) {
        (void)poll_one(fd_, POLLOUT, at_most);
        written = write_at_once(fd_, line);
    }
    if (!written && written.error != EOPNOTSUPP) {
        return {{}, written.error};
    }
    const auto rest = line.subspan(written ? written.value : 0);
    return rest.empty() ? Status{} : write_by_helper(rest, at_most != 0);
}

// Most of these calls end at once. But many of them one after the other may take 10 % of the time: lines for a file can be kept.
Status LineWriter::write_by_helper(std::span<const char> line, bool may_wait)
{
    constexpr int REST_FACTOR = 10;
    const bool is_file = is_in_file_system(fd_);
    if (!is_file && !poll_one(fd_, POLLOUT, 0).value) {
        return {{}, EAGAIN};
    }
    const auto write_line = [line](int file) {
        (void)chdir("/"); // which the workload may want released
        return write_all(file, line).error;
    };
    const auto start = monotonic_now();
    if (!helper_.start(fd_, write_line)) {
        // There is no process to be had. The file of a set-up's error, after which nothing comes, may be waited for.
        return may_wait ? Status{{}, write_all(fd_, line).error} : keep(line);
    }
    if (is_file && start < awaits_again_) {
        return {};
    }
    const auto done = helper_.await();
    const auto end = monotonic_now();
    awaits_again_ = end + REST_FACTOR * (end - start);
    return done.error == ETIMEDOUT ? Status{} : done;
}

// For files alone: there is room in them, and nobody has to read it first.
Status LineWriter::keep(std::span<const char> line)
{
    constexpr std::size_t MOST = 0x10000;
    if (kept_ == nullptr && is_in_file_system(fd_)) {
        const auto memory = map_memory(MOST);
        kept_ = memory ? static_cast<char*>(memory.value) : nullptr;
    }
    if (kept_ == nullptr || line.size() > MOST - kept_size_) {
        return {{}, EAGAIN};
    }
    std::copy_n(line.data(), line.size(), kept_ + kept_size_);
    kept_size_ += line.size();
    return {};
}

void LineWriter::go_on()
{
    if (kept_size_ != 0 && helper_.start(fd_, [this](int file) {
            return write_all(file, {kept_, kept_size_}).error;
        })) {
        kept_size_ = 0; // the helper has its own copy
    }
}

void LineWriter::finish()
{
    for (int rounds = 0; rounds < 2 && is_behind(); ++rounds) {
        go_on();
        (void)helper_.await();
    }
    if (helper_.is_busy()) {
        helper_.kill(); // or whoever waits for foster might take its end for foster's
        (void)helper_.await();
    }
}

} // namespace foster::sys
