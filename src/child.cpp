#include "child.hpp"

#include "sys/procfs.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>

namespace foster
{
namespace
{

constexpr const char* DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::size_t CHILD_STACK = 16384;

// All that the child needs between clone and exec, and the place where it leaves what went wrong.
struct Launch {
    const Options& options;
    const InheritedSignals& inherited;
    char** environment;
    const sys::Messages& messages;
    pid_t foster_group;
    int report = -1; // written to where memory is not shared
    int error = 0;   // why exec failed
};

// Hands the terminal over where foster's own group is in its foreground: a background job steals nothing. SIGTTOU is
// blocked, so that this works from the background group that the child has just become.
void take_terminal(const Launch& launch)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        const auto foreground = sys::tcgetpgrp(fd);
        if (!foreground) {
            continue; // no terminal, or not the controlling one
        }
        if (foreground.value == launch.foster_group) {
            if (const auto given = sys::tcsetpgrp(fd, ::getpid()); !given) {
                launch.messages.debug({"cannot give the terminal to the child: ", std::strerror(given.error)});
            }
        }
        return;
    }
}

// What execvp(3) does, ENOEXEC included: a script without "#!" is run by the shell. Returns why it failed.
int execute(const char* path, const Launch& launch)
{
    char** arguments = launch.options.command;
    const int error = sys::execve(path, arguments, launch.environment);
    if (error != ENOEXEC) {
        return error;
    }
    // The word before the command is foster's own, in the array that execve(2) gave us: there is room for one more.
    char shell[] = "/bin/sh"; // an argument list wants a mutable string
    char* const word_before = arguments[-1];
    char* const command = arguments[0];
    arguments[-1] = &shell[0];
    arguments[0] = const_cast<char*>(path);
    const int shell_error = sys::execve(&shell[0], arguments - 1, launch.environment);
    arguments[-1] = word_before;
    arguments[0] = command;
    return shell_error == ENOENT ? ENOEXEC : shell_error;
}

const char* search_path(char* const* environment)
{
    for (; *environment != nullptr; ++environment) {
        if (std::strncmp(*environment, "PATH=", 5) == 0) {
            return *environment + 5;
        }
    }
    return DEFAULT_PATH;
}

int look_for(const char* path, const Launch& /*launch*/)
{
    return sys::exists(path) ? ELIBACC : ENOENT;
}

// Tries each directory of PATH in turn, as the shell does, until the answer is neither that the file is absent nor that it
// may not be executed, which is remembered.
int try_path(const char* name, const Launch& launch, int (*attempt)(const char*, const Launch&))
{
    int error = ENOENT;
    char path[PATH_MAX]; // touched only as far as it is used
    for (const char* directory = search_path(launch.environment);;) {
        const char* end = std::strchr(directory, ':');
        end = end == nullptr ? directory + std::strlen(directory) : end;
        const auto length = static_cast<std::size_t>(end - directory);
        const auto name_size = std::strlen(name) + 1;
        if (length + 1 + name_size <= sizeof path) {
            char* at = std::copy_n(directory, length, &path[0]);
            if (length != 0) {
                *at++ = '/'; // an empty entry is the current directory
            }
            std::copy_n(name, name_size, at);
            const int failed = attempt(&path[0], launch);
            if (failed == EACCES) {
                error = EACCES;
            } else if (failed != ENOENT && failed != ENOTDIR) {
                return failed;
            }
        }
        if (*end == '\0') {
            return error;
        }
        directory = end + 1;
    }
}

int try_command(const Launch& launch, int (*attempt)(const char*, const Launch&))
{
    const char* name = launch.options.command[0];
    const bool is_path = name[0] == '\0' || std::strchr(name, '/') != nullptr;
    return is_path ? attempt(name, launch) : try_path(name, launch, attempt);
}

// The child between clone and exec: async-signal-safe calls only, and no way back into foster.
[[noreturn]] void become_command(Launch& launch)
{
    if (!launch.options.same_group) {
        if (const auto grouped = sys::setpgid(0, 0); grouped) {
            take_terminal(launch);
        } else {
            launch.messages.cannot({"give the child its own process group"}, grouped.error);
        }
    }
    launch.inherited.restore();
    launch.error = try_command(launch, execute);
    if (launch.error == ENOENT) {
        // The file may be there all the same: then it is its interpreter or its loader that is not.
        launch.error = try_command(launch, look_for);
    }
    if (launch.report >= 0) {
        const auto* bytes = reinterpret_cast<const char*>(&launch.error);
        (void)sys::write_all(launch.report, {bytes, sizeof launch.error});
    }
    ::_exit(launch.error == ENOENT ? NOT_FOUND : CANNOT_EXECUTE);
}

int child_body(void* launch)
{
    become_command(*static_cast<Launch*>(launch));
}

// Fork semantics, for a sandbox that refuses to share memory: the reason of a failed exec comes through a pipe that a
// successful exec closes.
sys::Result<pid_t> fork_child(Launch& launch, std::span<std::byte> stack)
{
    auto pipe = sys::must(sys::pipe(), "make a pipe");
    launch.report = pipe.writer.number();
    const auto pid = sys::clone(false, stack, child_body, &launch);
    pipe.writer = sys::Fd();
    if (pid) {
        int error = 0;
        if (const auto size = sys::read(pipe.reader.number(), {reinterpret_cast<char*>(&error), sizeof error});
            size && size.value == sizeof error) {
            launch.error = error;
        }
    }
    return pid;
}

// Neither failure says that there are too many processes or too little memory, so fork may work.
bool refuses_shared_memory(int error)
{
    return error != 0 && error != EAGAIN && error != ENOMEM;
}

[[noreturn]] void fail_spawn(int error)
{
    const char* remedy = error == EAGAIN ? ": a limit on processes is reached (pids cgroup, ulimit -u)" : "";
    sys::fail(sys::FOSTER_FAILED, {"cannot fork: ", std::strerror(error), remedy});
}

[[noreturn]] void fail_execute(const char* name, int error)
{
    if (error == ELIBACC) {
        sys::fail(CANNOT_EXECUTE, {"cannot run '", name, "': the file is there, but its interpreter or loader is not"});
    }
    sys::fail(error == ENOENT ? NOT_FOUND : CANNOT_EXECUTE, {"cannot run '", name, "': ", std::strerror(error)});
}

} // namespace

Child Child::spawn(const Options& options, const InheritedSignals& inherited, char** environment,
                   const sys::Messages& messages)
{
    Launch launch{options, inherited, environment, messages, ::getpgrp()};
    alignas(16) std::array<std::byte, CHILD_STACK> stack;
    auto pid = sys::clone(true, stack, child_body, &launch);
    if (refuses_shared_memory(pid.error)) {
        pid = fork_child(launch, stack);
    }
    if (!pid) {
        fail_spawn(pid.error);
    }
    if (launch.error != 0) {
        fail_execute(options.command[0], launch.error);
    }
    messages.info({"spawned ", options.command[0], "[", pid.value, "]"});
    return {pid.value, options.group, messages};
}

sys::Status Child::send(const signalfd_siginfo& received) const
{
    const int signal = static_cast<int>(received.ssi_signo);
    if (group_) {
        const auto sent = sys::kill(-pid_, signal);
        if (sent.error != ESRCH) {
            return sent;
        }
        // The child has left its group, or a sandbox refused it one: it is still the one to be told.
    }
    if (received.ssi_code == SI_QUEUE) {
        if (const auto sent = sys::queue_signal(pid_, received); sent) {
            return sent;
        }
        // Refused by a sandbox, or the queue is full: the signal matters more than its value.
    }
    return sys::kill(pid_, signal);
}

void Child::forward(const signalfd_siginfo& received) const
{
    const int signal = static_cast<int>(received.ssi_signo);
    const auto sent = send(received);
    if (sent) {
        if (messages_.shows(sys::Level::INFO)) {
            messages_.info(
                {"forwarded ", SignalName(signal).text(), " to ", sys::ProcessName(pid_).text(), "[", pid_, "]"});
        }
    } else if (sent.error != ESRCH) {
        warn_refused(signal, sent.error);
    }
}

void Child::warn_refused(int signal, int error) const
{
    sys::Line line;
    line.add({"forward ", SignalName(signal).text(), " to ", sys::ProcessName(pid_).text(), "[", pid_, "]"});
    sys::Line remedy;
    if (error == EPERM) {
        const auto user = sys::user_of(pid_);
        remedy.add({" (foster runs as uid ", ::getuid(), ", the process as uid "});
        remedy.add(user < 0 ? sys::Piece("unknown") : sys::Piece(user));
        remedy.add("); run foster as root or give it CAP_KILL");
    }
    messages_.cannot({line.text()}, error, remedy.text());
}

int exit_code_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void add_ending(sys::Line& line, int status)
{
    if (WIFEXITED(status)) {
        line.add({"exited with ", WEXITSTATUS(status)});
    } else {
        line.add({"killed by ", SignalName(WTERMSIG(status)).text(), WCOREDUMP(status) ? ", core dumped" : ""});
    }
}

} // namespace foster
