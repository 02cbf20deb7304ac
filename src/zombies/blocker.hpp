// Why a parent cannot be made to wait for its zombies, and what would help.
#pragma once

#include "log/log.hpp"

#include <string_view>
#include <sys/types.h>

namespace foster
{

struct Blocker {
    const char* reason = nullptr; // null: it can
    int error = 0;                // an errno value that says more
    bool passing = false;         // trying again soon may help

    explicit operator bool() const { return reason != nullptr; }
};

// Appends the reason, and the remedy where there is one:
// "it may not be traced: Operation not permitted (...); give foster CAP_SYS_PTRACE".
void add_blocker(log::Line& line, pid_t parent, const Blocker& blocker);

} // namespace foster
