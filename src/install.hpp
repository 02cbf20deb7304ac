// --install: copies foster's own binary to another place, for images that have no cp.
#pragma once

#include "options/options.hpp"

namespace foster
{

// Copies this binary to the file options.install_as or, if that is a directory, into it under the personality's name.
// The copy is atomic: no one sees a half-written file. Returns foster's exit code. On failure it ends foster with one
// line.
int install(const Options& options);

} // namespace foster
