#include "terminal.hpp"

#include "sys/kernel.hpp"

#include <cstring>

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
        break;
    }
    return terminal;
}

void Terminal::give_to(pid_t group, const sys::Messages& messages) const
{
    put_in_foreground(own_group_, group, messages);
}

void Terminal::take_back(pid_t child_group, const sys::Messages& messages) const
{
    put_in_foreground(child_group, own_group_, messages);
}

// SIGTTOU is blocked, so this works from the background, too.
void Terminal::put_in_foreground(pid_t from, pid_t to, const sys::Messages& messages) const
{
    if (!is_there()) {
        return;
    }
    const auto foreground = sys::tcgetpgrp(fd_.number());
    if (!foreground || foreground.value != from) {
        return;
    }
    if (const auto given = sys::tcsetpgrp(fd_.number(), to); !given) {
        messages.debug(
            {"cannot put process group ", to, " into the terminal's foreground: ", std::strerror(given.error)});
    }
}

bool Terminal::move_to(int number)
{
    if (!is_there() || !sys::dup_onto(fd_.number(), number)) {
        return false;
    }
    if (fd_.number() != number) {
        fd_ = sys::Fd(number);
    }
    return true;
}

} // namespace foster
