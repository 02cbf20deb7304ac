#include "supervisor/parentage.hpp"

#include "signals/signal_name.hpp"
#include "sys/processes.hpp"

#include <unistd.h>

namespace foster
{

void set_parentage(int parent_death, const log::Messages& messages)
{
    if (const auto done = ::getpid() == 1 ? sys::Status{} : sys::become_subreaper(); !done) {
        messages.warning("subreaper-refused|cannot become a child subreaper: {reason}; orphans will go to another init",
                         log::Error{done.error});
    }
    if (const auto done = parent_death == 0 ? sys::Status{} : sys::set_parent_death_signal(parent_death); !done) {
        messages.warning("parent-death-refused|cannot have {signal} sent when the parent dies: {reason}",
                         SignalName(parent_death).text(), log::Error{done.error});
    }
}

} // namespace foster
