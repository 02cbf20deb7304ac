#include "runtime/command_line.hpp"

#include "log/log.hpp"
#include "sys/text.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace foster::runtime
{
namespace
{

// The options of runc and crun with a value, which may be the next word. Go accepts one dash or two.
constexpr std::string_view GLOBAL_VALUES[] = {"log",  "log-format", "log-level",     "root",
                                              "criu", "rootless",   "cgroup-manager"};

// The option `name` at the beginning of some words: "--name=value", "--name value", or with one dash.
class Option
{
  public:
    Option(char** words, std::string_view name)
    {
        std::string_view word = *words;
        word.remove_prefix(std::min(word.find_first_not_of('-'), word.size()));
        if (*words[0] != '-' || !word.starts_with(name)) {
            return;
        }
        word.remove_prefix(name.size());
        if (word.empty()) {
            size_ = words[1] == nullptr ? 1 : 2;
            value_ = words[1];
        } else if (word.front() == '=' || (name.size() == 1 && word.front() == '/')) { // crun accepts "-b/path"
            size_ = 1;
            value_ = *words + std::strlen(*words) - word.size() + (word.front() == '=' ? 1 : 0);
        }
    }

    bool is_there() const { return size_ != 0; }
    int size() const { return size_; }     // in words
    char* value() const { return value_; } // null: the value is missing

  private:
    int size_ = 0;
    char* value_ = nullptr;
};

// Parses an option of foster-runtime's own. Returns false if the word is none.
bool parse_own(CommandLine& line, char** words, int& size)
{
    if (!std::string_view(*words).starts_with("--foster-")) {
        return false;
    }
    const auto take = [&](const char* name) {
        const Option option(words, name);
        if (option.is_there() && (option.value() == nullptr || *option.value() == '\0')) {
            log::fail(log::failure_code(),
                      "bad-usage|option '{word}' needs a value; see 'foster-runtime --foster-help'", *words);
        }
        size = option.size();
        return option.value();
    };
    if (const char* runtime = take("foster-runtime")) {
        line.real_runtime = runtime;
    } else if (const char* init = take("foster-init")) {
        line.init = init;
        if (*init != '/') {
            log::fail(log::failure_code(), "bad-usage|'{word}' is no absolute path, which '--foster-init' needs", init);
        }
    } else if (const char* options = take("foster-options")) {
        line.init_options.add(options);
        line.init_options.add(" ");
    } else if (std::string_view(*words) == "--foster-help") {
        line.asks_for_help = true;
        size = 1;
    } else {
        log::fail(log::failure_code(), "bad-usage|unknown option '{word}'; see 'foster-runtime --foster-help'", *words);
    }
    return true;
}

int parse_global(CommandLine& line, char** words)
{
    for (const auto name : GLOBAL_VALUES) {
        if (const Option option(words, name); option.is_there()) {
            line.log = name == "log" ? option.value() : line.log;
            line.log_format = name == "log-format" ? option.value() : line.log_format;
            return option.size();
        }
    }
    return 1;
}

void parse_command_options(CommandLine& line, char** words)
{
    for (; *words != nullptr && std::string_view(*words) != "--"; ++words) {
        for (const std::string_view name : {"bundle", "b"}) {
            // runc takes an empty value as the working directory.
            if (const Option option(words, name); option.value() != nullptr && *option.value() != '\0') {
                line.bundle = option.value();
            }
        }
        // crun's option.
        for (const std::string_view name : {"config", "f"}) {
            if (const Option option(words, name); option.value() != nullptr) {
                line.config = option.value();
            }
        }
    }
}

} // namespace

bool CommandLine::makes_container() const
{
    return command != nullptr && (std::string_view(command) == "create" || std::string_view(command) == "run");
}

CommandLine parse_command_line(char** arguments)
{
    if (arguments[0] == nullptr) {
        log::fail(log::failure_code(), "bad-usage|called without a name, execve(2) permitting");
    }
    CommandLine line{.invoked_as = arguments[0], .arguments = arguments + 1};
    char** kept = line.arguments;
    char** words = line.arguments;
    while (*words != nullptr && *words[0] == '-') {
        int size = 0;
        if (parse_own(line, words, size)) {
            words += size;
            continue;
        }
        size = parse_global(line, words);
        kept = std::copy_n(words, size, kept);
        words += size;
    }
    line.command = *words;
    char** const rest = kept;
    while (*words != nullptr) {
        *kept++ = *words++;
    }
    *kept = nullptr;
    parse_command_options(line, rest);
    return line;
}

} // namespace foster::runtime
