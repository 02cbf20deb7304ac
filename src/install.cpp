#include "install.hpp"

#include "sys/files.hpp"
#include "sys/memory.hpp"
#include "sys/replace_file.hpp"
#include "sys/text.hpp"

#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>
#include <utility>

namespace foster
{

namespace
{

[[noreturn]] void fail_install(const char* destination, int error)
{
    log::fail(log::failure_code(), "start-failed|cannot install foster as '{path}': {reason}", destination,
              log::Error{error});
}

} // namespace

int install(const Options& options)
{
    constexpr mode_t MODE = 0755;
    constexpr int DIRECTORY = O_PATH | O_DIRECTORY;
    const auto program = log::must(sys::map_file("/proc/self/exe"), "read /proc/self/exe, which is to be copied");
    sys::FixedText<PATH_MAX> destination;
    destination.add(options.install_as);
    auto directory = sys::open(options.install_as, DIRECTORY);
    if (directory) {
        destination.add("/");
        destination.add(&options.personality->name[0]);
    }
    if (!destination.is_complete()) {
        fail_install(options.install_as, ENAMETOOLONG);
    }
    char* const path = destination.c_string();
    char* const slash = std::strrchr(path, '/');
    char* const name = slash == nullptr ? path : slash + 1;
    if (!directory) {
        const char first = std::exchange(*name, '\0');
        directory = sys::open(*path == '\0' ? "." : path, DIRECTORY);
        *name = first;
    }
    // Names are relative to this directory from here on, so that the checks below and the write see the same directory
    // even if it is renamed.
    if (const int error = directory ? sys::fchdir(directory.value.number()).error : directory.error) {
        fail_install(path, error);
    }
    const auto there = sys::open(name, O_PATH | O_NOFOLLOW);
    const auto state = sys::fstat(there.value.number());
    if (state && S_ISLNK(state.value.st_mode)) {
        log::fail(log::failure_code(), "start-failed|cannot install foster as '{path}': {reason}", path,
                  "it is a symbolic link; name the file itself");
    }
    if (state && !S_ISREG(state.value.st_mode)) {
        fail_install(path, EEXIST); // do not replace a device, a socket or a pipe by a regular file
    }
    if (const auto done = sys::replace_file(name, {&program, 1}, {MODE}); !done) {
        fail_install(path, done.error);
    }
    return 0;
}

} // namespace foster
