// Whose parent foster becomes, and the signal at the death of its own.
#pragma once

#include "log/log.hpp"

namespace foster
{

// Makes this process the one that orphans are re-parented to: a child subreaper, unless it is PID 1 and has them anyway. And has
// a signal sent to foster, which forwards it, when its own parent dies; 0: none. A refusal is a warning. PR_SET_CHILD_SUBREAPER(2const),
// PR_SET_PDEATHSIG(2const).
void set_parentage(int parent_death, const log::Messages& messages);

} // namespace foster
