#include "supervisor/exit_report.hpp"

#include "log/duration.hpp"
#include "signals/signal_name.hpp"
#include "sys/cgroup.hpp"
#include "sys/clock.hpp"
#include "sys/files.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/wait.h>

namespace foster
{
namespace
{

// clang-tidy 14 does not see a use of a literal operator that is a template.
using log::operator""_is; // NOLINT(misc-unused-using-decls)

} // namespace

// Does not follow a symbolic link, which may point to any file that root can write. Creating or truncating a file
// blocks on a frozen file system, so a helper process does that.
sys::Result<sys::Fd> ExitReport::open(const char* path)
{
    constexpr int FLAGS = O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW;
    const auto emptied =
        opener_.run(-1, [path](int /*none*/) { return sys::open(path, FLAGS | O_CREAT | O_TRUNC).error; });
    return emptied ? sys::above_standard(sys::open(path, FLAGS)) : sys::Result<sys::Fd>{{}, emptied.error};
}

ExitReport::ExitReport(const Options& options, const log::Messages& messages) : messages_(messages)
{
    const char* const path = options.termination_log;
    if (path == nullptr && !messages.shows(log::Level::INFO)) {
        return;
    }
    start_ = sys::monotonic_now();
    oom_kills_ = sys::oom_kills();
    if (path == nullptr) {
        return;
    }
    // The kubelet mounts a file at this path, unless the pod's terminationMessagePath names another one. If the file is
    // missing here, nobody would read a new one.
    const bool is_missing = std::string_view(path) == "/dev/termination-log" && !sys::exists(path);
    auto file = open(path);
    if (file.error == ELOOP) {
        messages.warning("termination-log-refused|cannot write the termination log '{path}': {reason}", path,
                         "it is a symbolic link, which is not followed");
    } else if (is_missing || !file) {
        messages.warning("termination-log-refused|cannot {} the termination log '{path}': {reason}{}",
                         is_missing ? "find" : "write", path, log::Error{is_missing ? ENOENT : file.error},
                         is_missing ? "; name the pod's terminationMessagePath by --termination-log=PATH" : "");
    }
    file_ = static_cast<sys::Fd&&>(file.value);
    log::set_error_log(file_.number());
}

void ExitReport::note_exit(const char* name, int status)
{
    std::copy_n(name, std::min(std::strlen(name), name_.size() - 1), name_.data());
    status_ = status;
    run_time_ = sys::monotonic_now() - start_;
}

void ExitReport::write(pid_t child, int orphans, int leftovers) const
{
    if (!is_wanted()) {
        return;
    }
    log::Line end;
    log::OptionalNumber code;
    const SignalName killer(WTERMSIG(status_));
    if (WIFEXITED(status_)) {
        code = WEXITSTATUS(status_);
        end.add("exited with {}", code);
    } else {
        end.add("was killed by {}{}", killer.text(), WCOREDUMP(status_) ? " (core dumped)" : "");
    }
    log::Line time;
    log::add_duration(time, run_time_);
    const SignalName signal(last_.signal);
    log::OptionalNumber sender;
    log::OptionalNumber user;
    log::Line source;
    if (last_.signal == 0) {
        source.add("none");
    } else if (last_.code > 0) { // positive codes are the kernel's own signals, sigaction(2)
        source.add("{} from the kernel", signal.text());
    } else {
        sender = last_.sender;
        user = last_.user;
        // The kernel reports pid 0 if the sender is outside this PID namespace.
        last_.sender == 0 ? source.add("{} from outside the PID namespace, uid {}", signal.text(), last_.user)
                          : source.add("{} from pid {}, uid {}", signal.text(), last_.sender, last_.user);
    }
    const auto kills = sys::oom_kills();
    const log::OptionalNumber killed =
        oom_kills_ < 0 || kills < 0 ? log::OptionalNumber() : std::max(kills - oom_kills_, std::int64_t{0});
    log::Line line;
    log::compose(line, log::Level::INFO,
                 "child-ended|{name}[{pid}] {} after {}; last signal: {}; OOM kills: {oom_kills}; orphans reaped: "
                 "{orphans_reaped}; leftovers ended: {leftovers_ended}{!exit_code}{!signal}{!core_dumped}"
                 "{!ran_ms}{!last_signal}{!sender_pid}{!sender_uid}",
                 "name"_is = name_.data(), "pid"_is = child, end.c_string(), time.c_string(), source.c_string(),
                 "oom_kills"_is = killed, "orphans_reaped"_is = orphans, "leftovers_ended"_is = leftovers,
                 "exit_code"_is = code, "signal"_is = code ? nullptr : killer.text(),
                 "core_dumped"_is = !code && WCOREDUMP(status_), "ran_ms"_is = run_time_ / 1'000'000,
                 "last_signal"_is = last_.signal == 0 ? nullptr : signal.text(), "sender_pid"_is = sender,
                 "sender_uid"_is = user);
    messages_.write(log::Level::INFO, line);
    if (file_.number() >= 0) {
        (void)sys::Helper().run(file_.number(), [text = line.finished()](int fd) {
            const auto size = sys::size_of(fd);
            return size.value == 0 || size.error == ESPIPE ? sys::write_all(fd, text).error : 0;
        });
    }
}

} // namespace foster
