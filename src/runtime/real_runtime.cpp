#include "runtime/real_runtime.hpp"

#include "log/log.hpp"
#include "sys/files.hpp"
#include "sys/memory.hpp"
#include "sys/processes.hpp"
#include "sys/search_path.hpp"
#include "sys/text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace foster::runtime
{
namespace
{

constexpr std::string_view PATH_VARIABLE = "PATH=";

// Returns the value of PATH, or null.
const char* value_of_path(char** variables)
{
    for (; *variables != nullptr; ++variables) {
        if (std::string_view(*variables).starts_with(PATH_VARIABLE)) {
            return *variables + PATH_VARIABLE.size();
        }
    }
    return nullptr;
}

// Returns only on failure, with the errno value. If the path is this program itself or a copy of it, returns ENOENT.
int exec(const char* path, const CommandLine& line, char** variables)
{
    if (sys::is_own_file(path)) {
        return ENOENT;
    }
    line.arguments[-1] = const_cast<char*>(path); // an argument list needs mutable strings
    return sys::execve(path, line.arguments - 1, variables);
}

int exec_from_path(const char* name, const CommandLine& line, char** variables)
{
    int error = ENOENT;
    sys::SearchPath paths(value_of_path(variables), name);
    while (const char* const path = paths.next()) {
        // Skips relative directories of PATH: the working directory may be a bundle's.
        const int failed = *path == '/' ? exec(path, line, variables) : ENOENT;
        error = failed == ENOENT || failed == ENOTDIR ? error : failed;
    }
    return error;
}

[[noreturn]] void fail_exec(const char* name, int error)
{
    log::fail(log::failure_code(), "exec-failed|cannot run the real runtime '{command}': {reason}", name,
              log::Error{error});
}

// Another build of foster-runtime, or a script that executes foster-runtime, is not recognized by exec(). So an
// environment variable counts the starts, to stop an endless loop. Returns the environment with the new count.
char** count_start(const char* name, char** variables)
{
    constexpr const char* FIRST = "FOSTER_RUNTIME_STARTS=1";
    const std::size_t digit = std::strlen(FIRST) - 1;
    char* const first = const_cast<char*>(FIRST); // an environment needs mutable strings
    std::size_t count = 0;
    for (; variables[count] != nullptr; ++count) {
        char* const variable = variables[count];
        if (std::strncmp(variable, FIRST, digit) != 0) {
            continue;
        }
        const int starts = sys::parse_number(variable + digit, 9);
        if (starts == 9) {
            log::fail(log::failure_code(), "exec-failed|cannot run the real runtime '{command}': {reason}", name,
                      "it is foster-runtime again, nine times over");
        }
        if (starts > 0) {
            ++variable[digit];
        } else {
            variables[count] = first;
        }
        return variables;
    }
    const auto memory = sys::map_memory((count + 2) * sizeof(char*));
    if (!memory) {
        return variables;
    }
    auto* const more = static_cast<char**>(memory.value);
    *std::copy_n(variables, count, more) = first;
    return more;
}

// Returns "crun" for "/usr/bin/foster-crun"; null: the name contains no runtime.
const char* runtime_in_name(const char* invoked_as)
{
    constexpr std::string_view PREFIX = "foster-";
    const char* const slash = std::strrchr(invoked_as, '/');
    const char* const base = slash == nullptr ? invoked_as : slash + 1;
    const char* const rest = std::string_view(base).starts_with(PREFIX) ? base + PREFIX.size() : "";
    return *rest == '\0' || std::string_view(rest) == "runtime" ? nullptr : rest;
}

} // namespace

void exec_real_runtime(const CommandLine& line, char** variables)
{
    const char* const name = line.real_runtime != nullptr ? line.real_runtime : runtime_in_name(line.invoked_as);
    variables = count_start(name == nullptr ? "runc or crun" : name, variables);
    if (name == nullptr) {
        const int error = exec_from_path("runc", line, variables);
        const int other = exec_from_path("crun", line, variables);
        fail_exec("runc or crun", other == ENOENT ? error : other);
    }
    if (*sys::end_at(name, '/') == '/') {
        fail_exec(name, exec(name, line, variables));
    }
    fail_exec(name, exec_from_path(name, line, variables));
}

} // namespace foster::runtime
