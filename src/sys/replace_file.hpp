// Files that are whole or not there.
#pragma once

#include "sys/result.hpp"

#include <span>
#include <string_view>
#include <sys/types.h>

namespace foster::sys
{

struct Attributes {
    mode_t mode;
    uid_t user = static_cast<uid_t>(-1); // whose a new file is by itself
    gid_t group = static_cast<gid_t>(-1);
};

// Puts a new file, made of these pieces, in the place of what has this name, or of nothing, in one step: who opens it finds the old one
// or the whole new one. A failure leaves nothing behind. rename(2).
Status replace_file(const char* path, std::span<const std::string_view> pieces, const Attributes& attributes);

} // namespace foster::sys
