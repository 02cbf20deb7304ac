#include "zombies/scan.hpp"

#include "sys/clock.hpp"
#include "sys/processes.hpp"
#include "sys/procfs.hpp"

#include <algorithm>
#include <sys/types.h>

namespace foster
{
namespace
{

bool is_wanted(pid_t parent, const Neglecters& wanted)
{
    if (wanted.ancestor == 0) {
        return wanted.only == 0 || parent == wanted.only;
    }
    return parent != wanted.ancestor && sys::is_in_tree_of(wanted.ancestor, parent);
}

} // namespace

std::span<Zombie> find_zombies(std::span<Zombie> list, const Neglecters& wanted)
{
    std::size_t found = 0;
    pid_t last_parent = -1;
    bool last_is_wanted = false;
    sys::NumberedEntries processes("/proc");
    for (int pid = processes.next(); pid >= 0 && found < list.size(); pid = processes.next()) {
        if (!sys::may_have_exited(pid)) {
            continue;
        }
        const auto stat = sys::read_stat(pid);
        // A parent outside this PID namespace has no number here: 0.
        if (stat.value.state != 'Z' || (stat.value.parent == 0 && wanted.ancestor != 0)) {
            continue;
        }
        const pid_t parent = stat.value.parent;
        if (parent != last_parent) {
            last_parent = parent;
            last_is_wanted = is_wanted(parent, wanted);
        }
        if (!last_is_wanted) {
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

void add_names(log::Line& line, std::span<const Zombie> zombies, pid_t parent, sys::Nanoseconds seen_by)
{
    constexpr int MAX_NAMES = 8;
    int names = 0;
    for (const auto& zombie : zombies) {
        int before = 0;
        int count = 0;
        for (const auto& other : zombies) {
            if (other.parent == parent && other.first_seen <= seen_by && other.name() == zombie.name()) {
                ++count;
                before += &other < &zombie ? 1 : 0;
            }
        }
        if (zombie.parent != parent || zombie.first_seen > seen_by || before != 0) {
            continue;
        }
        if (names == MAX_NAMES) {
            line.add(" and others");
            return;
        }
        line.add("{}{} x{}", names++ == 0 ? "" : ", ", zombie.name(), count);
    }
}

} // namespace foster
