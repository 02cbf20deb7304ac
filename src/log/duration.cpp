#include "log/duration.hpp"

#include "sys/text.hpp"

namespace foster::log
{
namespace
{

constexpr sys::Nanoseconds MILLISECOND = 1'000'000;
constexpr sys::Nanoseconds SECOND = 1000 * MILLISECOND;
constexpr sys::Nanoseconds MINUTE = 60 * SECOND;
constexpr sys::Nanoseconds HOUR = 60 * MINUTE;

} // namespace

sys::Nanoseconds parse_duration(std::string_view text)
{
    constexpr int MAX = 10'000'000; // as minutes, even twice as many fit into Nanoseconds
    // Static, and the names in it: no copy, and no pointers, which need relocations.
    static constexpr struct {
        char name[3];
        std::uint8_t size;
        std::uint32_t milliseconds;
    } UNITS[] = {{"ms", 2, 1}, {"s", 1, 1000}, {"m", 1, 60 * 1000}, {"", 0, 1000}};
    for (const auto& unit : UNITS) {
        if (text.ends_with(&unit.name[0])) {
            text.remove_suffix(unit.size);
            const int number = sys::parse_number(text, MAX);
            return number < 0 ? -1 : number * (unit.milliseconds * MILLISECOND);
        }
    }
    return -1;
}

void add_duration(Line& line, sys::Nanoseconds duration)
{
    if (duration >= HOUR) {
        line.add("{}h{}m", duration / HOUR, duration % HOUR / MINUTE);
    } else if (duration >= MINUTE) {
        line.add("{}m{}s", duration / MINUTE, duration % MINUTE / SECOND);
    } else if (duration >= SECOND) {
        line.add("{}s", duration / SECOND);
    } else {
        line.add("{}ms", duration / MILLISECOND);
    }
}

} // namespace foster::log
