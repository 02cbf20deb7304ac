// The options, one row each: everything that the parser and --help know of them.
#pragma once

#include "options.hpp"

#include <span>

namespace foster
{

struct Option {
    char letters[3]; // the help shows the first one
    const char* name;
    const char* value; // how the help calls it; null: the option takes none; in brackets: only in the same word
    const char* help;
    // Returns null, or what is wrong with the value.
    const char* (*apply)(Options&, char* value);

    bool value_is_optional() const { return value != nullptr && value[0] == '['; }
};

std::span<const Option> option_table();

} // namespace foster
