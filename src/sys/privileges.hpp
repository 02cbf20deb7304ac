// Giving up privileges: capabilities(7), no_new_privs of prctl(2), seccomp(2).
#pragma once

#include "sys/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <sys/types.h>

namespace foster::sys
{

// Of this thread, as capget(2) has them: two halves of 32 bits.
struct Capabilities {
    struct Half {
        std::uint32_t effective = 0;
        std::uint32_t permitted = 0;
        std::uint32_t inheritable = 0;
    };
    std::array<Half, 2> halves;
};

Result<Capabilities> capabilities();
// An ambient capability goes with its inheritable one.
Status set_capabilities(const Capabilities& capabilities);
// An execve gives this process, and those that it forks from now on, no new privilege.
Status give_up_new_privileges();

// Allows this process, and those that it forks from now on, the system calls of these numbers, at most 64; the first
// ones cost least. All others fail with ENOSYS: those by the numbers of another ABI too, and a clone that makes a
// namespace.
Status allow_calls(std::span<const std::uint16_t> calls);

// What seccomp(2) does to a process: its mode and the number of its filters, proc_pid_status(5).
struct Seccomp {
    long mode;
    long filters;
    bool operator==(const Seccomp&) const = default;
};
Seccomp seccomp_of(pid_t pid);
// What it does to foster without the filter of allow_calls(), from the first call on.
const Seccomp& inherited_seccomp();

} // namespace foster::sys
