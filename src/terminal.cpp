#include "terminal.hpp"

#include <fcntl.h>

namespace foster
{

Terminal Terminal::find()
{
    Terminal terminal;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        if (!sys::tcgetpgrp(fd)) {
            continue; // no terminal, or not the controlling one
        }
        // Kept for the whole life, for the standard descriptors are not.
        if (auto copy = sys::dup_above_standard(fd)) {
            terminal.fd_ = static_cast<sys::Fd&&>(copy.value);
            terminal.own_group_ = ::getpgrp();
        }
        return terminal;
    }
    // A program whose standard descriptors all lead elsewhere may still ask at the terminal, as ssh and sudo do.
    terminal.fd_ = sys::above_standard(sys::open("/dev/tty", O_RDWR)).value;
    terminal.own_group_ = ::getpgrp();
    return terminal;
}

bool Terminal::is_foreground(pid_t group) const
{
    const auto foreground = sys::tcgetpgrp(fd_.number());
    return foreground && foreground.value == group;
}

// SIGTTOU is blocked, so this works from the background, too.
sys::Status Terminal::put_in_foreground(pid_t from, pid_t to) const
{
    return is_there() && is_foreground(from) ? sys::tcsetpgrp(fd_.number(), to) : sys::Status{};
}

} // namespace foster
