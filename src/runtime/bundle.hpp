// An OCI bundle: inserts foster into its config.json.
#pragma once

#include "runtime/command_line.hpp"

namespace foster::runtime
{

// Inserts foster's words before the words of the process, and a read-only mount of foster's binary after the mounts.
// The rest of config.json stays the same byte for byte, and so do its owner and mode. If foster is not wanted or cannot
// be inserted, the file stays unchanged; the latter is logged.
void put_under_foster(const CommandLine& line);

} // namespace foster::runtime
