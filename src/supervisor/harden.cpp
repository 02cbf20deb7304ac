#include "supervisor/harden.hpp"

#include "sys/files.hpp"
#include "sys/privileges.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <sys/syscall.h>

namespace foster
{
namespace
{

// capabilities(7)
constexpr std::uint32_t CAP_DAC_OVERRIDE = 1U << 1;
constexpr std::uint32_t CAP_DAC_READ_SEARCH = 1U << 2;
constexpr std::uint32_t CAP_KILL = 1U << 5;
constexpr std::uint32_t CAP_SYS_PTRACE = 1U << 19;

// All system calls that foster, its second threads and its helpers make after set-up, those of each signal first.
// tests/harden.bats names one that is missing. The kernel itself makes restart_syscall, of a clock_nanosleep after a
// stop.
constexpr std::uint16_t CALLS[] = {
    SYS_read, SYS_ppoll, SYS_rt_sigpending, SYS_wait4, SYS_kill, SYS_clock_gettime, SYS_waitid, SYS_getpid,
    // files
    SYS_openat, SYS_close, SYS_fstatfs, SYS_getdents64, SYS_readlinkat, SYS_write, SYS_pwritev2, SYS_sendto, SYS_statx,
    SYS_lseek, SYS_dup3, SYS_close_range, SYS_chdir, SYS_ioctl, SYS_mmap, SYS_munmap, SYS_madvise,
    // signals
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigqueueinfo, SYS_rt_sigtimedwait, SYS_pidfd_open,
    SYS_pidfd_send_signal, SYS_prlimit64,
    // processes
    SYS_clone, SYS_exit, SYS_exit_group, SYS_getppid, SYS_getpgid, SYS_getsid, SYS_getuid, SYS_geteuid, SYS_prctl,
    SYS_get_robust_list, SYS_clock_nanosleep, SYS_sched_yield, SYS_restart_syscall,
#ifdef __SANITIZE_ADDRESS__
    SYS_sigaltstack, SYS_gettid, SYS_futex, SYS_writev, SYS_tgkill, // the sanitizers' own
#endif
    // remote waits
    SYS_ptrace, SYS_setresgid, SYS_setresuid};
constexpr std::size_t OF_REMOTE_WAITS = 3;

// Whether a /proc shows only processes that foster may trace, proc(5).
bool hides_processes()
{
    std::array<char, 4096> lines; // whole ones, for the kernel cuts none that fits
    const auto mounts = sys::open_of_kernel("/proc/self/mounts");
    for (;;) {
        const auto size = sys::read(mounts.value.number(), lines);
        if (!size || size.value == 0) {
            return false;
        }
        if (std::string_view(lines.data(), size.value).find("hidepid=") != std::string_view::npos) {
            return true;
        }
    }
}

// Of these capabilities that foster may have, those that it needs.
std::uint32_t needed(std::uint32_t permitted, bool makes_remote_waits)
{
    std::uint32_t kept = CAP_KILL; // for processes of other users
    if (makes_remote_waits) {
        // /proc/PID/auxv is for its owner
        kept |= CAP_SYS_PTRACE | ((permitted & CAP_DAC_READ_SEARCH) != 0 ? CAP_DAC_READ_SEARCH : CAP_DAC_OVERRIDE);
    }
    return kept | (hides_processes() ? CAP_SYS_PTRACE : 0);
}

sys::Status give_up_capabilities(bool makes_remote_waits)
{
    auto own = sys::capabilities();
    if (!own) {
        return {{}, own.error};
    }
    auto& [low, high] = own.value.halves;
    // Without CAP_SYS_PTRACE foster may trace only processes that have no capability which it has not, ptrace(2).
    const bool keeps_all = makes_remote_waits && (low.permitted & CAP_SYS_PTRACE) == 0;
    const std::uint32_t kept = keeps_all ? ~0U : needed(low.permitted, makes_remote_waits);
    low = {low.effective & kept, low.permitted & kept, 0};
    high = keeps_all ? sys::Capabilities::Half{high.effective, high.permitted, 0} : sys::Capabilities::Half{};
    return sys::set_capabilities(own.value);
}

} // namespace

void harden(const Options& options, const log::Messages& messages)
{
    if (!options.harden) {
        return;
    }
    const bool makes_remote_waits = options.zombies == Zombies::REAP;
    if (makes_remote_waits) {
        (void)sys::inherited_seccomp(); // before there is a filter of foster's own
    }
    const auto warn = [&messages](const char* privilege, sys::Status given_up) {
        if (!given_up) {
            messages.warning("harden-refused|cannot give up {privilege}: {reason}", privilege,
                             log::Error{given_up.error});
        }
        return static_cast<bool>(given_up);
    };
    warn("capabilities", give_up_capabilities(makes_remote_waits));
    // without CAP_SYS_ADMIN, seccomp(2) wants no new privileges
    if (warn("new privileges", sys::give_up_new_privileges())) {
        warn("system calls",
             sys::allow_calls(std::span(CALLS).first(std::size(CALLS) - (makes_remote_waits ? 0 : OF_REMOTE_WAITS))));
    }
}

} // namespace foster
