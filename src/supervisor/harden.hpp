// --harden
#pragma once

#include "log/log.hpp"
#include "options/options.hpp"

namespace foster
{

// Gives up what foster itself does not need any more: capabilities, new privileges by execve, and system calls that it
// does not make. To be called after the spawn and all of set-up; the child keeps what it has. Logs a refusal, and gives
// up the rest.
void harden(const Options& options, const log::Messages& messages);

} // namespace foster
