#include "supervisor/parentage.hpp"

#include "signals/signal_name.hpp"
#include "sys/processes.hpp"

#include <unistd.h>

namespace foster
{

void adopt_orphans(const log::Messages& messages)
{
    if (::getpid() == 1) {
        return;
    }
    if (const auto subreaper = sys::become_subreaper(); !subreaper) {
        messages.warning("subreaper-refused|cannot become a child subreaper: {reason}; orphans will go to another init",
                         log::Error{subreaper.error});
    }
}

void watch_parent(int signal, const log::Messages& messages)
{
    if (signal == 0) {
        return;
    }
    if (const auto set = sys::set_parent_death_signal(signal); !set) {
        messages.warning("parent-death-refused|cannot have {signal} sent when the parent dies: {reason}",
                         SignalName(signal).text(), log::Error{set.error});
    }
}

} // namespace foster
