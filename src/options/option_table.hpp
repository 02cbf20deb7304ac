// The options, one row each: everything that the parser and --help know of them.
#pragma once

#include "options/options.hpp"

namespace foster
{

struct Option {
    const char* group; // the heading of the help that begins with this option; empty: none does
    const char* letters;
    const char* name;
    const char* value; // how the help calls it; empty: the option takes none; in brackets: only in the same word
    const char* help;
    std::size_t row;

    bool takes_value() const { return value[0] != '\0'; }
    bool value_is_optional() const { return value[0] == '['; }
    // Returns null, or what is wrong with the value.
    const char* apply(Options& options, char* text) const;
    // Of --log alone: messages have the format that the value names from now on, if there is one.
    void apply_format(const char* text) const;
};

// Hands out the options, one after the other.
class OptionReader
{
  public:
    OptionReader();
    // Whether there was one more.
    bool next(Option& option);

  private:
    const char* word_; // that comes next
    std::size_t row_ = 0;
};

} // namespace foster
