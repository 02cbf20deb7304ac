// An OCI bundle: its config.json, edited in place.
#pragma once

#include "runtime/command_line.hpp"

namespace foster::runtime
{

// Puts the process of the bundle under foster: before its words come foster's, behind its mounts a read-only one of foster's own file.
// All else in config.json stays byte for byte, and so do its owner and its mode. Where that is not wanted, or cannot be done, the file
// stays as it is; the latter is told in the log.
void put_under_foster(const CommandLine& line);

} // namespace foster::runtime
