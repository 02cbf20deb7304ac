// Taking texts apart.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace foster::sys
{

// A decimal number up to at_most, digits only; -1 for anything else.
int parse_number(std::string_view text, int at_most);

// The value of a hexadecimal digit; -1: it is none.
constexpr int parse_hex_digit(int byte)
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

// A number in decimal digits, which are put into the buffer.
using Digits = std::array<char, 24>;
std::string_view decimal(std::int64_t number, Digits& digits);

// Adds a part and a null byte to what fills a buffer up to this size, if there is room for both. Returns whether there was.
bool append(std::span<char> buffer, std::size_t& size, std::string_view part);

// A text that is put together in SIZE bytes, for paths and whatever must not be cut off unnoticed.
template <std::size_t SIZE> class FixedText
{
  public:
    FixedText() { bytes_[0] = '\0'; }

    void add(std::string_view part) { is_whole_ = append(bytes_, size_, part) && is_whole_; }

    void add_number(std::int64_t number)
    {
        Digits digits;
        add(decimal(number, digits));
    }

    // Whether there was room for all of it.
    bool is_whole() const { return is_whole_; }
    char* c_string() { return &bytes_[0]; }
    const char* c_string() const { return &bytes_[0]; }
    std::string_view text() const { return {&bytes_[0], size_}; }

  private:
    char bytes_[SIZE];
    std::size_t size_ = 0;
    bool is_whole_ = true;
};

// Not substr, which throws.
std::string_view after(std::string_view text, std::size_t size);

// What stands behind "key" and this mark at the beginning of a line; empty: there is no such line.
std::string_view after_key(std::string_view text, std::string_view key, char mark);

} // namespace foster::sys
