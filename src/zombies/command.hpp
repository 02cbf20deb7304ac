// --list-zombies and --reap-zombies, for programs that were not started under foster, too.
#pragma once

#include "options/options.hpp"

namespace foster
{

// Runs the one that options.mode names, which prints on standard output. Returns foster's exit code: 0, or 1 where
// zombies are left that were to be reaped. A /proc that is of no use ends foster with one line.
int run_zombie_command(const Options& options);

} // namespace foster
