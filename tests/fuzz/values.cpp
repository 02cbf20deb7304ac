// Durations, signal names and numbers: what is taken means what it says, and everything else is refused. The paths of a
// PATH, too: each fits, and is one of its directories and the name.
#include "harness.hpp"

#include "log/duration.hpp"
#include "signals/signal_name.hpp"
#include "sys/search_path.hpp"

#include <algorithm>
#include <climits>
#include <csignal>
#include <cstring>

namespace
{

using fuzz::expect;

bool is_number(std::string_view text)
{
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

void check_duration(const std::string& text)
{
    constexpr std::pair<const char*, std::int64_t> UNITS[] = {
        {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"", 1'000'000'000}};
    std::int64_t wanted = -1;
    for (const auto& [unit, length] : UNITS) {
        const auto digits = text.substr(0, text.size() - std::min(text.size(), std::string_view(unit).size()));
        if (wanted < 0 && text == digits + unit && is_number(digits)) {
            const auto number = std::strtoull(digits.c_str(), nullptr, 10); // ULLONG_MAX: too many digits
            wanted = number <= 10'000'000 ? static_cast<std::int64_t>(number) * length : -1;
        }
    }
    const auto parsed = foster::log::parse_duration(text);
    expect(parsed == wanted);
    if (parsed >= 0) {
        foster::log::Line line;
        foster::log::add_duration(line, parsed);
        const auto minutes = parsed / 60'000'000'000;
        const auto seconds = parsed / 1'000'000'000;
        const auto wanted_text = minutes >= 60 ? std::to_string(minutes / 60) + "h" + std::to_string(minutes % 60) + "m"
                                 : minutes > 0 ? std::to_string(minutes) + "m" + std::to_string(seconds % 60) + "s"
                                 : seconds > 0 ? std::to_string(seconds) + "s"
                                               : std::to_string(parsed / 1'000'000) + "ms";
        expect(line.text() == wanted_text);
    }
}

void check_signal(const std::string& text)
{
    const int signal = foster::parse_signal(text);
    expect(signal == -1 || (signal > 0 && signal <= 64 && signal != 32 && signal != 33));
    if (signal > 0) {
        expect(foster::parse_signal(foster::SignalName(signal).text()) == signal);
        const char* const name = ::sigabbrev_np(signal); // glibc's own table
        expect(name == nullptr || foster::SignalName(signal).text() == "SIG" + std::string(name) || signal == SIGIO);
    }
    if (is_number(text) && text.size() <= 2) {
        expect(signal == -1 || signal == std::stoi(text));
    }
}

void check_number(const std::string& text)
{
    for (const int at_most : {0, 1, 64, 100, 255, 1 << 22, 10'000'000}) {
        const int number = foster::sys::parse_number(text, at_most);
        const auto wanted = is_number(text) ? std::strtoull(text.c_str(), nullptr, 10) : ULLONG_MAX;
        expect(number == (wanted <= static_cast<unsigned>(at_most) ? static_cast<int>(wanted) : -1));
    }
}

void check_path(const std::string& directories, const std::string& name)
{
    std::string_view rest = directories;
    foster::sys::SearchPath paths(directories.c_str(), name);
    while (const char* const path = paths.next()) {
        std::string wanted;
        bool fits = false;
        do {
            expect(rest.data() != nullptr);
            const std::string directory(rest.substr(0, rest.find(':')));
            rest = directory.size() == rest.size() ? std::string_view() : rest.substr(directory.size() + 1);
            wanted = directory + (directory.empty() ? "" : "/") + name;
            fits = directory.size() + name.size() + 2 <= PATH_MAX;
        } while (!fits && rest.data() != nullptr);
        expect(path == wanted && fits);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::reset();
    fuzz::Input input(data, size);
    const auto text = input.text();
    check_duration(text);
    check_signal(text);
    check_number(text);
    const auto name = input.text();
    check_path(text, name);
    // Near the limit, which an input is too short for.
    check_path(std::string(PATH_MAX - std::min(name.size(), std::size_t{100}) - size % 8, 'd') + ":" + text, name);
    return 0;
}
