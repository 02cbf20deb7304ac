#include "child/exec.hpp"

#include "sys/files.hpp"
#include "sys/processes.hpp"
#include "sys/search_path.hpp"
#include "sys/signals.hpp"
#include "sys/text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace foster
{
namespace
{

// What execvp(3) does, ENOEXEC included: a script without "#!" is run by the shell. Returns why it failed.
int execute(const char* path, const ExecRequest& request)
{
    char** arguments = request.options.command;
    const int error = sys::execve(path, arguments, request.environment.array());
    if (error != ENOEXEC) {
        return error;
    }
    // The word before the command is foster's own, in the array that execve(2) gave us: there is room for one more.
    char shell[] = "/bin/sh"; // an argument list wants a mutable string
    char* const word_before = arguments[-1];
    char* const command = arguments[0];
    arguments[-1] = &shell[0];
    arguments[0] = const_cast<char*>(path);
    const int shell_error = sys::execve(&shell[0], arguments - 1, request.environment.array());
    arguments[-1] = word_before;
    arguments[0] = command;
    return shell_error == ENOENT ? ENOEXEC : shell_error;
}

int look_for(const char* path, const ExecRequest& /*request*/)
{
    return sys::exists(path) ? ELIBACC : ENOENT;
}

// Tries each directory of PATH in turn, as the shell does, until the answer is neither that the file is absent nor that it
// may not be executed, which is remembered.
int try_path(const char* name, const ExecRequest& request, int (*attempt)(const char*, const ExecRequest&))
{
    int error = ENOENT;
    sys::SearchPath paths(request.environment.find("PATH"), name);
    while (const char* const path = paths.next()) {
        const int failed = attempt(path, request);
        if (failed == EACCES) {
            // Or it is the directory that may not be searched, as one of root's in the PATH of an image with another user.
            error = sys::exists(path) ? EACCES : error;
        } else if (failed != ENOENT && failed != ENOTDIR) {
            return failed;
        }
    }
    return error;
}

int try_command(const ExecRequest& request, int (*attempt)(const char*, const ExecRequest&))
{
    const char* name = request.options.command[0];
    const bool is_path = name[0] == '\0' || *sys::end_at(name, '/') == '/';
    return is_path ? attempt(name, request) : try_path(name, request, attempt);
}

void enter_own_session(ExecRequest& request)
{
    request.report.of(Step::SESSION) = sys::setsid().error;
    if (!request.options.no_terminal) {
        request.report.of(Step::TERMINAL) = sys::take_controlling_terminal(STDIN_FILENO).error;
    }
}

void enter_own_group(ExecRequest& request)
{
    // A script's job in the background is in the script's own group, with these two ignored, as POSIX wants it.
    const bool is_foreground =
        request.terminal.is_own() && !(sys::is_ignored(SIGINT).value && sys::is_ignored(SIGQUIT).value);
    request.report.of(Step::GROUP) = sys::setpgid(0, 0).error;
    if (is_foreground && request.report.of(Step::GROUP) == 0) {
        request.report.of(Step::TERMINAL) = request.terminal.put_in_foreground(::getpid()).error;
    }
}

// systemd's notes to one process name that process, sd_listen_fds(3) and sd_watchdog_enabled(3): what names foster is meant for
// the child. The text must live until exec.
void rename_pid(Environment& environment, const char* name, pid_t foster, log::Line& text)
{
    log::Line own;
    own.add("{}", foster);
    const char* value = environment.find(name);
    if (value != nullptr && own.text() == value) {
        text.add("{}={}", name, ::getpid());
        environment.put(text.c_string());
    }
}

// After the change of user, which takes the signal back, PR_SET_PDEATHSIG(2const).
void tether(ExecRequest& request)
{
    if (request.options.tether == 0) {
        return;
    }
    request.report.of(Step::TETHER) = sys::set_parent_death_signal(request.options.tether).error;
    if (::getppid() != request.foster) {
        (void)sys::kill(::getpid(), request.options.tether); // foster has died already
    }
}

void send_step_errors(const ExecRequest& request)
{
    if (request.errors_to >= 0) {
        const auto* bytes = reinterpret_cast<const char*>(&request.report);
        (void)sys::write_all(request.errors_to, {bytes, sizeof request.report});
    }
}

// Returns when a step has failed without which there is no going on.
void try_exec(ExecRequest& request)
{
    if (request.credentials != nullptr) {
        request.report.of(Step::USER) = request.credentials->apply().error;
        if (request.report.of(Step::USER) != 0) {
            return;
        }
    }
    if (request.options.directory != nullptr) {
        request.report.of(Step::DIRECTORY) = sys::chdir(request.options.directory).error;
        if (request.report.of(Step::DIRECTORY) != 0) {
            return;
        }
    }
    tether(request);
    log::Line listen;
    log::Line watchdog;
    rename_pid(request.environment, "LISTEN_PID", request.foster, listen);
    rename_pid(request.environment, "WATCHDOG_PID", request.foster, watchdog);
    send_step_errors(request);
    request.inherited.restore();
    int error = try_command(request, execute);
    if (error == ENOENT) {
        // The file may be there all the same: then it is its interpreter or its loader that is not.
        error = try_command(request, look_for);
    }
    request.report.of(Step::EXECUTE) = error;
}

} // namespace

void exec_command(ExecRequest& request)
{
    if (request.options.own_session) {
        enter_own_session(request);
    } else if (!request.options.same_group) {
        enter_own_group(request);
    }
    try_exec(request);
    send_step_errors(request);
    ::_exit(log::failure_code());
}

} // namespace foster
