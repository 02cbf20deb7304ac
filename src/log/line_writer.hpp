// Writes lines to a descriptor that may block, without waiting for it.
#pragma once

#include "sys/clock.hpp"
#include "sys/helper.hpp"

#include <span>

namespace foster::log
{

// The descriptor may be a pipe or a socket that nobody reads, a terminal with room for half a line, or a file on a
// frozen file system. Its O_NONBLOCK flag is not changed, because the workload shares it.
class LineWriter
{
  public:
    constexpr explicit LineWriter(int fd) : fd_(fd) {}

    // Writes a line, or nothing of it. If a pipe or a socket is full, waits at most `at_most` nanoseconds for its
    // reader. If only a part of the line was written, a helper process writes the rest, and no other line is written
    // before that. EAGAIN: no room. Other errors: write(2).
    sys::Status write(std::span<const char> line, sys::Nanoseconds at_most = 0);
    // Whether a line is partly written or kept for later.
    bool has_unwritten() { return kept_size_ != 0 || helper_.is_busy(); }
    // Continues to write kept lines, if that is possible now.
    void retry();
    // The pid of the helper that writes; 0: none.
    pid_t helper() const { return helper_.pid(); }
    // Sends the helper SIGCONT, since someone may have stopped it.
    void resume_helper() const { helper_.resume(); }
    // Waits a tenth of a second for unfinished lines, then discards them.
    void finish();

  private:
    sys::Status write_by_helper(std::span<const char> line, bool may_wait);
    sys::Status keep(std::span<const char> line);

    int fd_;
    sys::Helper helper_;
    char* kept_ = nullptr; // lines that arrive faster than the helper writes them
    std::size_t kept_size_ = 0;
    sys::Nanoseconds next_await_at_ = 0;
};

} // namespace foster::log
