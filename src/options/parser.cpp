#include "options/parser.hpp"

#include "options/option_table.hpp"
#include "sys/text.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <span>

namespace foster
{
namespace
{

constexpr const char* OWN_VARIABLE = "FOSTER_OPTIONS";
constexpr std::size_t MAX_WORDS = 64; // in FOSTER_OPTIONS

// Reads the options at the head of a list of words.
class Parser
{
  public:
    Parser(Options& options, const char* source) : options_(&options), source_(source) {}
    // One that looks for the format of messages alone, and goes on behind what is wrong.
    Parser() = default;

    // Returns the first word that is no option. Options end there, so that `foster sh -c ...` needs no "--".
    char** parse(char** words)
    {
        for (words_ = words; *words_ != nullptr; ++words_) {
            char* word = *words_;
            if (word[0] != '-' || word[1] == '\0') {
                if (is_refused_) {
                    continue; // it may have been the value of what is no option
                }
                break;
            }
            if (word[1] != '-') {
                parse_letters(word + 1);
            } else if (word[2] == '\0') {
                ++words_;
                break;
            } else {
                parse_name(word + 2);
            }
        }
        return words_;
    }

  private:
    template <typename Condition> static bool find(Option& option, Condition is_wanted)
    {
        OptionReader options;
        bool found = false;
        while (!found && options.next(option)) {
            found = is_wanted(option);
        }
        return found;
    }

    void parse_letters(char* letters)
    {
        const char* word = *words_;
        for (; *letters != '\0'; ++letters) {
            Option option{};
            if (!find(option, [letters](const Option& row) { return *sys::end_at(row.letters, *letters) != '\0'; })) {
                if (letters == word + 1 && letters[1] == '\0') {
                    refuse("bad-usage|unknown option '{word}'{}", word, source_);
                }
                refuse("bad-usage|unknown option '-{letter}' in '{word}'{}", std::string_view(letters, 1), word,
                       source_);
                return;
            }
            if (option.takes_value()) {
                apply(option, letters[1] == '\0' ? nullptr : letters + 1);
                return;
            }
            apply(option, nullptr);
        }
    }

    void parse_name(char* name)
    {
        const char* word = *words_;
        char* const equals = sys::end_at(name, '=');
        const bool has_value = *equals == '=';
        const std::string_view wanted(name, static_cast<std::size_t>(equals - name));
        Option option{};
        if (!find(option, [wanted](const Option& row) { return wanted == row.name; })) {
            refuse("bad-usage|unknown option '{word}'{}", word, source_);
            return;
        }
        if (has_value && !option.takes_value()) {
            refuse("bad-usage|option '--{option}' takes no value: '{word}'{}", wanted, word, source_);
        }
        apply(option, has_value ? equals + 1 : nullptr);
    }

    // attached is the value in the same word, if there is one; else it is the next word.
    void apply(const Option& option, char* attached)
    {
        const char* word = *words_;
        char* value = attached;
        if (option.takes_value() && attached == nullptr && !option.value_is_optional()) {
            value = words_[1];
            if (value == nullptr) {
                refuse("bad-usage|option '{word}' needs a value: {value}{}", word, option.value, source_);
                return;
            }
            ++words_;
        }
        if (options_ == nullptr) {
            option.apply_format(value);
            return;
        }
        if (const char* wrong = option.apply(*options_, value)) {
            log::fail_usage("bad-usage|bad value '{word}' for option '--{option}'{}: {reason}", value, option.name,
                            source_, wrong);
        }
    }

    // Returns where only the format is looked for.
    template <typename... Values> void refuse(log::Message<Values...> message, Values... values)
    {
        if (options_ != nullptr) {
            log::fail_usage(message, values...);
        }
        is_refused_ = true;
    }

    Options* options_ = nullptr;
    const char* source_ = nullptr; // said after the bad word
    char** words_ = nullptr;
    bool is_refused_ = false; // something, which ends foster later
};

// Splits text at blanks, in place. Returns what there are too many words for, or null.
char* split(char* text, std::span<char*> words)
{
    std::size_t count = 0;
    for (bool in_word = false; *text != '\0'; ++text) {
        const bool blank = *text == ' ' || *text == '\t' || *text == '\n';
        if (blank) {
            *text = '\0';
        } else if (!in_word) {
            if (count == words.size()) {
                return text;
            }
            words[count++] = text;
        }
        in_word = !blank;
    }
    return nullptr;
}

// It stays as it is.
void find_format(const Environment& environment)
{
    char* text = const_cast<char*>(environment.find(OWN_VARIABLE)); // a part of what main got, which is mutable
    const std::size_t size = text == nullptr ? 0 : std::strlen(text);
    for (char* rest = text; rest != nullptr;) {
        std::array<char*, MAX_WORDS + 1> words{};
        rest = split(rest, std::span(words).first(MAX_WORDS));
        for (char** word = words.data(); *word != nullptr;) {
            word = Parser().parse(word);
            word += *word == nullptr ? 0 : 1; // which is no option
        }
    }
    std::replace(text, text + size, '\0', ' ');
}

void read_own_variable(Options& options, Environment& environment)
{
    if (char* text = environment.take(OWN_VARIABLE)) {
        std::array<char*, MAX_WORDS + 1> words{};
        if (split(text, std::span(words).first(MAX_WORDS)) != nullptr) {
            log::fail_usage("bad-usage|more than {limit} words in {}", MAX_WORDS, OWN_VARIABLE);
        }
        if (char** rest = Parser(options, " in FOSTER_OPTIONS").parse(words.data()); *rest != nullptr) {
            log::fail_usage("bad-usage|'{word}' in {source} is no option", *rest, OWN_VARIABLE);
        }
    }
}

// A peer's own environment variable and the option that it stands for, where it has this value (empty: any).
struct PeerVariable {
    char name[24];
    char value[2];
    char option[4];
};

constexpr PeerVariable PEER_VARIABLES[] = {
    {"TINI_SUBREAPER", "", "-s"},    {"TINI_KILL_PROCESS_GROUP", "", "-g"}, {"TINI_VERBOSITY", "0", "-q"},
    {"TINI_VERBOSITY", "2", "-v"},   {"TINI_VERBOSITY", "3", "-vv"},        {"TINI_VERBOSITY", "4", "-vv"},
    {"DUMB_INIT_SETSID", "0", "-c"}, {"DUMB_INIT_DEBUG", "1", "-v"},        {"CATATONIT_DEBUG", "", "-vv"},
};

void read_peer_variables(Options& options, Environment& environment)
{
    const std::string_view prefix = &options.personality->prefix[0];
    const auto is_own = [prefix](const PeerVariable& row) {
        return !prefix.empty() && std::string_view(&row.name[0]).starts_with(prefix);
    };
    for (const auto& row : PEER_VARIABLES) {
        const char* value = is_own(row) ? environment.find(&row.name[0]) : nullptr;
        if (value != nullptr && (row.value[0] == '\0' || std::string_view(value) == &row.value[0])) {
            auto own = row; // a word that is parsed is not constant
            std::array<char*, 2> words{&own.option[0], nullptr};
            (void)Parser(options, &row.name[0]).parse(words.data());
        }
    }
    for (const auto& row : PEER_VARIABLES) {
        if (is_own(row)) {
            (void)environment.take(&row.name[0]);
        }
    }
}

// A session of its own has no shell that could continue what is stopped in an orphaned group: only SIGSTOP stops it.
void rewrite_stops(Options& options)
{
    for (const int signal : {SIGTSTP, SIGTTIN, SIGTTOU}) {
        auto& target = options.rewrites[static_cast<std::size_t>(signal)];
        target = target == signal ? SIGSTOP : target;
    }
}

void check(const Options& options)
{
    if (options.same_group && (options.group || options.no_terminal)) {
        log::fail_usage("bad-usage|'{option}' needs a process group of the child's own: not with '{word}'",
                        options.group ? "--group" : "--no-terminal", "--same-group");
    }
    if (options.own_session && options.same_group) {
        log::fail_usage("bad-usage|'--setsid' gives the child a process group of its own: not with '{word}'",
                        "--same-group");
    }
    const bool runs_nothing = options.mode != Mode::RUN;
    const bool is_peer =
        options.personality->is_tini || options.personality->pauses; // whose --pause does not mind a command
    if (runs_nothing && options.user != nullptr) {
        log::fail_usage("bad-usage|'{word}' is for a command, and none is run", "--user");
    }
    if (runs_nothing && *options.command != nullptr && !is_peer) {
        const char* option = options.mode == Mode::INSTALL        ? "--install"
                             : options.mode == Mode::PAUSE        ? "--pause"
                             : options.mode == Mode::LIST_ZOMBIES ? "--list-zombies"
                                                                  : "--reap-zombies";
        log::fail_usage("bad-usage|'{option}' runs no command: '{word}'", option, *options.command);
    }
    if (!runs_nothing && *options.command == nullptr) {
        log::fail_usage("bad-usage|no command to run");
    }
}

} // namespace

void prepare_messages(char** arguments, const Environment& environment)
{
    log::set_failure_code(personality_of(arguments[0]).foster_failed);
    find_format(environment);
    if (arguments[0] != nullptr) {
        (void)Parser().parse(arguments + 1);
    }
}

Options read_options(char** arguments, Environment& environment)
{
    Options options{&personality_of(arguments[0])};
    options.own_session = options.group = options.personality->owns_session;
    options.mode = options.personality->pauses ? Mode::PAUSE : Mode::RUN;
    read_peer_variables(options, environment);
    read_own_variable(options, environment);
    // Called without even a name of our own, execve(2) permitting.
    options.command = arguments[0] == nullptr ? arguments : Parser(options, "").parse(arguments + 1);
    if (!prints_text(options.mode)) {
        check(options);
    }
    if (options.mode == Mode::REAP_ZOMBIES) {
        options.zombies = Zombies::REAP;
    }
    if (options.zombie_age == 0) {
        options.zombie_age = options.mode == Mode::REAP_ZOMBIES ? 1'000'000'000 : 60'000'000'000;
    }
    if (options.personality->stops_with_job && options.own_session) {
        rewrite_stops(options);
    }
    return options;
}

} // namespace foster
