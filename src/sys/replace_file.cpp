#include "sys/replace_file.hpp"

#include "sys/clock.hpp"
#include "sys/files.hpp"
#include "sys/syscall.hpp"
#include "sys/text.hpp"

#include <cerrno>
#include <climits>
#include <fcntl.h>

namespace foster::sys
{
namespace
{

Status fill(int fd, std::span<const std::string_view> pieces, const Attributes& attributes)
{
    // The owner is set before the mode, because chown(2) clears set-user-ID bits.
    auto done = status_of(raw_call(SYS_fchown, fd, attributes.user, attributes.group));
    done = done ? status_of(raw_call(SYS_fchmod, fd, attributes.mode & 07777)) : done;
    for (const auto piece : pieces) {
        done = done ? write_all(fd, piece) : done;
    }
    return done;
}

} // namespace

Status replace_file(const char* path, std::span<const std::string_view> pieces, const Attributes& attributes)
{
    // The temporary file is in the same directory, because rename(2) works within one file system only. Its name
    // contains the time, not the pid: the pid is 1 in each container, and the file of a killed foster must not block
    // the next one.
    FixedText<PATH_MAX> other;
    other.add(path);
    other.add(".foster-");
    other.add_number(realtime_now());
    if (!other.is_complete()) {
        return {{}, ENAMETOOLONG};
    }
    const auto file = open(other.c_string(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    if (!file) {
        return {{}, file.error};
    }
    auto done = fill(file.value.number(), pieces, attributes);
    done = done ? status_of(raw_call(SYS_renameat, AT_FDCWD, other.c_string(), AT_FDCWD, path)) : done;
    if (!done) {
        (void)raw_call(SYS_unlinkat, AT_FDCWD, other.c_string(), 0);
    }
    return done;
}

} // namespace foster::sys
