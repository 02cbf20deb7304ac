#include "log/line_writer.hpp"

#include "sys/clock.hpp"
#include "sys/files.hpp"
#include "sys/memory.hpp"

#include "sys/syscall.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <span>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

namespace foster::log
{
namespace
{

// Whether the file is in a file system, which may be frozen or remote, so that a write blocks. AT_STATX_DONT_SYNC keeps
// statx(2) itself from waiting for a remote server.
bool is_in_file_system(int fd)
{
    constexpr int DO_NOT_SYNC = 0x4000; // AT_STATX_DONT_SYNC; musl 1.2.3 does not declare statx
    constexpr int TYPE = 1;             // STATX_TYPE
    constexpr std::size_t MODE = 14;    // stx_mode, in 16-bit words
    std::array<std::uint16_t, 128> state{};
    const auto known =
        sys::status_of(sys::raw_call(SYS_statx, fd, "", AT_EMPTY_PATH | DO_NOT_SYNC, TYPE, state.data()));
    return known ? S_ISREG(state[MODE]) || S_ISBLK(state[MODE]) : known.error != EBADF;
}

// Writes as many bytes as fit without blocking. EAGAIN: no room. EOPNOTSUPP: this file or this kernel has no write that
// never blocks.
sys::Result<std::size_t> write_at_once(int fd, std::span<const char> bytes)
{
    constexpr int NO_WAIT = 8; // RWF_NOWAIT; musl 1.2.3 does not declare it
    if (is_in_file_system(fd)) {
        return {0, EOPNOTSUPP};
    }
    const iovec whole{const_cast<char*>(bytes.data()), bytes.size()};
    auto written = sys::result_of<std::size_t>(sys::raw_call(SYS_pwritev2, fd, &whole, 1, -1L, -1L, NO_WAIT));
    if (!written && written.error != EAGAIN) {
        // Before Linux 6.4, sockets support RWF_NOWAIT not in pwritev2 but this flag in send(2). Terminals and FIFOs
        // support neither.
        written = sys::result_of<std::size_t>(
            sys::raw_call(SYS_sendto, fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0));
        written.error = written.error == ENOTSOCK ? EOPNOTSUPP : written.error;
    }
    return written;
}

} // namespace

sys::Status LineWriter::write(std::span<const char> line, sys::Nanoseconds at_most)
{
    retry();
    if (has_unwritten()) {
        return keep(line);
    }
    auto written = write_at_once(fd_, line);
    if (written.error == EAGAIN && at_most != 0) {
        (void)sys::poll_one(fd_, POLLOUT, at_most);
        written = write_at_once(fd_, line);
    }
    if (!written && written.error != EOPNOTSUPP) {
        return {{}, written.error};
    }
    const auto rest = line.subspan(written ? written.value : 0);
    return rest.empty() ? sys::Status{} : write_by_helper(rest, at_most != 0);
}

// A helper process does the write, and foster waits for it. Most writes return at once, but many in a row may take at
// most 10 % of foster's time. In the meantime, lines for a file are kept in memory.
sys::Status LineWriter::write_by_helper(std::span<const char> line, bool may_wait)
{
    constexpr int INTERVAL_FACTOR = 10;
    const bool is_file = is_in_file_system(fd_);
    if (!is_file && !sys::poll_one(fd_, POLLOUT, 0).value) {
        return {{}, EAGAIN};
    }
    const auto write_line = [line](int file) {
        (void)sys::chdir("/"); // the workload may need the working directory released
        return sys::write_all(file, line).error;
    };
    const auto start = sys::monotonic_now();
    if (!helper_.start(fd_, write_line)) {
        // No process could be made. An error during set-up is the last message, so for it foster may block in write.
        return may_wait ? sys::Status{{}, sys::write_all(fd_, line).error} : keep(line);
    }
    if (is_file && start < next_await_at_) {
        return {};
    }
    const auto done = helper_.await();
    const auto end = sys::monotonic_now();
    next_await_at_ = end + INTERVAL_FACTOR * (end - start);
    return done.error == ETIMEDOUT ? sys::Status{} : done;
}

// Keeps lines for a file only: a file has room, and does not need a reader.
sys::Status LineWriter::keep(std::span<const char> line)
{
    constexpr std::size_t MAX = 0x10000;
    if (kept_ == nullptr && is_in_file_system(fd_)) {
        const auto memory = sys::map_memory(MAX);
        kept_ = memory ? static_cast<char*>(memory.value) : nullptr;
    }
    if (kept_ == nullptr || line.size() > MAX - kept_size_) {
        return {{}, EAGAIN};
    }
    std::copy_n(line.data(), line.size(), kept_ + kept_size_);
    kept_size_ += line.size();
    return {};
}

void LineWriter::retry()
{
    if (kept_size_ != 0 && helper_.start(fd_, [this](int file) {
            return sys::write_all(file, {kept_, kept_size_}).error;
        })) {
        kept_size_ = 0; // the helper has a copy of the memory
    }
}

void LineWriter::finish()
{
    for (int rounds = 0; rounds < 2 && has_unwritten(); ++rounds) {
        retry();
        (void)helper_.await();
    }
    if (helper_.is_busy()) {
        helper_.kill(); // else a waiting parent might mistake the helper's exit for foster's
        (void)helper_.await();
    }
}

} // namespace foster::log
