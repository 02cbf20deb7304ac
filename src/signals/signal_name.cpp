#include "signals/signal_name.hpp"

#include "sys/processes.hpp"
#include "sys/signals.hpp"

#include <algorithm>
#include <csignal>
#include <sys/types.h>

namespace foster
{
namespace
{

// Indexed by number, signal(7). Arrays, because pointers would need relocation in a position-independent program.
constexpr auto NAMES = std::to_array<std::array<char, 8>>({
    {""},     {"HUP"},  {"INT"},  {"QUIT"}, {"ILL"},    {"TRAP"},   {"ABRT"},  {"BUS"},  {"FPE"},  {"KILL"}, {"USR1"},
    {"SEGV"}, {"USR2"}, {"PIPE"}, {"ALRM"}, {"TERM"},   {"STKFLT"}, {"CHLD"},  {"CONT"}, {"STOP"}, {"TSTP"}, {"TTIN"},
    {"TTOU"}, {"URG"},  {"XCPU"}, {"XFSZ"}, {"VTALRM"}, {"PROF"},   {"WINCH"}, {"IO"},   {"PWR"},  {"SYS"},
});

} // namespace

SignalName::SignalName(int signal)
{
    if (signal > 0 && static_cast<std::size_t>(signal) < NAMES.size()) {
        text_.add("SIG");
        text_.add(NAMES[static_cast<std::size_t>(signal)].data());
    } else if (signal < FIRST_REAL_TIME) {
        text_.add_number(signal);
    } else if (signal == FIRST_REAL_TIME) {
        text_.add("SIGRTMIN");
    } else {
        text_.add("SIGRTMIN+");
        text_.add_number(signal - FIRST_REAL_TIME);
    }
}

namespace
{

bool same_letters(std::string_view one, std::string_view other)
{
    constexpr int CASE_BIT = 0x20; // of ASCII letters
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [](char left, char right) { return (left & ~CASE_BIT) == (right & ~CASE_BIT); });
}

bool take_beginning(std::string_view& text, std::string_view beginning)
{
    const bool there = text.size() >= beginning.size() && same_letters({text.data(), beginning.size()}, beginning);
    if (there) {
        text.remove_prefix(beginning.size());
    }
    return there;
}

// Parses at most two digits. Returns -1 for anything else.
int parse_small_number(std::string_view digits)
{
    return digits.size() > 2 ? -1 : sys::parse_number(digits, sys::LAST_SIGNAL);
}

// Parses what follows RTMIN or RTMAX: nothing, or a sign and a number. Returns -1 for anything else.
int parse_real_time(std::string_view offset, char sign, int base)
{
    const int step = sign == '+' ? 1 : -1;
    const bool bare = offset.empty();
    if (!bare && offset.front() != sign) {
        return -1;
    }
    const int distance = bare ? 0 : parse_small_number({offset.data() + 1, offset.size() - 1});
    const int signal = distance < 0 ? -1 : base + step * distance;
    return signal < FIRST_REAL_TIME || signal > sys::LAST_SIGNAL ? -1 : signal;
}

} // namespace

int parse_signal(std::string_view text)
{
    const int number = parse_small_number(text);
    // The C libraries use the two signals below SIGRTMIN themselves, nptl(7).
    if (number > 0 && number <= sys::LAST_SIGNAL && (number < FIRST_REAL_TIME - 2 || number >= FIRST_REAL_TIME)) {
        return number;
    }
    take_beginning(text, "SIG");
    if (take_beginning(text, "RTMIN")) {
        return parse_real_time(text, '+', FIRST_REAL_TIME);
    }
    if (take_beginning(text, "RTMAX")) {
        return parse_real_time(text, '-', sys::LAST_SIGNAL);
    }
    for (std::size_t signal = 1; signal < NAMES.size(); ++signal) {
        if (same_letters(text, NAMES[signal].data())) {
            return static_cast<int>(signal);
        }
    }
    return -1;
}

} // namespace foster
