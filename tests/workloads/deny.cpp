// deny CALL=ERROR... -- COMMAND...: runs COMMAND in a sandbox (seccomp) whose system calls fail as told, or bring it a
// SIGSYS.
#include "workload.hpp"

#include <cerrno>
#include <cstddef>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <vector>

namespace
{

struct Call {
    std::string_view name;
    unsigned number;
    int argument = -1; // refused only where this argument...
    unsigned bits = 0; // ...has one of these bits, or where it is exact, this value
    bool exact = false;
};

constexpr Call CALLS[] = {
    {"chdir", SYS_chdir},
    {"clone", SYS_clone},
    {"clone-vm", SYS_clone, 0, CLONE_VM},
    {"clock_gettime", SYS_clock_gettime},
    {"clock_nanosleep", SYS_clock_nanosleep},
    {"close_range", SYS_close_range},
    {"dup3", SYS_dup3},
    {"ioctl", SYS_ioctl},
    {"tcsetpgrp", SYS_ioctl, 1, TIOCSPGRP, true},
    {"kill", SYS_kill},
    {"madvise", SYS_madvise},
    {"pidfd_open", SYS_pidfd_open},
    {"pidfd_send_signal", SYS_pidfd_send_signal},
    {"pipe2", SYS_pipe2},
    {"ppoll", SYS_ppoll},
    {"prctl", SYS_prctl},
    {"ptrace", SYS_ptrace},
    {"pwritev2", SYS_pwritev2},
    {"rt_sigaction", SYS_rt_sigaction},
    {"rt_sigprocmask", SYS_rt_sigprocmask},
    {"rt_sigqueueinfo", SYS_rt_sigqueueinfo},
    {"rt_sigtimedwait", SYS_rt_sigtimedwait},
    {"signalfd", SYS_signalfd4},
    {"setpgid", SYS_setpgid},
    {"wait4", SYS_wait4},
    {"waitid", SYS_waitid},
};

constexpr struct {
    std::string_view name;
    unsigned number;
    unsigned action = SECCOMP_RET_ERRNO;
} ERRORS[] = {{"EPERM", EPERM},
              {"ENOSYS", ENOSYS},
              {"EAGAIN", EAGAIN},
              {"EINTR", EINTR},
              {"EINVAL", EINVAL},
              {"ENXIO", ENXIO},
              {"EIO", EIO},
              {"EMFILE", EMFILE},
              {"ENOMEM", ENOMEM},
              {"ENFILE", ENFILE},
              {"SIGSYS", 0, SECCOMP_RET_TRAP}};

template <typename Table> const auto& find(const Table& table, std::string_view name)
{
    for (const auto& row : table) {
        if (row.name == name) {
            return row;
        }
    }
    fprintf(stderr, "deny: unknown word '%s'\n", std::string(name).c_str());
    exit(99);
}

void add_rule(std::vector<sock_filter>& filter, std::string_view rule)
{
    const auto equals = rule.find('=');
    const auto& call = find(CALLS, rule.substr(0, equals));
    const auto& error = find(ERRORS, rule.substr(equals + 1));
    const auto load = [&filter](std::size_t offset) {
        filter.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset)));
    };
    load(offsetof(seccomp_data, nr));
    filter.push_back(
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call.number, 0, static_cast<unsigned char>(call.argument < 0 ? 1 : 3)));
    if (call.argument >= 0) {
        load(offsetof(seccomp_data, args) + static_cast<std::size_t>(call.argument) * sizeof(std::uint64_t));
        const auto test = static_cast<unsigned short>(BPF_JMP | BPF_K | (call.exact ? BPF_JEQ : BPF_JSET));
        filter.push_back(BPF_JUMP(test, call.bits, 0, 1));
    }
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, error.action | error.number));
}

} // namespace

int main(int /*count*/, char** arguments)
{
    std::vector<sock_filter> filter;
    for (++arguments; *arguments != nullptr && std::string_view(*arguments) != "--"; ++arguments) {
        add_rule(filter, *arguments);
    }
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
    // root needs it not, and set-user-ID programs work on without it.
    if ((geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
        die("seccomp");
    }
    exec_rest(arguments + 1);
}
