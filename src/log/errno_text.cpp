#include "log/errno_text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

namespace foster::log
{
namespace
{

struct Row {
    int error;
    std::string_view text;
};

// The errors that foster's system calls can return. strerror(3) knows all errors, and takes 2 kB.
constexpr Row ROWS[] = {
    {EPERM, "Operation not permitted"},
    {ENOENT, "No such file or directory"},
    {ESRCH, "No such process"},
    {EINTR, "Interrupted system call"},
    {EIO, "Input/output error"},
    {ENXIO, "No such device or address"},
    {E2BIG, "Argument list too long"},
    {ENOEXEC, "Exec format error"},
    {EBADF, "Bad file descriptor"},
    {ECHILD, "No child processes"},
    {EAGAIN, "Resource temporarily unavailable"},
    {ENOMEM, "Cannot allocate memory"},
    {EACCES, "Permission denied"},
    {EFAULT, "Bad address"},
    {EBUSY, "Device or resource busy"},
    {EEXIST, "File exists"},
    {EXDEV, "Invalid cross-device link"},
    {ENODEV, "No such device"},
    {ENOTDIR, "Not a directory"},
    {EISDIR, "Is a directory"},
    {EINVAL, "Invalid argument"},
    {ENFILE, "Too many open files in system"},
    {EMFILE, "Too many open files"},
    {ENOTTY, "Inappropriate ioctl for device"},
    {ETXTBSY, "Text file busy"},
    {EFBIG, "File too large"},
    {ENOSPC, "No space left on device"},
    {EROFS, "Read-only file system"},
    {EPIPE, "Broken pipe"},
    {ENAMETOOLONG, "File name too long"},
    {ENOSYS, "Function not implemented"},
    {ELOOP, "Too many levels of symbolic links"},
    {ETIMEDOUT, "No answer in time"},
    {ELIBBAD, "Accessing a corrupted shared library"},
    {ESTALE, "Stale file handle"},
    {EDQUOT, "Disk quota exceeded"},
};

consteval std::size_t size_of_reasons()
{
    std::size_t size = 0;
    for (const auto& row : ROWS) {
        size += 2 + row.text.size();
    }
    return size;
}

// For each error its number, the length of its text, and the text. No pointers, as in the table of options: they would
// need relocations.
constexpr auto REASONS = [] {
    std::array<char, size_of_reasons()> reasons{};
    auto* at = reasons.begin();
    for (const auto& row : ROWS) {
        *at++ = static_cast<char>(row.error);
        *at++ = static_cast<char>(row.text.size());
        at = std::ranges::copy(row.text, at).out;
    }
    return reasons;
}();

} // namespace

std::string_view errno_text(int error)
{
    for (const auto* at = REASONS.begin(); at != REASONS.end();) {
        const std::string_view text(at + 2, static_cast<std::size_t>(at[1]));
        if (*at == static_cast<char>(error)) {
            return text;
        }
        at += 2 + text.size();
    }
    return {};
}

} // namespace foster::log
