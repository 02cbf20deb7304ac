// Messages with any values, as text and as JSON. A text is one line without control characters. An object is parsed,
// and each of its members is what was logged: a string is its beginning at least, and all of it if it is short.
#include "harness.hpp"

#include "log/log.hpp"

#include <algorithm>
#include <ctime>

namespace
{

using fuzz::expect;
namespace log = foster::log;

constexpr std::size_t SHORT = 49; // is never cut off, even if all its bytes are printed as \u0000

void check_member(const fuzz::Members& members, const std::string& name, std::string_view value)
{
    const auto wanted = fuzz::as_utf8(value);
    const auto& is = members.at(name);
    expect(wanted.starts_with(is) && (value.size() > SHORT || wanted == is) &&
           is.size() >= std::min(value.size(), SHORT));
}

void check_member(const fuzz::Members& members, const std::string& name, const char* value)
{
    value == nullptr ? expect(members.at(name) == "null") : check_member(members, name, std::string_view(value));
}

void check_member(const fuzz::Members& members, const std::string& name, log::OptionalNumber value)
{
    expect(members.at(name) == (value ? std::to_string(*value) : "null"));
}

void check_member(const fuzz::Members& members, const std::string& name, bool value)
{
    expect(members.at(name) == (value ? "true" : "false"));
}

void check_member(const fuzz::Members& members, const std::string& name, log::Error value)
{
    const auto& reason = members.at(name);
    expect(!reason.empty() && (!reason.starts_with("error ") || reason == "error " + std::to_string(value.number)));
}

template <std::integral Number> void check_member(const fuzz::Members& members, const std::string& name, Number value)
{
    check_member(members, name, log::OptionalNumber(value));
}

template <typename... Values> void check(log::Message<Values...> message, Values... values)
{
    const log::Messages messages{log::Level::DEBUG};
    log::set_json(false);
    messages.warning(message, values...);
    expect(fuzz::world.lines.back().starts_with("foster: warning: "));
    log::set_json(true);
    messages.warning(message, values...);
    const auto& members = fuzz::world.members;
    expect(fuzz::world.lines.size() == 2 && members.at("level") == "warning");
    const std::time_t seconds = fuzz::world.now / 1'000'000'000;
    std::array<char, 32> time{};
    expect(std::strftime(time.data(), time.size(), "%Y-%m-%dT%H:%M:%S.123Z", std::gmtime(&seconds)) != 0);
    expect(members.at("time") == time.data());
    std::string_view text(message.text());
    std::size_t count = 4;
    const auto check_field = [&](auto value) {
        text.remove_prefix(text.find('{'));
        if (const std::string name(log::take_field(text).name); !name.empty()) {
            check_member(members, name, value);
            ++count;
        }
    };
    (check_field(values), ...);
    expect(members.size() == count &&
           members.at("event") == std::string(message.text()).substr(0, members.at("event").size()));
    expect(!members.at("message").empty());
}

// Lines that are put together from parts, such as those of --list-zombies.
void check_parts(fuzz::Input& input)
{
    log::Line text;
    log::Line object;
    object.begin_object();
    const auto name = input.text();
    const auto parent = input.text();
    while (!input.is_empty()) {
        const auto part = input.text();
        text.add("{}{} x{}", text.size() == 0 ? "" : ", ", std::string_view(part), part.size());
    }
    const std::string names(text.text());
    fuzz::expect_line(text.finished());
    expect(std::string(text.c_string()) == names);
    object.add_members("{pid}{name}{parent_name}{parent_alive}{obstacle}", 7, std::string_view(name), parent.c_str(),
                       true, text.c_string());
    object.end_object();
    const auto members = fuzz::parse_object(object.finished());
    check_member(members, "name", std::string_view(name));
    check_member(members, "parent_name", parent.c_str());
    expect(members.size() == 5 && fuzz::as_utf8(names).starts_with(members.at("obstacle")));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::reset();
    fuzz::Input input(data, size);
    const auto shape = input.byte() % 7;
    if (shape == 0) {
        check_parts(input);
        return 0;
    }
    std::int64_t number = 0;
    for (auto digits = input.byte() % 9; digits > 0; --digits) {
        number = static_cast<std::int64_t>(static_cast<std::uint64_t>(number) << 8 | input.byte());
    }
    constexpr std::int64_t END = 4'107'542'400; // 1 March 2100, which log::add_time() does not reach
    fuzz::world.now = static_cast<std::int64_t>(static_cast<std::uint64_t>(number) % END * 1'000'000'000 + 123'000'000);
    const auto one = input.text();
    const auto two = input.text();
    const auto three = input.rest();
    const char* const maybe = one.empty() ? nullptr : one.c_str();
    if (shape == 1) {
        check("signal-refused|cannot forward {signal} to {name}[{pid}]: {reason}{}", one.c_str(), two.c_str(), number,
              log::Error{static_cast<int>(number)}, three.c_str());
    } else if (shape == 2) {
        check("bad-usage|bad value '{word}' for option '--{option}'{}: {reason}", std::string_view(three), maybe, "",
              two.c_str());
    } else if (shape == 3) {
        check("zombies-neglected|{name}[{pid}] neglects {zombies} zombie{}, oldest {oldest}: {names}{!age}{!dumped}",
              two.c_str(), number, log::OptionalNumber(number % 2 == 0 ? std::nullopt : std::optional(number)), "s",
              one.c_str(), std::string_view(three), number, number % 3 == 0);
    } else if (shape == 4) {
        check("nothing|{!one}{!two}|{}{}", maybe, std::string_view(two), number, number < 0);
    } else if (shape == 5) { // more than a line has room for
        check("four|{one} {two} {three} {four}", one.c_str(), two.c_str(), std::string_view(three),
              std::string_view(three));
    } else {
        check("one|the {word}", std::string_view(three));
    }
    return 0;
}
