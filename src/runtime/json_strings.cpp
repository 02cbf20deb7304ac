// JSON strings: comparison, with escapes decoded.
#include "runtime/json.hpp"

#include "sys/text.hpp"

#include <algorithm>

namespace foster::json
{
namespace
{

// Removes one character from the beginning of a string's content, and returns it with its escape decoded. A character
// beyond ASCII is returned as any number above 127.
int take_character(std::string_view& rest)
{
    if (rest.front() != '\\') {
        const int byte = static_cast<unsigned char>(rest.front());
        rest.remove_prefix(1);
        return byte;
    }
    const char kind = rest[1];
    if (kind != 'u') {
        constexpr std::string_view NAMED = "bfnrt";
        constexpr std::string_view MEANT = "\b\f\n\r\t";
        const auto place = NAMED.find(kind);
        rest.remove_prefix(2);
        return static_cast<unsigned char>(place == std::string_view::npos ? kind : MEANT[place]);
    }
    int code = 0;
    for (std::size_t digit = 2; digit < 6; ++digit) {
        code = code * 16 + sys::parse_hex_digit(rest[digit]);
    }
    rest.remove_prefix(6);
    return code;
}

std::string_view content_of(Value string)
{
    return is_string(string) ? std::string_view(string.data() + 1, string.size() - 2) : std::string_view();
}

int lower(int letter)
{
    return letter >= 'A' && letter <= 'Z' ? letter + ('a' - 'A') : letter;
}

// Removes one character, and returns it in lower case. Case-insensitive readers take U+017F (long s) for an s, so it is
// returned as 's'. U+212A (Kelvin sign) would be a k, but no name that is looked up here without regard to case
// contains a k.
int take_lower_letter(std::string_view& rest)
{
    constexpr int LONG_S = 0x17f;
    constexpr std::string_view LONG_S_AS_BYTES = "\xc5\xbf";
    if (rest.starts_with(LONG_S_AS_BYTES)) {
        rest.remove_prefix(LONG_S_AS_BYTES.size());
        return 's';
    }
    const int letter = take_character(rest);
    return letter == LONG_S ? 's' : lower(letter);
}

// Whether a string equals this text, ignoring case.
bool equals_ignoring_case(Value string, std::string_view text)
{
    auto rest = content_of(string);
    return std::ranges::all_of(
               text, [&rest](char wanted) { return !rest.empty() && take_lower_letter(rest) == lower(wanted); }) &&
           rest.empty();
}

} // namespace

bool equals(Value string, std::string_view text)
{
    auto rest = content_of(string);
    for (const char wanted : text) {
        if (rest.empty() || take_character(rest) != wanted) {
            return false;
        }
    }
    return rest.empty() && is_string(string);
}

bool base_name_equals(Value path, std::string_view name)
{
    auto rest = content_of(path);
    std::size_t matched = 0;
    bool is_equal = true;
    while (!rest.empty()) {
        const int letter = take_character(rest);
        if (letter == '/') {
            matched = 0;
            is_equal = true;
        } else {
            is_equal = is_equal && matched < name.size() && letter == name[matched++];
        }
    }
    return is_equal && matched == name.size();
}

Member member(Value object, std::string_view name)
{
    Member found;
    for (Children members(object); members.next();) {
        if (equals_ignoring_case(members.key(), name)) {
            found.is_unambiguous = found.value.empty() && equals(members.key(), name);
            found.value = members.value();
            if (!found.is_unambiguous) {
                return found;
            }
        }
    }
    return found;
}

} // namespace foster::json
