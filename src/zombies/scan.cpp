#include "zombies/scan.hpp"

#include "sys/processes.hpp"
#include "sys/procfs.hpp"

#include <algorithm>

namespace foster
{
namespace
{

bool is_in_scope(pid_t parent, const ScanScope& scope)
{
    if (scope.ancestor == 0) {
        return scope.parent == 0 || parent == scope.parent;
    }
    return parent != scope.ancestor && sys::is_in_tree_of(scope.ancestor, parent);
}

} // namespace

std::span<Zombie> find_zombies(std::span<Zombie> list, const ScanScope& scope)
{
    std::size_t found = 0;
    pid_t last_parent = -1;
    bool last_is_in_scope = false;
    sys::NumberedEntries processes("/proc");
    for (int pid = processes.next(); pid >= 0 && found < list.size(); pid = processes.next()) {
        if (!sys::may_have_exited(pid)) {
            continue;
        }
        const auto stat = sys::read_stat(pid);
        // The pid of a parent outside this PID namespace is 0.
        if (stat.value.state != 'Z' || (stat.value.parent == 0 && scope.ancestor != 0)) {
            continue;
        }
        const pid_t parent = stat.value.parent;
        if (parent != last_parent) {
            last_parent = parent;
            last_is_in_scope = is_in_scope(parent, scope);
        }
        if (!last_is_in_scope) {
            continue;
        }
        auto& zombie = list[found++];
        zombie = {};
        zombie.pid = pid;
        zombie.parent = parent;
        zombie.start = stat.value.start;
        zombie.threads_live = stat.value.threads > 1;
        const auto name = stat.value.name();
        zombie.name_size = static_cast<std::uint8_t>(std::min(name.size(), zombie.name_bytes.size()));
        std::copy_n(name.begin(), zombie.name_size, zombie.name_bytes.begin());
    }
    return list.first(found);
}

} // namespace foster
