#include "child/child.hpp"

#include "sys/processes.hpp"
#include "sys/procfs.hpp"
#include "sys/signals.hpp"

#include <cerrno>
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace foster
{

sys::Status Child::send(const sys::ReceivedSignal& received, int signal) const
{
    const auto group = group_ ? sys::getpgid(pid_) : 0;
    // The child may have left its group and joined foster's, which is not signalled. Group 1 cannot be signalled:
    // kill(-1) means every process, kill(2).
    if (group > 1 && group != sys::getpgid(0)) {
        const auto sent = sys::kill(-group, signal);
        if (sent.error != ESRCH) {
            // kill(2) succeeds if it may signal one member of the group, which need not be the child. So ask for the
            // child itself by signal 0. SIGCONT may be sent to any process of the same session, a rule that signal 0
            // does not check.
            return sent && signal != SIGCONT ? sys::kill(pid_, 0) : sent;
        }
    }
    if (received.code == SI_QUEUE) {
        const auto queued = sys::queue_signal(pid_, signal, received);
        if (queued || (queued.error == EAGAIN && signal >= sys::FIRST_QUEUED)) {
            return queued;
        }
        // A sandbox refuses the call, or the child. The signal is then sent without its value, rather than lost.
        const auto sent = sys::kill(pid_, signal);
        if (sent && !std::exchange(values_refused_, true)) {
            messages_.warning("values-refused|cannot forward signals with their values: {reason}",
                              log::Error{queued.error});
        }
        return sent;
    }
    return sys::kill(pid_, signal);
}

bool Child::continue_group() const
{
    return static_cast<bool>(sys::kill(-pid_, SIGCONT));
}

Forwarded Child::forward(const sys::ReceivedSignal& received, int signal) const
{
    const auto sent = send(received, signal);
    if (sent) {
        if (messages_.shows(log::Level::INFO)) {
            messages_.info("signal-forwarded|forwarded {signal} to {name}[{pid}]", SignalName(signal).text(),
                           sys::ProcessName(pid_).text(), pid_);
        }
        return Forwarded::YES;
    }
    if (sent.error == EAGAIN && received.code == SI_QUEUE) { // of kill(2), only a sandbox's refusal
        return Forwarded::NO_ROOM;
    }
    if (sent.error != ESRCH) {
        warn_refused(signal, sent.error);
    }
    return Forwarded::NO;
}

void Child::warn_refused(int signal, int error) const
{
    log::Line remedy;
    if (error == EPERM) {
        const std::int64_t own = ::getuid();
        const std::int64_t user = sys::number_in_status(pid_, "Uid");
        remedy.add(" (foster runs as uid {}, the process as uid {}){}", own, user < 0 ? log::OptionalNumber() : user,
                   user == own ? "" // a sandbox has refused it
                   : own == 0  ? "; give foster CAP_KILL"
                               : "; run foster as root or give it CAP_KILL");
    }
    messages_.warning("signal-refused|cannot forward {signal} to {name}[{pid}]: {reason}{}", SignalName(signal).text(),
                      sys::ProcessName(pid_).text(), pid_, log::Error{error}, remedy.c_string());
}

int exit_code_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

} // namespace foster
