#include "option_table.hpp"

#include "zombies/cpu.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

namespace foster
{
namespace
{

// A decimal number up to at_most, digits only; -1 for anything else.
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

// "500ms", "10s", "5m" or plain seconds; -1 for anything else.
sys::Nanoseconds duration_from(std::string_view text)
{
    constexpr int MOST = 10'000'000; // twice as many minutes are still a number of nanoseconds
    constexpr struct {
        std::string_view name;
        sys::Nanoseconds length;
    } UNITS[] = {{"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"", 1'000'000'000}};
    for (const auto& unit : UNITS) {
        if (text.ends_with(unit.name)) {
            text.remove_suffix(unit.name.size());
            const int number = number_from(text, MOST);
            return number < 0 ? -1 : number * unit.length;
        }
    }
    return -1;
}

struct Pair {
    std::string_view first;
    std::string_view second;
    bool whole; // there was a colon
};

Pair split_at_colon(const char* text)
{
    const char* colon = std::strchr(text, ':');
    if (colon == nullptr) {
        return {text, {}, false};
    }
    return {{text, static_cast<std::size_t>(colon - text)}, colon + 1, true};
}

const char* set_rewrite(Options& options, char* value)
{
    const auto [from_word, to_word, whole] = split_at_colon(value);
    if (!whole) {
        return "not FROM:TO";
    }
    const int from = signal_from(from_word);
    const bool dropped = to_word == "0" || to_word == "none";
    const int to = dropped ? 0 : signal_from(to_word);
    if (from < 0 || to < 0) {
        return "no such signal";
    }
    if (from == SIGKILL || from == SIGSTOP) {
        return "SIGKILL and SIGSTOP cannot be caught, so they cannot be rewritten";
    }
    options.rewrites[static_cast<std::size_t>(from)] = static_cast<std::uint8_t>(to);
    return nullptr;
}

const char* remap_exit(Options& options, char* value)
{
    const auto [from_word, to_word, whole] = split_at_colon(value);
    const int from = number_from(from_word, 255);
    const int to = whole ? number_from(to_word, 255) : 0;
    if (from < 0 || to < 0) {
        return "an exit code is a number from 0 to 255";
    }
    options.exit_codes[static_cast<std::size_t>(from)] = static_cast<std::uint8_t>(to);
    return nullptr;
}

const char* set_signal(int& field, const char* value)
{
    field = signal_from(value);
    return field < 0 ? "no such signal" : nullptr;
}

const char* add_assignment(Options& options, char* value)
{
    if (value[0] == '=' || std::strchr(value, '=') == nullptr) {
        return "not NAME=VALUE";
    }
    if (options.assignment_count == options.assignments.size()) {
        return "one --env too many";
    }
    options.assignments[options.assignment_count++] = value;
    return nullptr;
}

const char* set_zombies(Options& options, char* value)
{
    constexpr std::string_view MODES[] = {"report", "nudge", "reap"};
    const auto* const mode = std::ranges::find(MODES, std::string_view(value));
    if (mode == std::end(MODES)) {
        return "not report, nudge or reap";
    }
    options.zombies = static_cast<Zombies>(1 + (mode - std::begin(MODES)));
    return options.zombies == Zombies::REAP && !cpu::IS_SUPPORTED ? "no remote wait on this CPU architecture" : nullptr;
}

const char* set_zombie_age(Options& options, char* value)
{
    options.zombie_age = duration_from(value);
    return options.zombie_age <= 0 ? "not a time like 500ms, 10s, 5m, or plain seconds, above 0" : nullptr;
}

const char* reap_zombies(Options& options, char* value)
{
    options.once = Once::REAP_ZOMBIES;
    options.neglecter = value == nullptr ? 0 : number_from(value, 1 << 22);
    if (!cpu::IS_SUPPORTED) {
        return "no remote wait on this CPU architecture";
    }
    return options.neglecter < 0 || (value != nullptr && options.neglecter == 0) ? "not a process id" : nullptr;
}

const char* set_log(Options& /*options*/, char* value)
{
    const std::string_view format = value;
    sys::set_json(format == "json");
    return sys::is_json() || format == "text" ? nullptr : "not text or json";
}

const char* set_text(const char*& field, const char* value)
{
    field = value;
    return value[0] == '\0' ? "it is empty" : nullptr;
}

const char* set(bool& field)
{
    field = true;
    return nullptr;
}

const char* print(Options& options, Print text)
{
    options.print = text;
    return nullptr;
}

const char* forward_to_child_alone(Options& options)
{
    options.group = false;
    if (options.personality->owns_session) {
        options.own_session = false;
        options.same_group = true;
    }
    return nullptr;
}

const char* say_more(Options& options)
{
    options.level = options.level < sys::Level::INFO ? sys::Level::INFO : sys::Level::DEBUG;
    return nullptr;
}

const char* say_errors_only(Options& options)
{
    options.level = sys::Level::ERROR;
    return nullptr;
}

struct Row {
    const char* letters;
    const char* name;
    const char* value;
    const char* help;
    const char* (*apply)(Options&, char* value);
};

// For the compiler alone, see WORDS.
constexpr Row ROWS[] = {
    {"s", "subreaper", "", "accepted for tini's sake: not as PID 1, foster always is a child subreaper",
     [](Options&, char*) -> const char* { return nullptr; }},
    {"g", "group", "", "forward signals to the process group that the child is in",
     [](Options& options, char*) { return set(options.group); }},
    {"c", "single-child", "", "forward signals to the child alone (the default, but for dumb-init)",
     [](Options& options, char*) { return forward_to_child_alone(options); }},
    {"", "same-group", "", "leave the child in foster's own process group",
     [](Options& options, char*) { return set(options.same_group); }},
    {"", "setsid", "", "run the child in its own session, with the terminal as its controlling one",
     [](Options& options, char*) { return set(options.own_session); }},
    {"r", "rewrite", "FROM:TO", "forward signal TO in place of FROM; TO 0 or none drops it; repeatable", set_rewrite},
    {"e", "remap-exit", "CODE[:TO]", "end with TO (0) in place of CODE; repeatable", remap_exit},
    {"p", "parent-death", "SIGNAL", "signal that foster gets, and forwards, when its parent dies",
     [](Options& options, char* value) { return set_signal(options.parent_death, value); }},
    {"", "tether", "[=SIGNAL]", "signal (KILL) that the child gets when foster dies",
     [](Options& options, char* value) { return set_signal(options.tether, value == nullptr ? "KILL" : value); }},
    {"", "user", "NAME|UID[:GROUP]", "run the child as this user, with its groups and HOME",
     [](Options& options, char* value) { return set_text(options.user, value); }},
    {"", "chdir", "DIR", "run the child in this directory",
     [](Options& options, char* value) { return set_text(options.directory, value); }},
    {"", "env", "NAME=VALUE", "put this into the child's environment; repeatable", add_assignment},
    {"", "zombies", "WHAT", "of a living parent: report them; nudge it, too; reap them through it, too", set_zombies},
    {"", "zombie-age", "DURATION", "how long a zombie must have been seen for that (60s)", set_zombie_age},
    {"", "list-zombies", "", "run nothing: list all zombies, and who neglects them",
     [](Options& options, char*) {
         options.once = Once::LIST_ZOMBIES;
         return static_cast<const char*>(nullptr);
     }},
    {"", "reap-zombies", "[=PID]", "run nothing: reap all zombies, or PID's, through their parents", reap_zombies},
    {"", "log", "FORMAT", "messages, and --list-zombies, as text or json", set_log},
    {"P", "pause", "", "run nothing: reap, and exit with 0 on SIGINT or SIGTERM",
     [](Options& options, char*) { return set(options.pause); }},
    {"v", "verbose", "", "tell what is spawned, forwarded and reaped; twice: also what could be ignored",
     [](Options& options, char*) { return say_more(options); }},
    {"q", "quiet", "", "say nothing but errors that end foster",
     [](Options& options, char*) { return say_errors_only(options); }},
    {"w", "warn-reaped", "", "warn of every orphan that is reaped: name, pid, exit code or signal",
     [](Options& options, char*) { return set(options.warn_reaped); }},
    {"h", "help", "", "print this and exit", [](Options& options, char*) { return print(options, Print::HELP); }},
    {"V", "version", "", "print the version and exit",
     [](Options& options, char*) { return print(options, Print::VERSION); }},
    {"lL", "license", "", "print the license and exit",
     [](Options& options, char*) { return print(options, Print::LICENSE); }},
};

constexpr std::size_t COUNT = std::size(ROWS);

consteval std::size_t size_of_words()
{
    std::size_t size = 0;
    for (const auto& row : ROWS) {
        for (const std::string_view word : {row.letters, row.name, row.value, row.help}) {
            size += word.size() + 1;
        }
    }
    return size;
}

// The words of all rows, one behind the other: each pointer to one would have to be relocated in a position-independent program,
// and take 32 bytes of the file.
constexpr auto WORDS = [] {
    std::array<char, size_of_words()> words{};
    auto* at = words.begin();
    for (const auto& row : ROWS) {
        for (const std::string_view word : {row.letters, row.name, row.value, row.help}) {
            at = std::ranges::copy(word, at).out + 1;
        }
    }
    return words;
}();

template <std::size_t... ROW>
const char* apply_row(std::size_t row, Options& options, char* value, std::index_sequence<ROW...> /*all*/)
{
    const char* wrong = nullptr;
    (void)((row == ROW && (wrong = ROWS[ROW].apply(options, value), true)) || ...);
    return wrong;
}

} // namespace

const char* Option::apply(Options& options, char* text) const
{
    return apply_row(row, options, text, std::make_index_sequence<COUNT>());
}

OptionReader::OptionReader() : word_(WORDS.data()) {}

bool OptionReader::next(Option& option)
{
    if (row_ == COUNT) {
        return false;
    }
    for (const char** word : {&option.letters, &option.name, &option.value, &option.help}) {
        *word = word_;
        word_ += std::strlen(word_) + 1;
    }
    option.row = row_++;
    return true;
}

} // namespace foster
