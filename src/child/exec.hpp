// What the child does between clone and exec.
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

// A step of the child's that can fail. Those before USER are refused with a warning, the others end foster.
enum class Step : std::uint8_t { SESSION, TERMINAL, GROUP, TETHER, USER, DIRECTORY, EXECUTE, COUNT };

// Why each step failed, as an errno value; 0: it did not. ELIBACC for EXECUTE: the file is there, but its interpreter or loader
// is not. The child itself says nothing: a SIGPIPE of its own would kill the workload.
struct StepErrors {
    std::array<int, static_cast<std::size_t>(Step::COUNT)> errors{};

    int& of(Step step) { return errors[static_cast<std::size_t>(step)]; }
};

// All that the child needs, and what it has to report.
struct ExecRequest {
    const Options& options;
    const InheritedSignals& inherited;
    const Credentials* credentials; // null: those of foster
    const Terminal& terminal;
    Environment environment;
    pid_t foster;
    int errors_to = -1; // where memory is not shared
    StepErrors report;
};

// Sets session or group, terminal, credentials, directory, puts mask and dispositions back, and executes the command. Makes
// async-signal-safe calls only. Ends the process when that fails.
[[noreturn]] void exec_command(ExecRequest& request);

} // namespace foster
