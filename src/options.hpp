// The command line and FOSTER_OPTIONS.
#pragma once

#include "sys/output.hpp"

#include <optional>

namespace foster
{

struct Options {
    bool group = false;       // forward to the child's process group, not to the child alone
    bool same_group = false;  // leave the child in foster's own process group
    bool warn_reaped = false; // name every orphan that is reaped
    sys::Level level = sys::Level::WARNING;
    const char* print = nullptr; // a text that was asked for instead of a run; the help where it is empty
    char** command = nullptr;    // the child's argument list, ended by a null pointer
};

// Reads FOSTER_OPTIONS, then the command line. FOSTER_OPTIONS is taken out of the environment. Bad usage ends foster with
// one line that names the bad word.
Options read_options(char** arguments, char** environment);

// Prints what --help, --version or --license asked for; returns foster's exit code.
int print_text(const Options& options);

} // namespace foster
