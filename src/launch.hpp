// What the child does between clone and exec.
#pragma once

#include "credentials.hpp"
#include "environment.hpp"
#include "options.hpp"
#include "signals.hpp"
#include "terminal.hpp"

namespace foster
{

// What failed in the child, and why.
enum class Step : std::uint8_t { NONE, USER, DIRECTORY, EXECUTE };
struct Failure {
    Step step = Step::NONE;
    int error = 0; // ELIBACC: the file is there, but its interpreter or loader is not
};

// All that the child needs, and the place where it leaves what went wrong.
struct Launch {
    const Options& options;
    const InheritedSignals& inherited;
    const Credentials* credentials; // null: those of foster
    const Terminal& terminal;
    const sys::Messages& messages;
    Environment environment;
    pid_t foster;
    int report = -1; // written to where memory is not shared
    Failure failure;
};

// Sets session or group, terminal, credentials, directory, puts mask and dispositions back, and executes the command. Makes
// async-signal-safe calls only. Ends the process when that fails.
[[noreturn]] void become_command(Launch& launch);

} // namespace foster
