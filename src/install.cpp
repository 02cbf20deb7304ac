#include "install.hpp"

#include "sys/replace_file.hpp"
#include "sys/text.hpp"

#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <unistd.h>

namespace foster
{

namespace
{

[[noreturn]] void fail_install(const char* destination, int error)
{
    sys::fail(sys::failure_code(), "start-failed|cannot install foster as '{path}': {reason:e}", destination,
              sys::Error{error});
}

} // namespace

int install(const Options& options)
{
    constexpr mode_t FOR_ALL_TO_RUN = 0755;
    const auto program = sys::must(sys::map_file("/proc/self/exe"), "read /proc/self/exe, which is to be copied");
    const char* destination = options.install_as;
    sys::FixedText<PATH_MAX> inside;
    const auto there = sys::open(destination, O_PATH);
    const auto state = sys::fstat(there.value.number());
    if (state && S_ISDIR(state.value.st_mode)) {
        for (const char* part : {destination, "/", &options.personality->name[0]}) {
            inside.add(part);
        }
        if (!inside.is_whole()) {
            fail_install(destination, ENAMETOOLONG);
        }
        destination = inside.c_string();
    } else if (state && !S_ISREG(state.value.st_mode)) {
        fail_install(destination, EEXIST); // a device, a socket, a pipe is nothing to put a file in the place of
    }
    if (const auto done = sys::replace_file(destination, {&program, 1}, {FOR_ALL_TO_RUN}); !done) {
        fail_install(destination, done.error);
    }
    return 0;
}

} // namespace foster
