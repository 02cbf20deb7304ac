#include "sys/text.hpp"

namespace foster::sys
{

int number_from(std::string_view text, int at_most)
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
    while (!text.empty() && (text.front() < '0' || text.front() > '9')) {
        if (text.front() == '\n') {
            return -1;
        }
        text.remove_prefix(1);
    }
    std::int64_t number = text.empty() ? -1 : 0;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1)) {
        number = number * 10 + (text.front() - '0');
    }
    return number;
}

std::string_view behind(std::string_view text, std::size_t size)
{
    text.remove_prefix(size);
    return text;
}

std::string_view behind_key(std::string_view text, std::string_view key, char mark)
{
    for (auto line = text; !line.empty();) {
        if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == mark) {
            return behind(line, key.size() + 1);
        }
        const auto end = line.find('\n');
        line = end == std::string_view::npos ? std::string_view() : behind(line, end + 1);
    }
    return {};
}

} // namespace foster::sys
