#include "sys/line_writer.hpp"

#include "sys/answers.hpp"

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

Status LineWriter::write(int fd, std::span<const char> line, Nanoseconds at_most)
{
    if (helper_.is_busy()) {
        return {{}, EBUSY};
    }
    auto written = write_at_once(fd, line);
    if (written.error == EAGAIN && at_most != 0) {
        (void)poll_one(fd, POLLOUT, at_most);
        written = write_at_once(fd, line);
    }
    if (!written && written.error != EOPNOTSUPP) {
        return {{}, written.error};
    }
    const auto rest = line.subspan(written ? written.value : 0);
    if (rest.empty()) {
        return {};
    }
    const auto write_rest = [rest](int file) { return write_all(file, rest).error; };
    if (helper_.start(fd, write_rest)) {
        const auto done = helper_.await();
        return done.error == ETIMEDOUT ? Status{} : done;
    }
    // There is no process to be had. The file of a set-up's error, after which nothing comes, may be waited for.
    const bool may_wait = is_in_file_system(fd) || (at_most != 0 && poll_one(fd, POLLOUT, at_most).value);
    return {{}, may_wait ? write_rest(fd) : EAGAIN};
}

void LineWriter::finish()
{
    if (helper_.is_busy()) {
        (void)helper_.await();
    }
}

} // namespace foster::sys
