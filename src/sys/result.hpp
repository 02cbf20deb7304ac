// What a system call gives back: a value, or the reason why there is none.
#pragma once

namespace foster::sys
{

struct Nothing {
};

template <typename T> struct [[nodiscard]] Result {
    [[no_unique_address]] T value{};
    int error = 0; // an errno value; 0 is success

    explicit operator bool() const { return error == 0; }
};

using Status = Result<Nothing>;

} // namespace foster::sys
