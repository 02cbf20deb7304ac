// The part of an OCI runtime's command line that foster-runtime needs, runc(8), crun(1).
#pragma once

#include "sys/text.hpp"

namespace foster::runtime
{

// The name of the file in each bundle. crun also takes --config=config.json as this file.
inline constexpr const char* OWN_CONFIG = "config.json";

struct CommandLine {
    const char* invoked_as;
    char** arguments;                   // for the real runtime, after its own name; terminated by a null pointer
    const char* real_runtime = nullptr; // --foster-runtime; null: derived from the name of this program
    const char* init = nullptr;         // --foster-init; null: the file beside this program
    sys::FixedText<4096> init_options;  // all --foster-options, separated by blanks
    const char* command = nullptr;      // "create", "kill", ...; null: none
    const char* log = nullptr;          // --log; null: standard error
    const char* log_format = nullptr;   // --log-format
    const char* bundle = ".";
    const char* config = OWN_CONFIG; // in the bundle; any other name is relative to the working directory
    bool asks_for_help = false;

    bool makes_container() const;
};

// Parses the command line, and removes foster-runtime's own options, which come before the command, from the arguments.
// Bad usage ends foster-runtime with one line.
CommandLine parse_command_line(char** arguments);

} // namespace foster::runtime
