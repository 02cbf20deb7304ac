// Blocker: the reason why a parent cannot be made to wait for its zombies.
#pragma once

#include "log/log.hpp"

#include <string_view>
#include <sys/types.h>

namespace foster
{

struct Blocker {
    const char* reason = nullptr; // null: nothing prevents it
    int error = 0;                // the errno value that belongs to the reason; 0: none
    bool passing = false;         // temporary: another attempt soon after may succeed

    explicit operator bool() const { return reason != nullptr; }
};

// Appends the reason and, if there is one, the remedy:
// "it may not be traced: Operation not permitted (...); give foster CAP_SYS_PTRACE".
void add_blocker(log::Line& line, pid_t parent, const Blocker& blocker);

} // namespace foster
