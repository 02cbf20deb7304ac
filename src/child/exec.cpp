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

// Executes a file as execvp(3) does, including ENOEXEC: /bin/sh runs a script without "#!". Returns the errno value of
// the failure.
int execute(const char* path, const ExecRequest& request)
{
    char** arguments = request.options.command;
    const int error = sys::execve(path, arguments, request.environment.array());
    if (error != ENOEXEC) {
        return error;
    }
    // The array of execve(2) holds foster's own words before the command, at least one. So there is room for one more
    // argument before the command.
    char shell[] = "/bin/sh"; // an argument list needs a mutable string
    char* const word_before = arguments[-1];
    char* const command = arguments[0];
    arguments[-1] = &shell[0];
    arguments[0] = const_cast<char*>(path);
    const int shell_error = sys::execve(&shell[0], arguments - 1, request.environment.array());
    arguments[-1] = word_before;
    arguments[0] = command;
    return shell_error == ENOENT ? ENOEXEC : shell_error;
}

int check_interpreter(const char* path, const ExecRequest& /*request*/)
{
    return sys::exists(path) ? ELIBACC : ENOENT;
}

// Tries each directory of PATH in turn, as the shell does, until an attempt fails for a reason other than an absent
// file or a missing permission. A missing permission (EACCES) is returned if no later directory has the file.
int try_path(const char* name, const ExecRequest& request, int (*attempt)(const char*, const ExecRequest&))
{
    int error = ENOENT;
    sys::SearchPath paths(request.environment.find("PATH"), name);
    while (const char* const path = paths.next()) {
        const int failed = attempt(path, request);
        if (failed == EACCES) {
            // EACCES may also mean that the directory may not be searched, e.g. a directory of root's in the PATH of an
            // image that runs as another user.
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
    request.errors.of(Step::SESSION) = sys::setsid().error;
    if (!request.options.no_terminal) {
        request.errors.of(Step::TERMINAL) = sys::take_controlling_terminal(STDIN_FILENO).error;
    }
}

void enter_own_group(ExecRequest& request)
{
    // A script's background job is in the script's own group, and POSIX wants SIGINT and SIGQUIT ignored in it.
    const bool is_foreground =
        request.terminal.is_own() && !(sys::is_ignored(SIGINT).value && sys::is_ignored(SIGQUIT).value);
    request.errors.of(Step::GROUP) = sys::setpgid(0, 0).error;
    if (is_foreground && request.errors.of(Step::GROUP) == 0) {
        request.errors.of(Step::TERMINAL) = request.terminal.put_in_foreground(::getpid()).error;
    }
}

// LISTEN_PID and WATCHDOG_PID name the process that the variables are for, sd_listen_fds(3), sd_watchdog_enabled(3). If
// one names foster, it is changed to name the child. `text` must live until exec.
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

// Runs after the change of user, which clears the parent-death signal, PR_SET_PDEATHSIG(2const).
void tether(ExecRequest& request)
{
    if (request.options.tether == 0) {
        return;
    }
    request.errors.of(Step::TETHER) = sys::set_parent_death_signal(request.options.tether).error;
    if (::getppid() != request.foster) {
        (void)sys::kill(::getpid(), request.options.tether); // foster has died before the call above
    }
}

void send_step_errors(const ExecRequest& request)
{
    if (request.errors_to >= 0) {
        const auto* bytes = reinterpret_cast<const char*>(&request.errors);
        (void)sys::write_all(request.errors_to, {bytes, sizeof request.errors});
    }
}

// Returns after a step failed without which the command must not run.
void try_exec(ExecRequest& request)
{
    if (request.credentials != nullptr) {
        request.errors.of(Step::USER) = request.credentials->apply().error;
        if (request.errors.of(Step::USER) != 0) {
            return;
        }
    }
    if (request.options.directory != nullptr) {
        request.errors.of(Step::DIRECTORY) = sys::chdir(request.options.directory).error;
        if (request.errors.of(Step::DIRECTORY) != 0) {
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
        // execve also returns ENOENT if the file exists and its interpreter or loader does not.
        error = try_command(request, check_interpreter);
    }
    request.errors.of(Step::EXECUTE) = error;
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
