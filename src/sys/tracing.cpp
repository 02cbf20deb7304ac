#include "sys/tracing.hpp"
#include "sys/files.hpp"
#include "sys/processes.hpp"
#include "sys/raw_call.hpp"

#include <cerrno>
#include <csignal>
#include <elf.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

namespace foster::sys
{
namespace
{

Status trace(long request, pid_t thread, std::uintptr_t address, std::uintptr_t data)
{
    const long answer = raw_call(SYS_ptrace, request, thread, static_cast<long>(address), static_cast<long>(data));
    return {{}, error_of(answer)};
}

} // namespace

Status trace_seize(pid_t thread)
{
    // A thread that is not traced yet is none that can be waited for. If a sandbox refuses the wait itself, nobody
    // would see the thread's stops, and it would keep other registers than its own.
    return stop_of_traced(thread) == 0 ? Status{{}, ENOSYS} : trace(PTRACE_SEIZE, thread, 0, PTRACE_O_TRACESYSGOOD);
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
    unsigned long word = 0; // the system call writes the word there, unlike the C library's ptrace
    const auto read = trace(PTRACE_PEEKTEXT, thread, address, reinterpret_cast<std::uintptr_t>(&word));
    return {word, read.error};
}

int stop_of_traced(pid_t thread)
{
    siginfo_t info;
    (void)wait_at_once(P_PID, thread, info, WSTOPPED | __WALL);
    if (info.si_pid == thread) {
        return info.si_status << 8 | 0x7f; // in the format of wait(2)
    }
    // The thread may have stopped in between. Then waitid reports the stop here, without WSTOPPED.
    // Any other error than ECHILD says nothing of the thread.
    const bool is_gone = wait_at_once(P_PID, thread, info, WEXITED | WNOWAIT | __WALL) == -ECHILD ||
                         (info.si_pid != 0 && info.si_code < CLD_TRAPPED);
    return is_gone ? -1 : 0;
}

bool borrow_ids(uid_t user, gid_t group)
{
    const long dumpable = raw_call(SYS_prctl, PR_GET_DUMPABLE);
    const bool are_taken =
        raw_call(SYS_setresgid, group, group, -1) == 0 && raw_call(SYS_setresuid, user, user, -1) == 0;
    // The kernel clears the dumpable flag when a process changes its ids (commit_creds in the kernel).
    (void)raw_call(SYS_prctl, PR_SET_DUMPABLE, dumpable);
    return are_taken;
}

} // namespace foster::sys
