// --list-zombies and --reap-zombies. They also work on programs that were not started under foster.
#pragma once

#include "options/options.hpp"

namespace foster
{

// Runs the command that options.mode names. --list-zombies prints to standard output, --reap-zombies logs to standard
// error. Returns foster's exit code: 0, or 1 if --reap-zombies has left zombies. If /proc is not usable, foster exits
// with one line.
int run_zombie_command(const Options& options);

} // namespace foster
