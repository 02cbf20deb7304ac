// System calls on paths, the rest of files.hpp.
#include "sys/files.hpp"
#include "sys/memory.hpp"
#include "sys/syscall.hpp"

#include <fcntl.h>
#include <span>

namespace foster::sys
{

namespace
{

// Not the C library's function, which converts the result of statx(2), a kilobyte of code. On 64-bit CPUs its struct is
// the kernel's.
Result<struct stat> stat(const char* path)
{
    Result<struct stat> state{};
    state.error = status_of(raw_call(SYS_newfstatat, AT_FDCWD, path, &state.value, 0)).error;
    return state;
}

} // namespace

Result<struct stat> fstat(int fd)
{
    Result<struct stat> state{};
    state.error = status_of(raw_call(SYS_fstat, fd, &state.value)).error;
    return state;
}

bool is_executable_file(const char* path)
{
    const auto state = stat(path);
    return state && S_ISREG(state.value.st_mode) && raw_call(SYS_faccessat, AT_FDCWD, path, X_OK) == 0;
}

bool is_own_file(const char* path)
{
    constexpr const char* OWN = "/proc/self/exe";
    const auto state = stat(path);
    const auto own = stat(OWN);
    if (!state || !own || !S_ISREG(state.value.st_mode) || state.value.st_size != own.value.st_size) {
        return false;
    }
    const bool is_same = state.value.st_dev == own.value.st_dev && state.value.st_ino == own.value.st_ino;
    if (is_same) {
        return true;
    }
    const auto file = map_file(path);
    return file && file.value == map_file(OWN).value;
}

Result<std::string_view> readlink(const char* path, std::span<char> buffer)
{
    const auto size = result_of<std::size_t>(raw_call(SYS_readlinkat, AT_FDCWD, path, buffer.data(), buffer.size()));
    return {{buffer.data(), size ? size.value : 0}, size.error};
}

} // namespace foster::sys
