// Lines to a file that may not take them: none of them is waited for.
#pragma once

#include "sys/clock.hpp"
#include "sys/helper.hpp"

#include <span>

namespace foster::log
{

// Whatever the file is: a pipe or a socket that nobody reads, a terminal with room for half a line, a file of a frozen file system. Its
// O_NONBLOCK is not touched, for the workload shares it.
class LineWriter
{
  public:
    constexpr explicit LineWriter(int fd) : fd_(fd) {}

    // Takes a line, or nothing of it. Waits so long (nanoseconds) for a reader of a pipe or a socket. Where a file has taken a part, it
    // gets the rest when it has room, and until then nothing else. EAGAIN: there was no room. Other errors: write(2).
    sys::Status write(std::span<const char> line, sys::Nanoseconds at_most = 0);
    // Whether something is under way, or kept.
    bool is_behind() { return kept_size_ != 0 || helper_.is_busy(); }
    // Goes on with that, if it can.
    void go_on();
    // It may have been stopped.
    void resume_helper() const { helper_.resume(); }
    // Waits a tenth of a second for that, and gives it up.
    void finish();

  private:
    sys::Status write_by_helper(std::span<const char> line, bool may_wait);
    sys::Status keep(std::span<const char> line);

    int fd_;
    sys::Helper helper_;
    char* kept_ = nullptr; // lines that come faster than a helper can be waited for
    std::size_t kept_size_ = 0;
    sys::Nanoseconds awaits_again_ = 0;
};

} // namespace foster::log
