// A text with places for values, which are checked against the values' types when it is compiled.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace foster::log
{

// A number that may be unknown.
using OptionalNumber = std::optional<std::int64_t>;
inline constexpr auto UNKNOWN = std::numeric_limits<std::int64_t>::min();

// An errno value as a reason for people.
struct Error {
    int number;
};

// The kind of a value, as a place names it: 's' a C string, 'v' a string_view, 'b' a bool, 'd' another number, 'o' a Perhaps, 'e' an Error.
template <typename Value> consteval char kind_of()
{
    return std::same_as<Value, bool>                 ? 'b'
           : std::integral<Value>                    ? 'd'
           : std::same_as<Value, OptionalNumber>     ? 'o'
           : std::same_as<Value, Error>              ? 'e'
           : std::convertible_to<Value, const char*> ? 's'
                                                     : 'v';
}

// A place is {} or {name} for a C string, {:v} or {name:v} for a string_view, {:d} or {name:d} for a number, and so on.
template <typename... Values> class FormatString
{
  public:
    consteval FormatString(const char* text) : text_(text)
    {
        constexpr char KINDS[] = {kind_of<Values>()..., '\0'};
        std::size_t places = 0;
        for (const char* at = text; *at != '\0'; ++at) {
            if (*at == '{') {
                const char* const start = at;
                while (*at != '}') {
                    ++at;
                }
                const bool is_string = at - start < 3 || at[-2] != ':';
                places += KINDS[places] == (is_string ? 's' : at[-1]) ? 1 : sizeof KINDS;
            }
        }
        if (places != sizeof...(Values)) {
            values_do_not_fit_the_places();
        }
    }

    constexpr const char* text() const { return text_; }

  private:
    static void values_do_not_fit_the_places() {} // not constexpr: a call is an error of the compiler's

    const char* text_;
};

// A value as it is handed to a function with "...".
template <std::integral Number> std::int64_t to_vararg(Number value)
{
    return static_cast<std::int64_t>(value);
}
inline std::int64_t to_vararg(OptionalNumber value)
{
    return value.value_or(UNKNOWN);
}
inline std::int64_t to_vararg(Error value)
{
    return value.number;
}
inline const char* to_vararg(const char* value)
{
    return value;
}
struct Text { // a string_view that "..." takes
    const char* data;
    std::size_t size;
};
inline Text to_vararg(std::string_view value)
{
    return {value.data(), value.size()};
}

} // namespace foster::log
