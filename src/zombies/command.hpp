// --list-zombies and --reap-zombies: what can be done once, now, for programs that were never started under foster.
#pragma once

#include "options/options.hpp"

namespace foster
{

// Prints on standard output. Returns foster's exit code: 0, or 1 where zombies are left that were to be reaped. A /proc that is of no use
// ends foster with one line.
int run_zombie_command(const Options& options);

} // namespace foster
