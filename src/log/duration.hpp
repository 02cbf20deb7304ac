// Durations: parsing and printing.
#pragma once

#include "log/line.hpp"
#include "sys/clock.hpp"

namespace foster::log
{

// Parses "500ms", "10s", "5m" or plain seconds. Returns -1 for anything else.
sys::Nanoseconds parse_duration(std::string_view text);

// Prints a duration as "2h13m", "5m10s", "12s" or "300ms".
void add_duration(Line& line, sys::Nanoseconds duration);

} // namespace foster::log
