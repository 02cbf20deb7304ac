#include "options.hpp"

#include "sys/kernel.hpp"

#include <cstring>

namespace foster
{
namespace
{

constexpr const char* ENVIRONMENT_NAME = "FOSTER_OPTIONS";
constexpr std::size_t MOST_WORDS = 64; // in FOSTER_OPTIONS

constexpr const char* HELP = "";
constexpr const char* VERSION = "foster " FOSTER_VERSION "\n";
constexpr const char* LICENSE =
#include "license.inc" // made from the file LICENSE
    ;

// One option is one row: everything that the parser and --help know of it. apply returns false where the value is bad.
struct Option {
    char letters[3]; // the help shows the first one
    const char* name;
    const char* value; // how the help calls it; null: the option takes none
    const char* help;
    bool (*apply)(Options&, const char* value);
};

constexpr Option OPTIONS[] = {
    {"s", "subreaper", nullptr, "accepted for tini's sake: not as PID 1, foster always is a child subreaper",
     [](Options&, const char*) { return true; }},
    {"g", "group", nullptr, "forward signals to the child's process group",
     [](Options& options, const char*) {
         options.group = true;
         return true;
     }},
    {"c", "single-child", nullptr, "forward signals to the child alone (the default)",
     [](Options& options, const char*) {
         options.group = false;
         return true;
     }},
    {"", "same-group", nullptr, "leave the child in foster's own process group",
     [](Options& options, const char*) {
         options.same_group = true;
         return true;
     }},
    {"v", "verbose", nullptr, "tell what is spawned, forwarded and reaped; twice: also what could be ignored",
     [](Options& options, const char*) {
         options.level = options.level < sys::Level::INFO ? sys::Level::INFO : sys::Level::DEBUG;
         return true;
     }},
    {"q", "quiet", nullptr, "say nothing but errors that end foster",
     [](Options& options, const char*) {
         options.level = sys::Level::ERROR;
         return true;
     }},
    {"w", "warn-reaped", nullptr, "warn of every orphan that is reaped: name, pid, exit code or signal",
     [](Options& options, const char*) {
         options.warn_reaped = true;
         return true;
     }},
    {"h", "help", nullptr, "print this and exit",
     [](Options& options, const char*) {
         options.print = HELP;
         return true;
     }},
    {"V", "version", nullptr, "print the version and exit",
     [](Options& options, const char*) {
         options.print = VERSION;
         return true;
     }},
    {"lL", "license", nullptr, "print the license and exit",
     [](Options& options, const char*) {
         options.print = LICENSE;
         return true;
     }},
};

// Reads the options at the head of a list of words.
class Parser
{
  public:
    Parser(Options& options, const char* source) : options_(options), source_(source) {}

    // Returns the first word that is no option. Options end there, so that `foster sh -c ...` needs no "--".
    char** parse(char** words)
    {
        for (words_ = words; *words_ != nullptr; ++words_) {
            const char* word = *words_;
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
    void parse_letters(const char* letters)
    {
        for (; *letters != '\0'; ++letters) {
            const char* word = *words_;
            const Option* found = nullptr;
            for (const auto& option : OPTIONS) {
                if (std::strchr(option.letters, *letters) != nullptr) {
                    found = &option;
                }
            }
            if (found == nullptr) {
                if (letters == word + 1 && letters[1] == '\0') {
                    sys::fail_usage({"unknown option '", word, "'", source_});
                }
                sys::fail_usage({"unknown option '-", std::string_view(letters, 1), "' in '", word, "'", source_});
            }
            if (found->value != nullptr) {
                apply(*found, word, letters[1] == '\0' ? nullptr : letters + 1);
                return;
            }
            apply(*found, word, nullptr);
        }
    }

    void parse_name(const char* name)
    {
        const char* word = *words_;
        const char* equals = std::strchr(name, '=');
        const std::string_view wanted(name,
                                      equals == nullptr ? std::strlen(name) : static_cast<std::size_t>(equals - name));
        for (const auto& option : OPTIONS) {
            if (wanted == option.name) {
                if (equals != nullptr && option.value == nullptr) {
                    sys::fail_usage({"option '--", wanted, "' takes no value: '", word, "'", source_});
                }
                apply(option, word, equals == nullptr ? nullptr : equals + 1);
                return;
            }
        }
        sys::fail_usage({"unknown option '", word, "'", source_});
    }

    // attached is the value in the same word, if there is one; else it is the next word.
    void apply(const Option& option, const char* word, const char* attached)
    {
        const char* value = attached;
        if (option.value != nullptr && attached == nullptr) {
            value = words_[1];
            if (value == nullptr) {
                sys::fail_usage({"option '", word, "' needs a value: ", option.value, source_});
            }
            ++words_;
        }
        if (!option.apply(options_, value)) {
            sys::fail_usage({"bad value '", value, "' for option '", word, "'", source_});
        }
    }

    Options& options_;
    const char* source_; // said after the bad word
    char** words_ = nullptr;
};

// Takes NAME=... out of the environment in place; returns the value that getenv(3) would have found, or null.
char* take_variable(char** environment, std::string_view name)
{
    char* value = nullptr;
    char** kept = environment;
    for (; *environment != nullptr; ++environment) {
        if (std::strncmp(*environment, name.data(), name.size()) == 0 && (*environment)[name.size()] == '=') {
            value = value == nullptr ? *environment + name.size() + 1 : value;
        } else {
            *kept++ = *environment;
        }
    }
    *kept = nullptr;
    return value;
}

// Splits text at blanks, in place; returns the number of words.
std::size_t split(char* text, std::span<char*> words)
{
    std::size_t count = 0;
    char* rest = nullptr;
    for (char* word = strtok_r(text, " \t\n", &rest); word != nullptr; word = strtok_r(nullptr, " \t\n", &rest)) {
        if (count == words.size()) {
            sys::fail_usage({"more than ", words.size(), " words in ", ENVIRONMENT_NAME});
        }
        words[count++] = word;
    }
    return count;
}

void print_help_row(sys::Line& line, const Option& option)
{
    constexpr std::size_t HELP_COLUMN = 24;
    line.add("  ");
    if (option.letters[0] != '\0') {
        line.add({"-", std::string_view(&option.letters[0], 1), ", "});
    } else {
        line.add("    ");
    }
    line.add({"--", option.name});
    if (option.value != nullptr) {
        line.add({" ", option.value});
    }
    do {
        line.add(" ");
    } while (line.text().size() < HELP_COLUMN);
    line.add(option.help);
}

sys::Status print_help()
{
    constexpr std::string_view HEAD =
        "Usage: foster [OPTION]... [--] COMMAND [ARGUMENT]...\n"
        "Run COMMAND as the child of a minimal init: forward signals to it, adopt orphans,\n"
        "reap zombies, and end with its exit status.\n\n";
    constexpr std::string_view TAIL =
        "\nOptions end at the first word that is none. The environment variable FOSTER_OPTIONS\n"
        "holds options, parted by blanks, that are read before the command line.\n\n"
        "Exit status: the command's own; 128 + N if signal N killed it; 125 if foster failed;\n"
        "126 if the command cannot be run; 127 if it is not found.\n";
    auto status = sys::write_all(STDOUT_FILENO, HEAD);
    for (const auto& option : OPTIONS) {
        sys::Line line;
        print_help_row(line, option);
        status = status ? sys::write_all(STDOUT_FILENO, line.finished()) : status;
    }
    return status ? sys::write_all(STDOUT_FILENO, TAIL) : status;
}

} // namespace

Options read_options(char** arguments, char** environment)
{
    Options options;
    if (char* text = take_variable(environment, ENVIRONMENT_NAME)) {
        std::array<char*, MOST_WORDS + 1> words{};
        (void)split(text, std::span(words).first(MOST_WORDS));
        if (char** rest = Parser(options, " in FOSTER_OPTIONS").parse(words.data()); *rest != nullptr) {
            sys::fail_usage({"'", *rest, "' in ", ENVIRONMENT_NAME, " is no option"});
        }
    }
    // Called without even a name of our own, execve(2) permitting.
    options.command = arguments[0] == nullptr ? arguments : Parser(options, "").parse(arguments + 1);
    if (options.print != nullptr) {
        return options;
    }
    if (options.group && options.same_group) {
        sys::fail_usage({"'--group' needs a process group of the child's own: not with '--same-group'"});
    }
    if (*options.command == nullptr) {
        sys::fail_usage({"no command to run"});
    }
    return options;
}

int print_text(const Options& options)
{
    const bool help = options.print[0] == '\0';
    sys::must(help ? print_help() : sys::write_all(STDOUT_FILENO, std::string_view(options.print)),
              "write to standard output");
    return 0;
}

} // namespace foster
