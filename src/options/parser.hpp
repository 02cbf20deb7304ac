// Parses the command line, FOSTER_OPTIONS, and the environment variables of the peer by whose name foster is invoked.
#pragma once

#include "options/environment.hpp"
#include "options/options.hpp"

namespace foster
{

// To be called before anything can fail: sets the exit code for foster's own failures, and the format of messages from
// the last --log in FOSTER_OPTIONS or on the command line. Ignores everything else there, bad usage too.
void prepare_messages(char** arguments, const Environment& environment);

// Parses in this order: the name foster is invoked by, that peer's variables, FOSTER_OPTIONS, the command line. Removes
// these variables from the environment. Bad usage ends foster with one line that names the bad word.
Options parse_options(char** arguments, Environment& environment);

} // namespace foster
