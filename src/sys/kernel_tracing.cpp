#include "sys/answers.hpp"

#include <csignal>
#include <elf.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

namespace foster::sys
{
namespace
{

Status trace(long request, pid_t thread, std::uintptr_t address, std::uintptr_t data)
{
    return status_of(::syscall(SYS_ptrace, request, thread, address, data));
}

int parent_death_signal()
{
    int signal = 0;
    (void)::syscall(SYS_prctl, PR_GET_PDEATHSIG, &signal, 0, 0, 0);
    return signal;
}

} // namespace

Status trace_seize(pid_t thread)
{
    return trace(PTRACE_SEIZE, thread, 0, PTRACE_O_TRACESYSGOOD);
}

Status trace_interrupt(pid_t thread)
{
    return trace(PTRACE_INTERRUPT, thread, 0, 0);
}

Status trace_resume(pid_t thread, bool to_system_call)
{
    return trace(to_system_call ? PTRACE_SYSCALL : PTRACE_CONT, thread, 0, 0);
}

Status trace_detach(pid_t thread, int signal)
{
    return trace(PTRACE_DETACH, thread, 0, static_cast<std::uintptr_t>(signal));
}

Result<std::size_t> read_registers(pid_t thread, std::span<std::uint64_t> registers)
{
    iovec words{registers.data(), registers.size_bytes()};
    const auto read = trace(PTRACE_GETREGSET, thread, NT_PRSTATUS, reinterpret_cast<std::uintptr_t>(&words));
    return {words.iov_len, read.error};
}

Status write_registers(pid_t thread, std::span<const std::uint64_t> registers)
{
    const iovec words{const_cast<std::uint64_t*>(registers.data()), registers.size_bytes()};
    return trace(PTRACE_SETREGSET, thread, NT_PRSTATUS, reinterpret_cast<std::uintptr_t>(&words));
}

bool is_forced_signal(pid_t thread)
{
    siginfo_t info{};
    return trace(PTRACE_GETSIGINFO, thread, 0, reinterpret_cast<std::uintptr_t>(&info)) && info.si_code > 0;
}

Result<unsigned long> read_word(pid_t thread, std::uintptr_t address)
{
    unsigned long word = 0; // where the system call itself puts it, unlike the C library's
    const auto read = trace(PTRACE_PEEKTEXT, thread, address, reinterpret_cast<std::uintptr_t>(&word));
    return {word, read.error};
}

BorrowedIds::BorrowedIds(uid_t user, gid_t group)
    : dumpable_(static_cast<int>(::syscall(SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0))),
      parent_death_(parent_death_signal()), groups_set_(::syscall(SYS_setresgid, group, group, -1) == 0),
      users_set_(groups_set_ && ::syscall(SYS_setresuid, user, user, -1) == 0)
{
}

BorrowedIds::~BorrowedIds()
{
    if (users_set_) {
        (void)::syscall(SYS_setresuid, 0, 0, -1);
    }
    if (groups_set_) {
        (void)::syscall(SYS_setresgid, 0, 0, -1);
        // The kernel takes both away from whoever changes its ids, commit_creds in the kernel.
        (void)::syscall(SYS_prctl, PR_SET_DUMPABLE, dumpable_, 0, 0, 0);
        (void)::syscall(SYS_prctl, PR_SET_PDEATHSIG, parent_death_, 0, 0, 0);
    }
}

} // namespace foster::sys
