// The child's code between clone and exec.
#pragma once

#include "child/credentials.hpp"
#include "child/terminal.hpp"
#include "options/environment.hpp"
#include "options/options.hpp"
#include "signals/inherited_signals.hpp"

#include <array>
#include <cstdint>
#include <sys/types.h>

namespace foster
{

// The child's steps that can fail. A failure before USER is logged as a warning. A failure from USER on ends foster.
enum class Step : std::uint8_t { SESSION, TERMINAL, GROUP, TETHER, USER, DIRECTORY, EXECUTE, COUNT };

// The errno value of each step; 0: it succeeded. ELIBACC for EXECUTE: the file exists, but its interpreter or loader
// does not. foster logs them, not the child: a SIGPIPE from writing to standard error would kill the child.
struct StepErrors {
    std::array<int, static_cast<std::size_t>(Step::COUNT)> errors{};

    int& of(Step step) { return errors[static_cast<std::size_t>(step)]; }
};

// What the child needs, and the errors that it reports.
struct ExecRequest {
    const Options& options;
    const InheritedSignals& inherited;
    const Credentials* credentials; // null: foster's
    const Terminal& terminal;
    Environment environment;
    pid_t foster;
    int errors_to = -1; // a pipe, used where the child does not share foster's memory; -1: none
    StepErrors errors;
};

// Runs in the child. Sets session or process group, terminal, credentials and directory, restores mask and
// dispositions, and executes the command. Makes async-signal-safe calls only, signal-safety(7). Exits if that fails.
[[noreturn]] void exec_command(ExecRequest& request);

} // namespace foster
