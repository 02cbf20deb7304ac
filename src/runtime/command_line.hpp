// The command line of an OCI runtime, as far as it matters here: runc(8), crun(1).
#pragma once

#include "sys/text.hpp"

namespace foster::runtime
{

// The file of each bundle, and what crun takes for it in --config, too.
inline constexpr const char* OWN_CONFIG = "config.json";

struct CommandLine {
    const char* invoked_as;
    char** arguments;                   // what the real runtime gets, after its own name; ended by a null pointer
    const char* real_runtime = nullptr; // --foster-runtime; null: by the name that this one is invoked by
    const char* init = nullptr;         // --foster-init; null: beside this file
    sys::FixedText<4096> init_options;  // of each --foster-options, parted by blanks
    const char* command = nullptr;      // "create", "kill", ...; null: none
    const char* log = nullptr;          // --log; null: standard error
    const char* log_format = nullptr;   // --log-format
    const char* bundle = ".";
    const char* config = OWN_CONFIG; // in the bundle; another one is named from the working directory
    bool asks_for_help = false;

    bool makes_container() const;
};

// Takes foster's own options, which stand before the command, out of the arguments. Bad ones end foster-runtime with one line.
CommandLine read_command_line(char** arguments);

} // namespace foster::runtime
