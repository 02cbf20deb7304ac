// Values of foster's own cgroup, version 2 or 1, cgroups(7). Each may be unknown: /proc or /sys may be missing, or the
// controller disabled.
#pragma once

#include <cstdint>

namespace foster::sys
{

// The number of processes in the cgroup that the OOM killer has killed since the cgroup was made; -1: unknown.
std::int64_t oom_kills();

struct PidUse {
    std::int64_t used = 0;
    std::int64_t limit = 0; // 0: no limit, or unknown
};
// Returns the use and the limit of PIDs, for the cgroup or one of its visible ancestors: the one closest to its limit.
PidUse pid_use();

} // namespace foster::sys
