// The result of a system call: a value, or an error.
#pragma once

namespace foster::sys
{

struct Nothing {
};

template <typename T> struct [[nodiscard]] Result {
    [[no_unique_address]] T value{};
    int error = 0; // an errno value; 0: success

    explicit operator bool() const { return error == 0; }
};

using Status = Result<Nothing>;

} // namespace foster::sys
