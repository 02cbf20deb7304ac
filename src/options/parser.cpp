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

// Parses the options at the beginning of a list of words.
class Parser
{
  public:
    Parser(Options& options, const char* source) : options_(&options), source_(source) {}
    // Constructs a parser that only applies --log, and continues after bad usage.
    Parser() = default;

    // Returns the first word that is not an option. Options end there, so that `foster sh -c ...` needs no "--".
    char** parse(char** words)
    {
        for (words_ = words; *words_ != nullptr; ++words_) {
            char* word = *words_;
            if (word[0] != '-' || word[1] == '\0') {
                if (is_refused_) {
                    continue; // the word may be the value of an unknown option
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

    // attached: the value in the same word, or null if it is the next word.
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
        if (const char* problem = option.apply(*options_, value)) {
            log::fail_usage("bad-usage|bad value '{word}' for option '--{option}'{}: {reason}", value, option.name,
                            source_, problem);
        }
    }

    // Ends foster. Returns only if the parser applies nothing but --log.
    template <typename... Values> void refuse(log::Message<Values...> message, Values... values)
    {
        if (options_ != nullptr) {
            log::fail_usage(message, values...);
        }
        is_refused_ = true;
    }

    Options* options_ = nullptr;
    const char* source_ = nullptr; // printed after the bad word: where it comes from
    char** words_ = nullptr;
    bool is_refused_ = false; // a bad word was found; it ends foster later
};

// Splits text at blanks, in place. Returns null, or the first word for which there is no room.
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

// Applies the last --log of FOSTER_OPTIONS. The variable keeps its value.
void find_format(const Environment& environment)
{
    // a part of the array that main got, which is mutable
    char* text = const_cast<char*>(environment.find(OWN_VARIABLE));
    const std::size_t size = text == nullptr ? 0 : std::strlen(text);
    for (char* rest = text; rest != nullptr;) {
        std::array<char*, MAX_WORDS + 1> words{};
        rest = split(rest, std::span(words).first(MAX_WORDS));
        for (char** word = words.data(); *word != nullptr;) {
            word = Parser().parse(word);
            word += *word == nullptr ? 0 : 1; // skip the word that is not an option
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

// An environment variable of a peer, the value that it must have (empty: any), and the option that it stands for.
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
            auto own = row; // the parser needs a mutable word
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

// dumb-init: the child's own session has no shell that could continue a stopped process, and its group is orphaned. The
// kernel stops such a group by SIGSTOP only.
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
    const bool is_peer = options.personality->is_tini || options.personality->pauses; // pause ignores a command
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

Options parse_options(char** arguments, Environment& environment)
{
    Options options{&personality_of(arguments[0])};
    options.own_session = options.group = options.personality->owns_session;
    options.mode = options.personality->pauses ? Mode::PAUSE : Mode::RUN;
    read_peer_variables(options, environment);
    read_own_variable(options, environment);
    // execve(2) permits an empty argument list, even without argv[0].
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
