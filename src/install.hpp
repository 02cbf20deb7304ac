// --install: foster brings itself to where it is wanted, from an image that has no cp.
#pragma once

#include "options/options.hpp"

namespace foster
{

// Copies this very program to a file, or into a directory under the name of the personality, in one step: no half of it is ever there.
// Returns foster's exit code; ends foster with one line where it cannot.
int install(const Options& options);

} // namespace foster
