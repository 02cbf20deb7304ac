// Lengths of time as people write them.
#pragma once

#include "log/line.hpp"
#include "sys/processes.hpp"

namespace foster::sys
{

// "500ms", "10s", "5m" or plain seconds; -1 for anything else.
Nanoseconds duration_from(std::string_view text);

// Adds "2h13m", "5m10s", "12s" or "300ms".
void add_duration(Line& line, Nanoseconds duration);

} // namespace foster::sys
