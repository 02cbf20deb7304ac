// What is to be done with a container, by its config.json: the OCI runtime specification, config.md and config-linux.md.
#pragma once

#include <cstddef>
#include <string_view>

namespace foster::runtime
{

// Where foster stands in the container: in a file system of the container's own, so that nothing is made in its root.
inline constexpr std::string_view INIT_PATH = "/dev/.foster";

struct Plan {
    bool is_wanted = false; // the container is to be put under foster
    const char* obstacle =
        nullptr;               // why it cannot be told whether, or cannot be done; null: it is, or there is no need
    std::size_t args_at = 0;   // where the words go that come before the process's own
    std::size_t mounts_at = 0; // where the mount goes, behind the last one
};

// There is need where the process gets a PID namespace of its own, is no pod's sandbox, and is not under an init already.
Plan plan_for(std::string_view config);

} // namespace foster::runtime
