// foster as the parent of orphans, and the signal at the death of foster's own parent.
#pragma once

#include "log/log.hpp"

namespace foster
{

// Makes foster a child subreaper, so that orphans are re-parented to it. PID 1 gets them anyway. If parent_death is not
// 0, the kernel sends foster this signal when foster's parent dies, and foster forwards it. A refusal is logged as a
// warning. PR_SET_CHILD_SUBREAPER(2const), PR_SET_PDEATHSIG(2const).
void set_parentage(int parent_death, const log::Messages& messages);

} // namespace foster
