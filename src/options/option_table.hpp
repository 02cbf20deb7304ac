// The table of options, one row each: everything that the parser and --help know about them.
#pragma once

#include "options/options.hpp"

namespace foster
{

struct Option {
    const char* group; // the heading printed before this option in --help; empty: none
    const char* letters;
    const char* name;
    // its name in --help; empty: the option takes no value; in brackets: the value is optional, and in the same word
    const char* value;
    const char* help;
    std::size_t row;

    bool takes_value() const { return value[0] != '\0'; }
    bool value_is_optional() const { return value[0] == '['; }
    // Applies the option. Returns null, or the problem of the value.
    const char* apply(Options& options, char* text) const;
    // For --log only: sets the format of messages that the value names; ignores other options and values.
    void apply_format(const char* text) const;
};

// Iterates over the options, in the order of the table.
class OptionReader
{
  public:
    OptionReader();
    // Returns false if there is no further option.
    bool next(Option& option);

  private:
    const char* word_; // of the next option
    std::size_t row_ = 0;
};

} // namespace foster
