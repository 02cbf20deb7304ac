#include "options/option_table.hpp"

#include "log/duration.hpp"
#include "sys/clock.hpp"
#include "sys/signals.hpp"
#include "sys/text.hpp"
#include "sys/tracing.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

namespace foster
{
namespace
{

struct Pair {
    std::string_view first;
    std::string_view second;
    bool has_colon; // the text contains a colon
};

Pair split_at_colon(const char* text)
{
    const char* colon = sys::end_at(text, ':');
    const bool has_colon = *colon == ':';
    return {{text, static_cast<std::size_t>(colon - text)}, has_colon ? colon + 1 : colon, has_colon};
}

// For signals that foster can never receive. Returns null, or the problem.
const char* why_not_caught(int signal)
{
    return signal < 0                               ? "no such signal"
           : signal == SIGKILL || signal == SIGSTOP ? "SIGKILL and SIGSTOP cannot be caught"
                                                    : nullptr;
}

const char* set_rewrite(Options& options, char* value)
{
    const auto [from_word, to_word, has_colon] = split_at_colon(value);
    if (!has_colon) {
        return "not FROM:TO";
    }
    const int from = parse_signal(from_word);
    const bool dropped = to_word == "0" || to_word == "none";
    const int to = dropped ? 0 : parse_signal(to_word);
    if (const char* problem = why_not_caught(from)) {
        return problem;
    }
    if (to < 0) {
        return "no such signal";
    }
    options.rewrites[static_cast<std::size_t>(from)] = static_cast<std::uint8_t>(to);
    return nullptr;
}

const char* remap_exit(Options& options, char* value)
{
    const auto [from_word, to_word, has_colon] = split_at_colon(value);
    const int from = sys::parse_number(from_word, 255);
    const int to = has_colon ? sys::parse_number(to_word, 255) : 0;
    if (from < 0 || to < 0) {
        return "an exit code is a number from 0 to 255";
    }
    options.exit_codes[static_cast<std::size_t>(from)] = static_cast<std::uint8_t>(to);
    return nullptr;
}

const char* set_signal(int& field, const char* value)
{
    field = parse_signal(value);
    return field < 0 ? "no such signal" : nullptr;
}

const char* add_stop_signal(Options& options, char* value)
{
    const int signal = parse_signal(value);
    const char* const problem = why_not_caught(signal);
    options.stop_signals |= problem == nullptr ? sys::bit_of(signal) : 0;
    return problem;
}

const char* add_assignment(Options& options, char* value)
{
    if (value[0] == '=' || *sys::end_at(value, '=') == '\0') {
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
    static constexpr char MODES[][8] = {"report", "nudge", "reap"}; // no pointers, which need relocations
    const auto* const mode = std::ranges::find(MODES, std::string_view(value));
    if (mode == std::end(MODES)) {
        return "not report, nudge or reap";
    }
    options.zombies = static_cast<Zombies>(1 + (mode - std::begin(MODES)));
    return options.zombies == Zombies::REAP && !sys::HAS_REMOTE_WAIT ? "no remote wait on this CPU architecture"
                                                                     : nullptr;
}

constexpr const char* NOT_A_DURATION = "not a time like 500ms, 10s, 5m, or plain seconds";

const char* set_time(sys::Nanoseconds& field, std::string_view value)
{
    field = log::parse_duration(value);
    return field < 0 ? NOT_A_DURATION : nullptr;
}

const char* set_time_above_0(sys::Nanoseconds& field, std::string_view value)
{
    const char* const problem = set_time(field, value);
    return field == 0 ? "it is no time at all" : problem;
}

const char* add_delay(Options& options, char* value)
{
    const auto [signal_word, time_word, has_colon] = split_at_colon(value);
    if (!has_colon) {
        return "not SIGNAL:DURATION";
    }
    Delay delay{parse_signal(signal_word)};
    if (const char* problem = why_not_caught(delay.signal)) {
        return problem;
    }
    const auto is_its_own = [delay](const Delay& other) { return other.signal == 0 || other.signal == delay.signal; };
    auto* const place = std::ranges::find_if(options.delays, is_its_own);
    if (place == options.delays.end()) {
        return "one --delay too many";
    }
    const char* const problem = set_time(delay.time, time_word);
    *place = delay;
    return problem;
}

const char* set_warn_pids(Options& options, char* value)
{
    options.warn_pids = sys::parse_number(value, 100);
    return options.warn_pids <= 0 ? "not a number from 1 to 100" : nullptr;
}

const char* set_termination_log(Options& options, char* value)
{
    options.termination_log = value == nullptr ? "/dev/termination-log" : value;
    return options.termination_log[0] == '\0' ? "it is empty" : nullptr;
}

const char* set_mode(Options& options, Mode mode)
{
    if (mode >= options.mode || prints_text(mode)) {
        options.mode = mode;
    }
    return nullptr;
}

const char* reap_zombies(Options& options, char* value)
{
    (void)set_mode(options, Mode::REAP_ZOMBIES);
    options.neglecter = value == nullptr ? 0 : sys::parse_number(value, 1 << 22);
    if (!sys::HAS_REMOTE_WAIT) {
        return "no remote wait on this CPU architecture";
    }
    return value != nullptr && options.neglecter <= 0 ? "not a process id" : nullptr;
}

// Returns 1 for JSON, 0 for text, -1 for anything else.
int parse_format(std::string_view text)
{
    return text == "json" ? 1 : text == "text" ? 0 : -1;
}

// prepare_messages() has applied the value already.
const char* check_log(Options& /*options*/, char* value)
{
    return parse_format(value) < 0 ? "not text or json" : nullptr;
}

const char* set_text(const char*& field, const char* value)
{
    field = value;
    return value[0] == '\0' ? "it is empty" : nullptr;
}

const char* install_as(Options& options, char* value)
{
    (void)set_mode(options, Mode::INSTALL);
    return set_text(options.install_as, value);
}

const char* set(bool& field)
{
    field = true;
    return nullptr;
}

const char* forward_to_group(Options& options)
{
    options.group = true;
    if (options.personality->owns_session) {
        options.same_group = false; // a --single-child before this option has set it
    }
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

const char* raise_level(Options& options)
{
    options.level = options.level < log::Level::INFO ? log::Level::INFO : log::Level::DEBUG;
    return nullptr;
}

const char* set_error_level(Options& options)
{
    options.level = log::Level::ERROR;
    return nullptr;
}

struct Row {
    const char* group;
    const char* letters;
    const char* name;
    const char* value;
    const char* help;
    const char* (*apply)(Options&, char* value);
};

// Used by the compiler only, see WORDS.
constexpr Row ROWS[] = {
    {"Signals", "g", "group", "", "forward signals to the child's process group",
     [](Options& options, char*) { return forward_to_group(options); }},
    {"", "c", "single-child", "", "forward signals to the child alone (the default)",
     [](Options& options, char*) { return forward_to_child_alone(options); }},
    {"", "r", "rewrite", "FROM:TO", "forward TO in place of FROM; 0 or none drops it", set_rewrite},
    {"", "", "delay", "SIGNAL:DURATION", "forward this signal only after this time", add_delay},
    {"", "p", "parent-death", "SIGNAL", "forward this signal when foster's parent dies",
     [](Options& options, char* value) { return set_signal(options.parent_death, value); }},
    {"", "", "tether", "[=SIGNAL]", "send the child this (KILL) when foster dies",
     [](Options& options, char* value) { return set_signal(options.tether, value == nullptr ? "KILL" : value); }},
    {"Child", "", "user", "NAME|UID[:GROUP]", "run the child as this user",
     [](Options& options, char* value) { return set_text(options.user, value); }},
    {"", "", "chdir", "DIR", "run it in this directory",
     [](Options& options, char* value) { return set_text(options.directory, value); }},
    {"", "", "env", "NAME=VALUE", "set this variable in its environment", add_assignment},
    {"", "", "setsid", "", "run it in its own session",
     [](Options& options, char*) { return set(options.own_session); }},
    {"", "", "same-group", "", "leave it in foster's own process group",
     [](Options& options, char*) { return set(options.same_group); }},
    {"", "", "no-terminal", "", "keep it out of the terminal's foreground",
     [](Options& options, char*) { return set(options.no_terminal); }},
    {"Ending", "", "stop-timeout", "DURATION", "SIGKILL the child this long after a stop request",
     [](Options& options, char* value) { return set_time_above_0(options.stop_timeout, value); }},
    {"", "", "stop-signal", "SIGNAL", "a stop request, too, as TERM and INT are", add_stop_signal},
    {"", "", "grace", "DURATION", "SIGTERM what the child left, SIGKILL after this",
     [](Options& options, char* value) { return set_time(options.grace, value); }},
    {"", "", "wait-all", "", "wait for all that the child left",
     [](Options& options, char*) { return set(options.wait_all); }},
    {"", "e", "remap-exit", "CODE[:TO]", "exit with TO (0) in place of CODE", remap_exit},
    {"", "", "mirror-signal", "", "die by the signal that killed the child",
     [](Options& options, char*) { return set(options.mirror_signal); }},
    {"", "", "termination-log", "[=PATH]", "write how the child exited to a file", set_termination_log},
    {"Zombies", "", "zombies", "WHAT", "of living parents: report, nudge or reap them", set_zombies},
    {"", "", "zombie-age", "DURATION", "how long they must have been seen (60s)",
     [](Options& options, char* value) { return set_time_above_0(options.zombie_age, value); }},
    {"", "", "list-zombies", "", "list all zombies and their parents, then exit",
     [](Options& options, char*) { return set_mode(options, Mode::LIST_ZOMBIES); }},
    {"", "", "reap-zombies", "[=PID]", "reap all zombies, or those of PID, then exit", reap_zombies},
    {"Messages", "v", "verbose", "", "log what is spawned, forwarded, reaped; -vv: more",
     [](Options& options, char*) { return raise_level(options); }},
    {"", "q", "quiet", "", "log fatal errors only", [](Options& options, char*) { return set_error_level(options); }},
    {"", "w", "warn-reaped", "", "warn of each orphan that is reaped",
     [](Options& options, char*) { return set(options.warn_reaped); }},
    {"", "", "warn-pids", "PERCENT", "warn when this much of the PID limit is in use", set_warn_pids},
    {"", "", "log", "FORMAT", "text or json", check_log},
    {"Other", "P", "pause", "", "run nothing: reap until a stop request",
     [](Options& options, char*) { return set_mode(options, Mode::PAUSE); }},
    {"", "", "harden", "", "drop privileges that foster itself does not need",
     [](Options& options, char*) { return set(options.harden); }},
    {"", "", "install", "DEST", "copy foster to this file or directory, then exit", install_as},
    {"", "s", "subreaper", "", "accepted for tini; foster always is a subreaper",
     [](Options&, char*) -> const char* { return nullptr; }},
    {"", "h", "help", "", "print this and exit", [](Options& options, char*) { return set_mode(options, Mode::HELP); }},
    {"", "V", "version", "", "print the version and exit",
     [](Options& options, char*) { return set_mode(options, Mode::VERSION); }},
    {"", "lL", "license", "", "print the license and exit",
     [](Options& options, char*) { return set_mode(options, Mode::LICENSE); }},
};

constexpr std::size_t COUNT = std::size(ROWS);

consteval std::size_t size_of_words()
{
    std::size_t size = 0;
    for (const auto& row : ROWS) {
        for (const std::string_view word : {row.group, row.letters, row.name, row.value, row.help}) {
            size += word.size() + 1;
        }
    }
    return size;
}

// The words of all rows, one after the other. Pointers to the words would need relocations in a position-independent
// program, 32 bytes of the file each.
constexpr auto WORDS = [] {
    std::array<char, size_of_words()> words{};
    auto* at = words.begin();
    for (const auto& row : ROWS) {
        for (const std::string_view word : {row.group, row.letters, row.name, row.value, row.help}) {
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

void Option::apply_format(const char* text) const
{
    constexpr auto LOG = std::ranges::find(ROWS, std::string_view("log"), &Row::name) - std::begin(ROWS);
    const int format = row == LOG ? parse_format(text) : -1;
    if (format >= 0) {
        log::set_json(format == 1);
    }
}

OptionReader::OptionReader() : word_(WORDS.data()) {}

bool OptionReader::next(Option& option)
{
    if (row_ == COUNT) {
        return false;
    }
    for (const char** word : {&option.group, &option.letters, &option.name, &option.value, &option.help}) {
        *word = word_;
        word_ += std::strlen(word_) + 1;
    }
    option.row = row_++;
    return true;
}

} // namespace foster
