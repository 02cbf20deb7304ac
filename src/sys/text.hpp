// Taking texts apart.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace foster::sys
{

// A decimal number up to at_most, digits only; -1 for anything else.
int number_from(std::string_view text, int at_most);

// The value of a hexadecimal digit; -1: it is none.
constexpr int hex_digit_from(int byte)
{
    constexpr int CASE_BIT = 0x20; // of ASCII letters
    const int letter = byte | CASE_BIT;
    return byte >= '0' && byte <= '9' ? byte - '0' : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

// Takes the next decimal number off the text; -1: there is none before the line's end.
std::int64_t take_number(std::string_view& text);

// Where a text has this character first, or ends, strchrnul(3).
template <typename Char> Char* end_at(Char* text, char wanted)
{
    while (*text != wanted && *text != '\0') {
        ++text;
    }
    return text;
}

// A text that is put together in SIZE bytes, for paths and whatever must not be cut off unnoticed.
template <std::size_t SIZE> class FixedText
{
  public:
    FixedText() { bytes_[0] = '\0'; }

    void add(std::string_view part)
    {
        if (part.size() < SIZE - size_) {
            *std::copy_n(part.data(), part.size(), &bytes_[size_]) = '\0';
            size_ += part.size();
        } else {
            is_whole_ = false;
        }
    }

    // Whether there was room for all of it.
    bool is_whole() const { return is_whole_; }
    char* c_string() { return &bytes_[0]; }
    std::string_view text() const { return {&bytes_[0], size_}; }

  private:
    char bytes_[SIZE];
    std::size_t size_ = 0;
    bool is_whole_ = true;
};

// Not substr, which throws.
std::string_view behind(std::string_view text, std::size_t size);

// What stands behind "key" and this mark at the beginning of a line; empty: there is no such line.
std::string_view behind_key(std::string_view text, std::string_view key, char mark);

} // namespace foster::sys
