#include "sys/kernel.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

// Made by the linker, ld(1); absent from a sanitized build.
extern "C" [[gnu::weak, gnu::visibility("hidden")]] char __start_set_up; // NOLINT
extern "C" [[gnu::weak, gnu::visibility("hidden")]] char __stop_set_up;  // NOLINT

namespace foster::sys
{
namespace
{

constexpr Nanoseconds SECOND = 1'000'000'000;

Status status_of(long answer)
{
    return {{}, answer < 0 ? errno : 0};
}

template <typename T> Result<T> result_of(long answer)
{
    return {static_cast<T>(answer), answer < 0 ? errno : 0};
}

Result<Fd> fd_of(long answer)
{
    const int error = answer < 0 ? errno : 0;
    return {Fd(static_cast<int>(answer)), error};
}

SignalMask bit_of(int signal)
{
    return SignalMask{1} << (signal - 1);
}

// A name in /proc/self/fd as a number; -1 for "." and "..".
int descriptor_named(const char* name)
{
    int number = 0;
    for (; *name != '\0'; ++name) {
        if (*name < '0' || *name > '9') {
            return -1;
        }
        number = number * 10 + (*name - '0');
    }
    return number;
}

// For kernels before 5.9 and for seccomp profiles that do not know close_range.
Status close_listed_from(int first)
{
    // The layout of linux_dirent64, getdents64(2).
    struct Entry {
        std::uint64_t inode;
        std::int64_t offset;
        std::uint16_t length;
        std::uint8_t type;
        char name[1]; // as the kernel lays it out
    };
    const auto directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY);
    if (!directory) {
        return {{}, directory.error};
    }
    alignas(Entry) std::array<char, 1024> buffer;
    for (;;) {
        const long size = ::syscall(SYS_getdents64, directory.value.number(), buffer.data(), buffer.size());
        if (size <= 0) {
            return status_of(size);
        }
        for (long at = 0; at < size;) {
            const auto* entry = reinterpret_cast<const Entry*>(buffer.data() + at);
            const int fd = descriptor_named(&entry->name[0]);
            if (fd >= first && fd != directory.value.number()) {
                ::close(fd);
            }
            at += entry->length;
        }
    }
}

} // namespace

Nanoseconds monotonic_now()
{
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND + now.tv_nsec;
}

Result<SignalMask> set_signal_mask(SignalMask mask)
{
    SignalMask before = 0;
    const long answer = ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &before, sizeof mask);
    return {before, answer < 0 ? errno : 0};
}

Result<bool> ignore_sigchld(bool ignored)
{
    // The kernel's own struct, without a handler to return from, and so without a restorer.
    struct Action {
        void (*handler)(int);
        unsigned long flags;
        void* restorer;
        SignalMask mask;
    };
    const Action action{ignored ? SIG_IGN : SIG_DFL, 0, nullptr, 0};
    Action before{};
    const long answer = ::syscall(SYS_rt_sigaction, SIGCHLD, &action, &before, sizeof(SignalMask));
    return {before.handler == SIG_IGN, answer < 0 ? errno : 0};
}

Result<Fd> signalfd(SignalMask mask)
{
    auto opened = fd_of(::syscall(SYS_signalfd4, -1, &mask, sizeof mask, SFD_CLOEXEC));
    if (!opened || opened.value.number() > STDERR_FILENO) {
        return opened;
    }
    // A standard descriptor was closed when foster was started: its number is not ours to take.
    return dup_above_standard(opened.value.number());
}

Result<std::size_t> read_signals(int fd, std::span<signalfd_siginfo> records)
{
    auto size = result_of<std::size_t>(::read(fd, records.data(), records.size_bytes()));
    size.value /= sizeof(signalfd_siginfo);
    return size;
}

Result<bool> wait_readable(int fd, Nanoseconds at_most)
{
    pollfd one{fd, POLLIN, 0};
    const timespec limit{at_most / SECOND, at_most % SECOND};
    return result_of<bool>(::ppoll(&one, 1, &limit, nullptr));
}

Status kill(pid_t pid, int signal)
{
    return status_of(::kill(pid, signal));
}

Status queue_signal(pid_t pid, int signal, const signalfd_siginfo& received)
{
    siginfo_t info{};
    info.si_signo = signal;
    info.si_code = received.ssi_code;
    info.si_pid = static_cast<pid_t>(received.ssi_pid);
    info.si_uid = received.ssi_uid;
    // The kernel hands the whole union over in ssi_ptr; ssi_int is its first half.
    info.si_value.sival_ptr = reinterpret_cast<void*>(static_cast<std::uintptr_t>(received.ssi_ptr));
    return status_of(::syscall(SYS_rt_sigqueueinfo, pid, info.si_signo, &info));
}

void stop_own_group(int signal)
{
    (void)set_signal_mask(ALL_SIGNALS & ~bit_of(signal));
    (void)::kill(0, signal);
    (void)set_signal_mask(ALL_SIGNALS);
}

void stop_self()
{
    (void)::kill(::getpid(), SIGSTOP);
}

int stopped_by(pid_t child)
{
    siginfo_t info{};
    const int answer = ::waitid(P_PID, static_cast<id_t>(child), &info, WSTOPPED | WNOHANG);
    return answer == 0 && info.si_pid == child ? info.si_status : 0;
}

Status become_subreaper()
{
    return status_of(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
}

Result<pid_t> clone(bool shares_memory, std::span<std::byte> stack, int (*body)(void*), void* argument)
{
    const int flags = SIGCHLD | (shares_memory ? CLONE_VM | CLONE_VFORK : 0);
    const auto pid = result_of<pid_t>(::clone(body, stack.data() + stack.size(), flags, argument));
#ifdef __SANITIZE_ADDRESS__
    // The child's frames are gone without having returned: the sanitizer still guards them.
    __asan_unpoison_memory_region(stack.data(), stack.size());
#endif
    return pid;
}

Result<Ended> reap(pid_t pid)
{
    int status = 0;
    const pid_t answer = ::wait4(pid, &status, WNOHANG | __WALL, nullptr);
    return {{answer, status}, answer < 0 ? errno : 0};
}

Result<pid_t> find_zombie()
{
    siginfo_t info{};
    const int answer = ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL);
    return {info.si_pid, answer < 0 ? errno : 0};
}

Status set_parent_death_signal(int signal)
{
    return status_of(::prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0));
}

Status setsid()
{
    return status_of(::setsid());
}

Status become_user(uid_t user, gid_t group, std::span<const gid_t> groups)
{
    // Not the C library's functions, which speak to the other threads that foster does not have.
    if (const auto set = status_of(::syscall(SYS_setgroups, groups.size(), groups.data())); !set) {
        return set;
    }
    if (const auto set = status_of(::syscall(SYS_setresgid, group, group, group)); !set) {
        return set;
    }
    return status_of(::syscall(SYS_setresuid, user, user, user));
}

Status setpgid(pid_t pid, pid_t group)
{
    return status_of(::setpgid(pid, group));
}

Result<pid_t> tcgetpgrp(int fd)
{
    return result_of<pid_t>(::tcgetpgrp(fd));
}

Status tcsetpgrp(int fd, pid_t group)
{
    return status_of(::tcsetpgrp(fd, group));
}

Status take_controlling_terminal(int fd)
{
    return status_of(::ioctl(fd, TIOCSCTTY, 0));
}

Status leave_controlling_terminal(int fd)
{
    SignalMask pending = 0;
    (void)::syscall(SYS_rt_sigpending, &pending, sizeof pending);
    const auto left = status_of(::ioctl(fd, TIOCNOTTY));
    const SignalMask brought = (bit_of(SIGHUP) | bit_of(SIGCONT)) & ~pending;
    const timespec at_once{};
    while (left && ::syscall(SYS_rt_sigtimedwait, &brought, nullptr, &at_once, sizeof brought) > 0) {
    }
    return left;
}

int execve(const char* path, char* const* arguments, char* const* environment)
{
    ::execve(path, arguments, environment);
    return errno;
}

bool exists(const char* path)
{
    return ::access(path, F_OK) == 0;
}

Result<void*> map_memory(std::size_t size)
{
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return {memory, memory == MAP_FAILED ? errno : 0};
}

Result<std::string_view> map_file(const char* path)
{
    const auto file = open(path, O_RDONLY);
    if (!file) {
        return {{}, file.error};
    }
    const off_t end = ::lseek(file.value.number(), 0, SEEK_END);
    if (end <= 0) {
        return {{}, end < 0 ? errno : 0};
    }
    const auto size = static_cast<std::size_t>(end);
    void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.value.number(), 0);
    if (memory == MAP_FAILED) {
        return {{}, errno};
    }
    return {{static_cast<const char*>(memory), size}};
}

// Not inlined: it must be the frame of this function below which nothing is in use.
[[gnu::noinline]] void release_set_up()
{
    constexpr std::uintptr_t IN_USE = 1024;     // more than this frame, the call's own and the red zone below it
    constexpr std::uintptr_t RELEASED = 0x8000; // more than set-up has touched, less than the kernel maps at once
    const auto page = static_cast<std::uintptr_t>(::getauxval(AT_PAGESZ));
    const auto end = (reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) - IN_USE) / page * page;
    (void)::madvise(reinterpret_cast<void*>(end - RELEASED), RELEASED, MADV_DONTNEED);

    const auto code = (reinterpret_cast<std::uintptr_t>(&__start_set_up) + page - 1) / page * page;
    const auto code_end = reinterpret_cast<std::uintptr_t>(&__stop_set_up) / page * page;
    if (code < code_end) {
        (void)::madvise(reinterpret_cast<void*>(code), code_end - code, MADV_DONTNEED);
    }
}

Result<Fd> open(const char* path, int flags)
{
    return fd_of(::syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC));
}

Result<std::size_t> read(int fd, std::span<char> buffer)
{
    return result_of<std::size_t>(::read(fd, buffer.data(), buffer.size()));
}

Status write_all(int fd, std::span<const char> bytes)
{
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR) {
            return status_of(written);
        }
        bytes = bytes.last(bytes.size() - static_cast<std::size_t>(written < 0 ? 0 : written));
    }
    return {};
}

Status write_now(int fd, std::span<const char> bytes)
{
    constexpr int NO_WAIT = 8; // RWF_NOWAIT; musl 1.2.3 does not know it
    pollfd one{fd, POLLOUT, 0};
    const timespec at_once{};
    if (::ppoll(&one, 1, &at_once, nullptr) == 0) {
        return {{}, EAGAIN};
    }
    const iovec whole{const_cast<char*>(bytes.data()), bytes.size()};
    const long written = ::syscall(SYS_pwritev2, fd, &whole, 1, -1L, -1L, NO_WAIT);
    // Where the file or the kernel cannot promise not to wait, the look that ppoll took has to do.
    if (written >= 0 || errno == EAGAIN || errno == EPIPE) {
        return status_of(written);
    }
    return status_of(::write(fd, bytes.data(), bytes.size()));
}

Result<Fd> dup_above_standard(int fd)
{
    return fd_of(::syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

Result<Pipe> pipe()
{
    std::array<int, 2> ends{-1, -1};
    const long answer = ::syscall(SYS_pipe2, ends.data(), O_CLOEXEC);
    const int error = answer < 0 ? errno : 0;
    return {{Fd(ends[0]), Fd(ends[1])}, error};
}

Status dup_onto(int from, int to)
{
    return from == to ? Status{} : status_of(::syscall(SYS_dup3, from, to, O_CLOEXEC));
}

void close(int fd)
{
    ::close(fd);
}

Status chdir(const char* path)
{
    return status_of(::chdir(path));
}

Status close_from(int first)
{
    if (::syscall(SYS_close_range, static_cast<unsigned>(first), ~0U, 0U) == 0) {
        return {};
    }
    return close_listed_from(first);
}

} // namespace foster::sys
