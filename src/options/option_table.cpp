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
    bool whole; // there was a colon
};

Pair split_at_colon(const char* text)
{
    const char* colon = sys::end_at(text, ':');
    const bool whole = *colon == ':';
    return {{text, static_cast<std::size_t>(colon - text)}, whole ? colon + 1 : colon, whole};
}

// For the signals that never come to foster.
const char* why_not_caught(int signal)
{
    return signal < 0                               ? "no such signal"
           : signal == SIGKILL || signal == SIGSTOP ? "SIGKILL and SIGSTOP cannot be caught"
                                                    : nullptr;
}

const char* set_rewrite(Options& options, char* value)
{
    const auto [from_word, to_word, whole] = split_at_colon(value);
    if (!whole) {
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
    const auto [from_word, to_word, whole] = split_at_colon(value);
    const int from = sys::parse_number(from_word, 255);
    const int to = whole ? sys::parse_number(to_word, 255) : 0;
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
    constexpr std::string_view MODES[] = {"report", "nudge", "reap"};
    const auto* const mode = std::ranges::find(MODES, std::string_view(value));
    if (mode == std::end(MODES)) {
        return "not report, nudge or reap";
    }
    options.zombies = static_cast<Zombies>(1 + (mode - std::begin(MODES)));
    return options.zombies == Zombies::REAP && !sys::HAS_REMOTE_WAIT ? "no remote wait on this CPU architecture"
                                                                     : nullptr;
}

constexpr const char* NO_TIME = "not a time like 500ms, 10s, 5m, or plain seconds";

const char* set_time(sys::Nanoseconds& field, std::string_view value)
{
    field = log::parse_duration(value);
    return field < 0 ? NO_TIME : nullptr;
}

const char* set_time_above_0(sys::Nanoseconds& field, std::string_view value)
{
    const char* const problem = set_time(field, value);
    return field == 0 ? "it is no time at all" : problem;
}

const char* add_delay(Options& options, char* value)
{
    const auto [signal_word, time_word, whole] = split_at_colon(value);
    if (!whole) {
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

// Of several the last one counts, but a text that is asked for is printed.
const char* set_mode(Options& options, Mode mode)
{
    if (!prints_text(options.mode) || prints_text(mode)) {
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
    return options.neglecter < 0 || (value != nullptr && options.neglecter == 0) ? "not a process id" : nullptr;
}

// 1: JSON, 0: text, below 0: none.
int format_from(std::string_view text)
{
    return text == "json" ? 1 : text == "text" ? 0 : -1;
}

// prepare_messages() has set it.
const char* check_log(Options& /*options*/, char* value)
{
    return format_from(value) < 0 ? "not text or json" : nullptr;
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
        options.same_group = false; // which a --single-child has set
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

const char* say_more(Options& options)
{
    options.level = options.level < log::Level::INFO ? log::Level::INFO : log::Level::DEBUG;
    return nullptr;
}

const char* say_errors_only(Options& options)
{
    options.level = log::Level::ERROR;
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
     [](Options& options, char*) { return forward_to_group(options); }},
    {"c", "single-child", "", "forward signals to the child alone (the default, but for dumb-init)",
     [](Options& options, char*) { return forward_to_child_alone(options); }},
    {"", "same-group", "", "leave the child in foster's own process group",
     [](Options& options, char*) { return set(options.same_group); }},
    {"", "setsid", "", "run the child in its own session, with the terminal as its controlling one",
     [](Options& options, char*) { return set(options.own_session); }},
    {"", "no-terminal", "", "leave the child out of the terminal's foreground: what that sends is forwarded, too",
     [](Options& options, char*) { return set(options.no_terminal); }},
    {"r", "rewrite", "FROM:TO",
     "forward signal TO in place of FROM; TO 0 or none drops it; repeatable; not for what a terminal sends",
     set_rewrite},
    {"", "delay", "SIGNAL:DURATION", "forward this signal only after a time; repeatable", add_delay},
    {"", "stop-timeout", "DURATION", "SIGKILL the child this long after the first request to stop it",
     [](Options& options, char* value) { return set_time_above_0(options.stop_timeout, value); }},
    {"", "stop-signal", "SIGNAL", "this is a request to stop, too, as SIGTERM and SIGINT are; repeatable",
     add_stop_signal},
    {"", "grace", "DURATION", "when it has ended: SIGTERM what it has left, SIGKILL that after this time",
     [](Options& options, char* value) { return set_time(options.grace, value); }},
    {"", "wait-all", "", "when it has ended: wait for all that it has left, forward signals to that",
     [](Options& options, char*) { return set(options.wait_all); }},
    {"", "mirror-signal", "", "not as PID 1: die by the signal that killed the child",
     [](Options& options, char*) { return set(options.mirror_signal); }},
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
    {"", "zombie-age", "DURATION", "how long a zombie must have been seen for that (60s)",
     [](Options& options, char* value) { return set_time_above_0(options.zombie_age, value); }},
    {"", "list-zombies", "", "run nothing: list all zombies, and who neglects them",
     [](Options& options, char*) { return set_mode(options, Mode::LIST_ZOMBIES); }},
    {"", "reap-zombies", "[=PID]", "run nothing: reap all zombies, or PID's, through their parents", reap_zombies},
    {"", "termination-log", "[=PATH]", "write how it ended into a file (/dev/termination-log)", set_termination_log},
    {"", "warn-pids", "PERCENT", "warn when so much of the cgroup's limit of PIDs is in use", set_warn_pids},
    {"", "install", "DEST", "run nothing: copy foster itself to this file, or into this directory", install_as},
    {"", "log", "FORMAT", "messages, and --list-zombies, as text or json", check_log},
    {"P", "pause", "", "run nothing: reap, and exit with 0 on a request to stop",
     [](Options& options, char*) { return set_mode(options, Mode::PAUSE); }},
    {"v", "verbose", "", "tell what is spawned, forwarded and reaped; twice: also what could be ignored",
     [](Options& options, char*) { return say_more(options); }},
    {"q", "quiet", "", "say nothing but errors that end foster",
     [](Options& options, char*) { return say_errors_only(options); }},
    {"w", "warn-reaped", "", "warn of every orphan that is reaped: name, pid, exit code or signal",
     [](Options& options, char*) { return set(options.warn_reaped); }},
    {"h", "help", "", "print this and exit", [](Options& options, char*) { return set_mode(options, Mode::HELP); }},
    {"V", "version", "", "print the version and exit",
     [](Options& options, char*) { return set_mode(options, Mode::VERSION); }},
    {"lL", "license", "", "print the license and exit",
     [](Options& options, char*) { return set_mode(options, Mode::LICENSE); }},
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

void Option::apply_format(const char* text) const
{
    constexpr auto LOG = std::ranges::find(ROWS, std::string_view("log"), &Row::name) - std::begin(ROWS);
    const int format = row == LOG ? format_from(text) : -1;
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
    for (const char** word : {&option.letters, &option.name, &option.value, &option.help}) {
        *word = word_;
        word_ += std::strlen(word_) + 1;
    }
    option.row = row_++;
    return true;
}

} // namespace foster
