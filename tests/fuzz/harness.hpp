// What the fuzz targets share. They link foster's own parsers, and in place of src/sys/files.cpp, the line writer and
// _exit(2) what is declared here: files with any content, lines that are checked, an exit that is a result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fuzz
{

constexpr int OWN_PID = 77;

// Ends the fuzzer, which keeps the input.
void expect(bool holds);

// Takes an input apart. What is missing at the end of it is 0 or empty.
class Input
{
  public:
    Input(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

    bool is_empty() const { return rest_.empty(); }
    unsigned byte();
    // The text before the next null byte.
    std::string text();
    std::string rest() { return std::string(std::exchange(rest_, {})); }

  private:
    std::string_view rest_;
};

// The content of a file of /proc, /sys or /etc by its path; none: there is no such file.
using Files = std::function<std::optional<std::string>(std::string_view path)>;

// The members of a JSON object. Strings are decoded, the others are as they were printed.
using Members = std::map<std::string, std::string>;

struct World {
    Files files = [](auto) { return std::nullopt; };
    std::int64_t now = 0;                 // nanoseconds since 1970
    std::size_t bytes_at_once = SIZE_MAX; // for read(2)
    char after_content = '7';             // fills what a read leaves of a buffer
    std::vector<std::string> lines;       // written to standard error
    Members members;                      // of the last line, if that was JSON
    std::vector<std::uint32_t> ids;       // user, group, supplementary groups, as given to become_user()
};
extern World world; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

// A new world, with the format and the exit code that foster starts with. To be called first for each input.
void reset();

// The text as the strings of a JSON object hold it: each byte that is not part of UTF-8 is U+FFFD, RFC 3629.
std::string as_utf8(std::string_view text);
// Parses a line that must be one JSON object.
Members parse_object(std::string_view line);
// The line ends with its only control character, a newline, and fits into log::Line.
void expect_line(std::string_view line);

struct Exit {
    int code;
};
// Runs a part of foster. Returns the code with which foster would have exited; none: it has returned.
template <typename Part> std::optional<int> exit_code_of(const Part& part)
{
    try {
        part();
    } catch (const Exit& exit) {
        return exit.code;
    }
    return std::nullopt;
}

} // namespace fuzz
