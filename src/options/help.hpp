// The texts that are printed on request.
#pragma once

#include "options/options.hpp"

namespace foster
{

// Prints what --help, --version or --license asked for; returns foster's exit code.
int print_text(const Options& options);

} // namespace foster
