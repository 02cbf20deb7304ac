// Messages: one line each, on standard error, written at once and never waited for.
#pragma once

#include "sys/result.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace foster::sys
{

// One part of a line: text, or a number.
struct Piece {
    std::string_view text;
    std::int64_t number = 0;
    bool is_number = false;

    constexpr Piece(const char* string) : text(string) {}
    constexpr Piece(std::string_view string) : text(string) {}
    constexpr Piece(std::integral auto value) : number(static_cast<std::int64_t>(value)), is_number(true) {}
};
using Pieces = std::initializer_list<Piece>;

// A line that is being put together. What does not fit is cut off. A byte that could steer a terminal or forge a second
// line becomes '?': process names and command lines come from anyone.
class Line
{
  public:
    void add(const Piece& piece);
    void add(Pieces pieces);
    // A string of JSON, RFC 8259, with its quotes. What is no UTF-8 becomes U+FFFD.
    void add_json(std::string_view text);
    std::string_view text() const { return {bytes_.data(), size_}; }
    // The line with its newline, which always fits.
    std::string_view finished();
    char* c_string();

  private:
    void put(char byte);
    std::array<char, 512> bytes_;
    std::size_t size_ = 0;
};

enum class Level { ERROR, WARNING, INFO, DEBUG };

class Messages
{
  public:
    Level level = Level::WARNING;

    bool shows(Level wanted) const { return wanted <= level; }
    void warning(Pieces pieces) const { say(Level::WARNING, pieces); }
    void info(Pieces pieces) const { say(Level::INFO, pieces); }
    void debug(Pieces pieces) const { say(Level::DEBUG, pieces); }
    // "foster: warning: cannot <doing>: <reason><remedy>"
    void cannot(Pieces doing, int error, std::string_view remedy = {}) const;

  private:
    void say(Level wanted, Pieces pieces) const;
};

// The one way out of set-up when it fails: "foster: error: <pieces>", and the end of foster with this code.
[[noreturn]] void fail(int code, Pieces pieces);
// The same with failure_code() and a second line that points to the help.
[[noreturn]] void fail_usage(Pieces pieces);

// The code that foster ends with when foster itself failed: 125 until a personality has changed it.
int failure_code();
void set_failure_code(int code);

// Set-up only: the value, or the end of foster with "cannot <doing>: <reason>".
[[noreturn]] void fail_doing(const char* doing, int error);
template <typename T> T must(Result<T> result, const char* doing)
{
    if (!result) {
        fail_doing(doing, result.error);
    }
    return static_cast<T&&>(result.value);
}

} // namespace foster::sys
