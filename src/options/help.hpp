// --help, --version and --license.
#pragma once

#include "options/options.hpp"

namespace foster
{

// Prints the text for --help, --version or --license on standard output, and returns foster's exit code. Ends foster if
// the text cannot be written.
int print_text(const Options& options);

} // namespace foster
