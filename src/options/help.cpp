#include "options/help.hpp"

#include "options/option_table.hpp"
#include "sys/files.hpp"

namespace foster
{
namespace
{

constexpr std::string_view LICENSE =
#include "license.inc" // generated from the file LICENSE
    ;

constexpr std::string_view HEAD = "Usage: foster [OPTION]... [--] COMMAND [ARGUMENT]...\n"
                                  "Run COMMAND as a child: forward signals to it, reap zombies, exit as it does.\n";
constexpr std::string_view TAIL = "Signals are 15, TERM, SIGTERM or RTMIN+3; durations 500ms, 10s, 5m or seconds.\n"
                                  "FOSTER_OPTIONS in the environment holds options that are read before these.\n"
                                  "Exit status: the command's; 128 + N if signal N killed it; 125 if foster failed;\n"
                                  "126 if the command cannot be run; 127 if it is not found. More: man foster\n";

void add_row(log::Line& line, const Option& option)
{
    constexpr std::size_t HELP_COLUMN = 31;
    line.add("{}", option.letters[0] == '\0' ? "      " : "  ");
    for (const char* letter = option.letters; *letter != '\0'; ++letter) {
        line.add("-{}, ", std::string_view(letter, 1));
    }
    line.add("--{}", option.name);
    if (option.takes_value()) {
        line.add("{}{}", option.value_is_optional() ? "" : " ", option.value);
    }
    do {
        line.add(" ");
    } while (line.size() < HELP_COLUMN);
    line.add("{}", option.help);
}

sys::Status print_help()
{
    auto status = sys::write_all(STDOUT_FILENO, HEAD);
    OptionReader options;
    for (Option option{}; options.next(option);) {
        log::Line heading;
        log::Line line;
        if (option.group[0] != '\0') {
            heading.add("{}:", option.group);
            status = status ? sys::write_all(STDOUT_FILENO, heading.finished()) : status;
        }
        add_row(line, option);
        status = status ? sys::write_all(STDOUT_FILENO, line.finished()) : status;
    }
    return status ? sys::write_all(STDOUT_FILENO, TAIL) : status;
}

sys::Status print_version(const Personality& personality)
{
    // `docker info` parses tini's format, and warns if it finds neither the name nor a commit (parseInitVersion of
    // moby).
    const std::string_view text = personality.is_tini ? "tini version " FOSTER_VERSION " - git." FOSTER_COMMIT "\n"
                                                      : "foster " FOSTER_VERSION " - git." FOSTER_COMMIT "\n";
    return sys::write_all(STDOUT_FILENO, text);
}

} // namespace

int print_text(const Options& options)
{
    const auto printed = options.mode == Mode::HELP      ? print_help()
                         : options.mode == Mode::VERSION ? print_version(*options.personality)
                                                         : sys::write_all(STDOUT_FILENO, LICENSE);
    log::must(printed, "write to standard output");
    return 0;
}

} // namespace foster
