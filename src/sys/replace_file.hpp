// Replaces files atomically.
#pragma once

#include "sys/result.hpp"

#include <span>
#include <string_view>
#include <sys/types.h>

namespace foster::sys
{

struct Attributes {
    mode_t mode;
    uid_t user = static_cast<uid_t>(-1); // default: a new file's own owner
    gid_t group = static_cast<gid_t>(-1);
};

// Replaces the file, if any, by a new one with the content `pieces`, atomically: a reader finds the old file or the
// complete new one. A failure leaves no temporary file. rename(2).
Status replace_file(const char* path, std::span<const std::string_view> pieces, const Attributes& attributes);

} // namespace foster::sys
