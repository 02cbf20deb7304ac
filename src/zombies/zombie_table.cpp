#include "zombies/zombie_table.hpp"

#include "sys/procfs.hpp"

#include <algorithm>
#include <utility>

namespace foster
{
namespace
{

// The sort key: the parent, then the pid.
std::uint64_t key_of(const Zombie& zombie)
{
    return static_cast<std::uint64_t>(zombie.parent) << 32U | static_cast<std::uint32_t>(zombie.pid);
}

// Shell sort with Knuth's gaps: at most about n^1.5 steps. std::ranges::sort would add 1,500 bytes to the program.
void sort(std::span<Zombie> zombies)
{
    constexpr std::size_t LARGEST_GAP = 1093; // 364, 121, 40, 13, 4, 1
    for (auto gap = LARGEST_GAP; gap > 0; gap /= 3) {
        for (auto next = gap; next < zombies.size(); ++next) {
            for (auto at = next; at >= gap && key_of(zombies[at]) < key_of(zombies[at - gap]); at -= gap) {
                std::swap(zombies[at], zombies[at - gap]);
            }
        }
    }
}

} // namespace

void ZombieTable::fill(const ScanScope& scope, ZombieTable& before, sys::Nanoseconds now)
{
    zombie_count_ = find_zombies(zombies_, scope).size();
    sort(zombies());
    parent_count_ = 0;
    const auto* known = before.zombies_.data();
    const auto* const end = known + before.zombie_count_;
    Parent* parent = nullptr;
    for (auto& zombie : zombies()) {
        while (known != end && key_of(*known) < key_of(zombie)) {
            ++known;
        }
        zombie.first_seen = now;
        if (known != end && known->pid == zombie.pid && known->parent == zombie.parent &&
            known->start == zombie.start) {
            zombie.first_seen = known->first_seen;
            zombie.nudged_at = known->nudged_at;
        }
        if (parent == nullptr || parent->pid != zombie.parent) {
            parent = &add_parent(zombie, before);
        }
        ++parent->count;
    }
}

// Adds a record for the parent of this zombie, which is the first zombie of that parent in the list. Compares start
// times, since the pid may have been reused since the previous scan.
Parent& ZombieTable::add_parent(Zombie& zombie, ZombieTable& before)
{
    auto& parent = parents_[parent_count_++];
    parent = {};
    parent.pid = zombie.parent;
    parent.start = sys::read_stat(zombie.parent).value.start;
    parent.first_zombie = &zombie;
    if (auto* const known = before.find_parent(parent.pid); known != nullptr && known->start == parent.start) {
        parent.reported = std::exchange(known->reported, 0);
        parent.blocker_reported = known->blocker_reported;
    }
    return parent;
}

Parent* ZombieTable::find_parent(pid_t pid)
{
    const auto list = parents();
    const auto found = std::ranges::lower_bound(list, pid, {}, &Parent::pid);
    return found != list.end() && found->pid == pid ? &*found : nullptr;
}

} // namespace foster
