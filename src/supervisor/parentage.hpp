// Whose parent foster is to be, and what it is to hear of its own.
#pragma once

#include "log/log.hpp"

namespace foster
{

// Makes this process the one that orphans are re-parented to: a child subreaper, unless it is PID 1 and has them anyway.
// PR_SET_CHILD_SUBREAPER(2const). A refusal is a warning.
void adopt_orphans(const log::Messages& messages);

// Has this signal sent to foster, which forwards it, when its parent dies; 0: none. A refusal is a warning.
void watch_parent(int signal, const log::Messages& messages);

} // namespace foster
