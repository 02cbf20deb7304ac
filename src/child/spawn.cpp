// Spawning the child: foster's side of clone. exec.cpp is the child's side.
#include "child/child.hpp"
#include "sys/files.hpp"
#include "sys/processes.hpp"

#include <array>
#include <cerrno>
#include <optional>
#include <span>
#include <sys/types.h>
#include <unistd.h>

namespace foster
{
namespace
{

constexpr std::size_t CHILD_STACK = 16384;

int child_body(void* request)
{
    exec_command(*static_cast<ExecRequest*>(request));
}

// For a sandbox that refuses shared memory: spawns with fork semantics. The child sends its errors through a pipe,
// which a successful exec closes.
sys::Result<pid_t> fork_child(ExecRequest& request, std::span<std::byte> stack)
{
    auto pipe = log::must(sys::pipe(), "make a pipe");
    request.errors_to = pipe.writer.number();
    const auto pid = sys::clone(false, stack, child_body, &request);
    pipe.writer = sys::Fd();
    while (pid) {
        StepErrors errors;
        const auto size = sys::read(pipe.reader.number(), {reinterpret_cast<char*>(&errors), sizeof errors});
        if (!size || size.value != sizeof errors) {
            break;
        }
        request.errors = errors; // each report contains the earlier ones
    }
    return pid;
}

// EAGAIN and ENOMEM mean too many processes or too little memory, so fork would fail, too. After any other error, fork
// may work.
bool refuses_shared_memory(int error)
{
    return error != 0 && error != EAGAIN && error != ENOMEM;
}

[[noreturn]] void fail_spawn(int error)
{
    const char* remedy = error == EAGAIN ? ": a limit on processes is reached (pids cgroup, ulimit -u)" : "";
    log::fail(log::failure_code(), "start-failed|cannot fork: {reason}{}", log::Error{error}, remedy);
}

[[noreturn]] void fail_execute(const Options& options, int error)
{
    const char* name = options.command[0];
    // tini's exit code is the same for an absent file and for a file whose interpreter is absent.
    const bool is_absent = error == ENOENT || (error == ELIBACC && options.personality->is_tini);
    const int own_code = is_absent ? options.personality->not_found : options.personality->cannot_execute;
    const int code = options.exit_codes[static_cast<std::size_t>(own_code)];
    if (error == ELIBACC) {
        log::fail(code, "exec-failed|cannot run '{command}': {reason}", name,
                  "the file is there, but its interpreter or loader is not");
    }
    log::fail(code, "exec-failed|cannot run '{command}': {reason}", name, log::Error{error});
}

void warn_of_refusals(StepErrors& errors, const log::Messages& messages)
{
    const auto warn = [&](Step step, log::Message<log::Error> message) {
        if (const int error = errors.of(step)) {
            messages.warning(message, log::Error{error});
        }
    };
    warn(Step::SESSION, "session-refused|cannot give the child its own session: {reason}");
    warn(Step::GROUP, "process-group-refused|cannot give the child its own process group: {reason}");
    warn(Step::TETHER, "tether-refused|cannot tether the child: {reason}");
    if (const int error = errors.of(Step::TERMINAL)) {
        messages.debug("terminal-refused|cannot give the terminal to the child: {reason}", log::Error{error});
    }
}

void fail_on_refusals(const Options& options, StepErrors& errors)
{
    if (const int error = errors.of(Step::USER)) {
        log::fail(log::failure_code(), "start-failed|cannot become user '{user}': {reason}", options.user,
                  log::Error{error});
    }
    if (const int error = errors.of(Step::DIRECTORY)) {
        log::fail(log::failure_code(), "start-failed|cannot change to directory '{directory}': {reason}",
                  options.directory, log::Error{error});
    }
    if (const int error = errors.of(Step::EXECUTE)) {
        fail_execute(options, error);
    }
}

} // namespace

Child Child::spawn(const Options& options, const InheritedSignals& inherited, const Terminal& terminal,
                   Environment& environment, const log::Messages& messages)
{
    if (options.mode == Mode::PAUSE) {
        return {0, false, messages};
    }
    std::optional<Credentials> credentials;
    if (options.user != nullptr) {
        credentials.emplace(options.user).set_home(environment);
    }
    for (std::size_t index = 0; index < options.assignment_count; ++index) {
        environment.put(options.assignments[index]);
    }
    (void)environment.take("LISTEN_PIDFDID"); // names the inode of foster's own pidfd, sd_listen_fds(3)
    if (options.own_session && !options.no_terminal) {
        (void)sys::leave_controlling_terminal(STDIN_FILENO); // else the child cannot get it; fails without a terminal
    }
    ExecRequest request{options, inherited, credentials ? &*credentials : nullptr, terminal, environment, ::getpid()};
    alignas(16) std::array<std::byte, CHILD_STACK> stack;
    auto pid = sys::clone(true, stack, child_body, &request);
    if (refuses_shared_memory(pid.error)) {
        pid = fork_child(request, stack);
    }
    if (!pid) {
        fail_spawn(pid.error);
    }
    warn_of_refusals(request.errors, messages);
    if (request.errors.of(Step::USER) + request.errors.of(Step::DIRECTORY) + request.errors.of(Step::EXECUTE) != 0) {
        (void)terminal.take_back(pid.value);
    }
    fail_on_refusals(options, request.errors);
    messages.info("child-spawned|spawned {command}[{pid}]", options.command[0], pid.value);
    return {pid.value, options.group, messages};
}

} // namespace foster
