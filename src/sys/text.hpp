// Parsing and building texts.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace foster::sys
{

// Parses a decimal number of digits only, up to at_most. Returns -1 for anything else.
int parse_number(std::string_view text, int at_most);

// Returns the value of a hexadecimal digit, or -1 if it is none.
constexpr int parse_hex_digit(int byte)
{
    constexpr int CASE_BIT = 0x20; // of ASCII letters
    const int letter = byte | CASE_BIT;
    return byte >= '0' && byte <= '9' ? byte - '0' : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

// Removes the text up to the end of its next decimal number, and returns the number; -1: there is none before the end
// of the line. Of a number that does not fit, the last digits are left out.
std::int64_t take_number(std::string_view& text);

// Returns a pointer to the first `wanted` in the text, or to its end, as strchrnul(3) does.
template <typename Char> Char* end_at(Char* text, char wanted)
{
    while (*text != wanted && *text != '\0') {
        ++text;
    }
    return text;
}

// Prints a decimal number into the buffer, and returns the digits.
using Digits = std::array<char, 24>;
std::string_view decimal(std::int64_t number, Digits& digits);

// Appends a part and a null byte after `size` bytes of the buffer, and increases `size`. Returns false if there is no
// room.
bool append(std::span<char> buffer, std::size_t& size, std::string_view part);

// A text of up to SIZE - 1 bytes, for paths and other texts that must not be cut off silently.
template <std::size_t SIZE> class FixedText
{
  public:
    FixedText() { bytes_[0] = '\0'; }

    void add(std::string_view part) { is_complete_ = append(bytes_, size_, part) && is_complete_; }

    void add_number(std::int64_t number)
    {
        Digits digits;
        add(decimal(number, digits));
    }

    // Whether all parts fitted.
    bool is_complete() const { return is_complete_; }
    char* c_string() { return &bytes_[0]; }
    const char* c_string() const { return &bytes_[0]; }
    std::string_view text() const { return {&bytes_[0], size_}; }

  private:
    std::size_t size_ = 0;
    bool is_complete_ = true;
    char bytes_[SIZE];
};

// In place of substr, which may throw.
std::string_view after(std::string_view text, std::size_t size);

// Returns the text after `key` and `mark` at the beginning of a line; empty: there is no such line.
std::string_view after_key(std::string_view text, std::string_view key, char mark);

} // namespace foster::sys
