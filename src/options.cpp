#include "options.hpp"

#include "option_table.hpp"
#include "sys/kernel.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>

namespace foster
{
namespace
{

constexpr const char* OWN_VARIABLE = "FOSTER_OPTIONS";
constexpr std::size_t MOST_WORDS = 64; // in FOSTER_OPTIONS

// Reads the options at the head of a list of words.
class Parser
{
  public:
    Parser(Options& options, const char* source) : options_(options), source_(source) {}

    // Returns the first word that is no option. Options end there, so that `foster sh -c ...` needs no "--".
    char** parse(char** words)
    {
        for (words_ = words; *words_ != nullptr; ++words_) {
            char* word = *words_;
            if (word[0] != '-' || word[1] == '\0') {
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
    void parse_letters(char* letters)
    {
        const char* word = *words_;
        for (; *letters != '\0'; ++letters) {
            const auto table = option_table();
            const auto option = std::ranges::find_if(
                table, [letters](const Option& row) { return std::strchr(&row.letters[0], *letters) != nullptr; });
            if (option == table.end()) {
                if (letters == word + 1 && letters[1] == '\0') {
                    sys::fail_usage({"unknown option '", word, "'", source_});
                }
                sys::fail_usage({"unknown option '-", std::string_view(letters, 1), "' in '", word, "'", source_});
            }
            if (option->value != nullptr) {
                apply(*option, letters[1] == '\0' ? nullptr : letters + 1);
                return;
            }
            apply(*option, nullptr);
        }
    }

    void parse_name(char* name)
    {
        const char* word = *words_;
        char* equals = std::strchr(name, '=');
        const std::string_view wanted(name,
                                      equals == nullptr ? std::strlen(name) : static_cast<std::size_t>(equals - name));
        const auto table = option_table();
        const auto option = std::ranges::find_if(table, [wanted](const Option& row) { return wanted == row.name; });
        if (option == table.end()) {
            sys::fail_usage({"unknown option '", word, "'", source_});
        }
        if (equals != nullptr && option->value == nullptr) {
            sys::fail_usage({"option '--", wanted, "' takes no value: '", word, "'", source_});
        }
        apply(*option, equals == nullptr ? nullptr : equals + 1);
    }

    // attached is the value in the same word, if there is one; else it is the next word.
    void apply(const Option& option, char* attached)
    {
        const char* word = *words_;
        char* value = attached;
        if (option.value != nullptr && attached == nullptr && !option.value_is_optional()) {
            value = words_[1];
            if (value == nullptr) {
                sys::fail_usage({"option '", word, "' needs a value: ", option.value, source_});
            }
            ++words_;
        }
        if (const char* wrong = option.apply(options_, value)) {
            sys::fail_usage({"bad value '", value, "' for option '--", option.name, "'", source_, ": ", wrong});
        }
    }

    Options& options_;
    const char* source_; // said after the bad word
    char** words_ = nullptr;
};

// Splits text at blanks, in place.
void split(char* text, std::span<char*> words)
{
    std::size_t count = 0;
    for (bool in_word = false; *text != '\0'; ++text) {
        const bool blank = *text == ' ' || *text == '\t' || *text == '\n';
        if (blank) {
            *text = '\0';
        } else if (!in_word) {
            if (count == words.size()) {
                sys::fail_usage({"more than ", words.size(), " words in ", OWN_VARIABLE});
            }
            words[count++] = text;
        }
        in_word = !blank;
    }
}

void read_own_variable(Options& options, Environment& environment)
{
    if (char* text = environment.take(OWN_VARIABLE)) {
        std::array<char*, MOST_WORDS + 1> words{};
        split(text, std::span(words).first(MOST_WORDS));
        if (char** rest = Parser(options, " in FOSTER_OPTIONS").parse(words.data()); *rest != nullptr) {
            sys::fail_usage({"'", *rest, "' in ", OWN_VARIABLE, " is no option"});
        }
    }
}

// A peer's own environment variable and the option that it stands for, where it has this value (null: any).
struct PeerVariable {
    const char* name;
    const char* value;
    const char* option;
};

constexpr PeerVariable PEER_VARIABLES[] = {
    {"TINI_SUBREAPER", nullptr, "-s"}, {"TINI_KILL_PROCESS_GROUP", nullptr, "-g"},
    {"TINI_VERBOSITY", "0", "-q"},     {"TINI_VERBOSITY", "2", "-v"},
    {"TINI_VERBOSITY", "3", "-vv"},    {"DUMB_INIT_SETSID", "0", "-c"},
    {"DUMB_INIT_DEBUG", "1", "-v"},    {"CATATONIT_DEBUG", nullptr, "-vv"},
};

void read_peer_variables(Options& options, Environment& environment)
{
    const std::string_view prefix = &options.personality->prefix[0];
    const auto is_own = [prefix](const PeerVariable& row) {
        return !prefix.empty() && std::strncmp(row.name, prefix.data(), prefix.size()) == 0;
    };
    for (const auto& row : PEER_VARIABLES) {
        const char* value = is_own(row) ? environment.find(row.name) : nullptr;
        if (value != nullptr && (row.value == nullptr || std::strcmp(value, row.value) == 0)) {
            std::array<char, 4> word{};
            std::strncpy(word.data(), row.option, word.size() - 1);
            std::array<char*, 2> words{word.data(), nullptr};
            (void)Parser(options, row.name).parse(words.data());
        }
    }
    for (const auto& row : PEER_VARIABLES) {
        if (is_own(row)) {
            (void)environment.take(row.name);
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
    if (options.group && options.same_group) {
        sys::fail_usage({"'--group' needs a process group of the child's own: not with '--same-group'"});
    }
    if (options.own_session && options.same_group) {
        sys::fail_usage({"'--setsid' gives the child a process group of its own: not with '--same-group'"});
    }
    const bool runs_nothing = options.pause || options.once != Once::NOTHING;
    const bool is_peer =
        options.personality->is_tini || options.personality->pauses; // whose --pause does not mind a command
    if (runs_nothing && options.user != nullptr) {
        sys::fail_usage({"'--user' is for a command, and none is run"});
    }
    if (runs_nothing && *options.command != nullptr && !is_peer) {
        const char* option = options.pause                        ? "--pause"
                             : options.once == Once::LIST_ZOMBIES ? "--list-zombies"
                                                                  : "--reap-zombies";
        sys::fail_usage({"'", option, "' runs no command: '", *options.command, "'"});
    }
    if (options.json && options.once != Once::LIST_ZOMBIES) {
        sys::fail_usage({"'--log=json' is for '--list-zombies'"});
    }
    if (!runs_nothing && *options.command == nullptr) {
        sys::fail_usage({"no command to run"});
    }
}

} // namespace

Options read_options(char** arguments, Environment& environment)
{
    Options options{&personality_of(arguments[0])};
    sys::set_failure_code(options.personality->foster_failed);
    options.own_session = options.group = options.personality->owns_session;
    options.pause = options.personality->pauses;
    read_peer_variables(options, environment);
    read_own_variable(options, environment);
    // Called without even a name of our own, execve(2) permitting.
    options.command = arguments[0] == nullptr ? arguments : Parser(options, "").parse(arguments + 1);
    if (options.print == Print::NOTHING) {
        check(options);
    }
    if (options.once == Once::REAP_ZOMBIES) {
        options.zombies = Zombies::REAP;
    }
    if (options.zombie_age == 0) {
        options.zombie_age = options.once == Once::NOTHING ? 60'000'000'000 : 1'000'000'000;
    }
    if (options.personality->stops_with_job && options.own_session) {
        rewrite_stops(options);
    }
    return options;
}

} // namespace foster
