// What the control group that this process is in tells, cgroups(7), version 2 or 1. Everything may be unknown: /proc or /sys may be
// absent, or the controller off.
#pragma once

#include <cstdint>

namespace foster::sys
{

// How many processes the kernel has killed for want of memory, since the group was made; -1: unknown.
std::int64_t oom_kills();

struct PidUse {
    std::int64_t used = 0;
    std::int64_t limit = 0; // 0: there is none, or it is unknown
};
// Of the group and of those around it, as far as they can be seen: the one whose limit is the nearest.
PidUse pid_use();

} // namespace foster::sys
