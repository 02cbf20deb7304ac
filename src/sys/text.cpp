#include "sys/text.hpp"

#include <limits>

namespace foster::sys
{

int parse_number(std::string_view text, int at_most)
{
    int number = text.empty() ? -1 : 0;
    for (const char digit : text) {
        if (digit < '0' || digit > '9' || number > at_most) {
            return -1;
        }
        number = number * 10 + (digit - '0');
    }
    return number > at_most ? -1 : number;
}

std::int64_t take_number(std::string_view& text)
{
    constexpr std::int64_t MAX = std::numeric_limits<std::int64_t>::max() / 16; // has room for one more digit
    std::int64_t number = -1;
    for (; !text.empty(); text.remove_prefix(1)) {
        const unsigned digit = static_cast<unsigned>(text.front()) - '0';
        if (digit < 10) {
            number = number > MAX ? number : std::max(number, std::int64_t{0}) * 10 + digit;
        } else if (number >= 0 || text.front() == '\n') {
            break;
        }
    }
    return number;
}

bool append(std::span<char> buffer, std::size_t& size, std::string_view part)
{
    if (part.size() >= buffer.size() - size) {
        return false;
    }
    *std::copy_n(part.data(), part.size(), buffer.data() + size) = '\0';
    size += part.size();
    return true;
}

std::string_view decimal(std::int64_t number, Digits& digits)
{
    auto rest = number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
    auto at = digits.size();
    do {
        digits[--at] = static_cast<char>('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (number < 0) {
        digits[--at] = '-';
    }
    return {digits.data() + at, digits.size() - at};
}

std::string_view after(std::string_view text, std::size_t size)
{
    text.remove_prefix(size);
    return text;
}

std::string_view after_key(std::string_view text, std::string_view key, char mark)
{
    for (auto line = text; !line.empty();) {
        if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == mark) {
            return after(line, key.size() + 1);
        }
        const auto end = line.find('\n');
        line = end == std::string_view::npos ? std::string_view() : after(line, end + 1);
    }
    return {};
}

} // namespace foster::sys
