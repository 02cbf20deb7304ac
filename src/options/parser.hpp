// The command line, FOSTER_OPTIONS, and the environment variables of the peer by whose name foster is called.
#pragma once

#include "options/environment.hpp"
#include "options/options.hpp"

namespace foster
{

// Before all that can fail: which code foster then ends with, and the format of its messages, the last one that --log
// names, in FOSTER_OPTIONS or on the command line. What else stands there is not minded.
void prepare_messages(char** arguments, const Environment& environment);

// Reads the personality, its peer's variables, FOSTER_OPTIONS, then the command line. The variables are taken out of the
// environment. Bad usage ends foster with one line that names the bad word.
Options read_options(char** arguments, Environment& environment);

} // namespace foster
