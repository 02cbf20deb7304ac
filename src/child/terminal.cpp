#include "child/terminal.hpp"

#include "sys/files.hpp"
#include "sys/processes.hpp"
#include "sys/signals.hpp"

#include <cerrno>
#include <fcntl.h>

namespace foster
{

Terminal Terminal::find(bool no_terminal)
{
    Terminal terminal;
    terminal.no_terminal_ = no_terminal;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        if (!sys::tcgetpgrp(fd)) {
            continue; // no terminal, or not the controlling one
        }
        // A copy, because standard input is closed later.
        if (auto copy = sys::dup_above_standard(fd)) {
            terminal.fd_ = static_cast<sys::Fd&&>(copy.value);
            terminal.own_group_ = ::getpgrp();
        }
        return terminal;
    }
    // ssh and sudo prompt at /dev/tty even if no standard descriptor is a terminal.
    terminal.fd_ = sys::above_standard(sys::open("/dev/tty", O_RDWR)).value;
    terminal.own_group_ = ::getpgrp();
    return terminal;
}

bool Terminal::is_foreground(pid_t group) const
{
    const auto foreground = sys::tcgetpgrp(fd_.number());
    return foreground && foreground.value == group;
}

bool Terminal::is_own() const
{
    if (no_terminal_ || !is_there() || !is_foreground(own_group_)) {
        return false;
    }
    if (own_group_ != 0) {
        return true;
    }
    // A group of 0 is outside foster's PID namespace, where every group has the number 0. To find out whether foster's
    // own is in the foreground, read 0 bytes: in the background that fails with EIO, since SIGTTIN is blocked.
    const auto terminal = sys::open("/dev/tty", O_RDONLY | O_NONBLOCK);
    return sys::read(terminal.value.number(), {}).error != EIO;
}

// The kernel accepts the number of a group without members as long as a process has that number (session_of_pgrp in the
// kernel), so the group is checked first.
sys::Status Terminal::give_to(pid_t group) const
{
    return is_own() && sys::kill(-group, 0).error != ESRCH ? put_in_foreground(group) : sys::Status{};
}

sys::Status Terminal::take_back(pid_t child_group) const
{
    return is_there() && is_foreground(child_group) ? put_in_foreground(own_group_) : sys::Status{};
}

} // namespace foster
