// Decides from a container's config.json whether and where foster is inserted: the OCI runtime specification, config.md
// and config-linux.md.
#pragma once

#include <cstddef>
#include <string_view>

namespace foster::runtime
{

// The path of foster in the container. It is on a file system of the container's own, so that nothing is created in the
// container's root.
inline constexpr std::string_view INIT_PATH = "/dev/.foster";

struct Plan {
    bool is_wanted = false; // the container is to run under foster
    const char* problem =
        nullptr; // why it is unknown whether foster is needed, or why it cannot be inserted; null: no problem
    std::size_t args_at = 0;   // where the words for foster go, before those of the process
    std::size_t mounts_at = 0; // where the mount goes, after the last one
};

// foster is wanted if the process gets a PID namespace of its own, is not a pod's sandbox, and does not run under an
// init already.
Plan plan_for(std::string_view config);

} // namespace foster::runtime
