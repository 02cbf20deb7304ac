#ifdef __aarch64__
#include "sys/files.hpp"
#include "sys/tracing.hpp"
#include "zombies/cpu.hpp"

#include "sys/procfs.hpp"
#include "sys/raw_call.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <elf.h>
#include <fcntl.h>
#include <span>
#include <string_view>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>

namespace foster::cpu
{
namespace
{

// In the order of the kernel's struct user_pt_regs.
constexpr std::size_t X0 = 0;
constexpr std::size_t X5 = 5;
constexpr std::size_t X8 = 8; // a call's number
constexpr std::size_t SP = 31;
constexpr std::size_t PC = 32;
constexpr std::size_t COUNT = 34;

constexpr std::uint64_t CALL_SIZE = 4; // of svc #0

// The kernel's own ERESTARTSYS: unless a handler without SA_RESTART runs, ERESTARTNOHAND: unless any handler runs, and
// ERESTART_RESTARTBLOCK: by restart_syscall(2).
constexpr long RESTART = -512;
constexpr long RESTART_WITHOUT_HANDLER = -514;
constexpr long RESTART_BY_BLOCK = -516;

bool is_one_of(std::uint64_t call, std::span<const long> calls)
{
    return std::ranges::find(calls, static_cast<long>(call)) != calls.end();
}

// signal(7), "Interruption of system calls and library functions by stop signals". A read that was interrupted has taken
// nothing.
bool is_ended_by_stops(std::uint64_t call)
{
    constexpr long CALLS[] = {
        SYS_epoll_pwait,  SYS_semop,   SYS_semtimedop, SYS_read,    SYS_recvfrom, SYS_rt_sigtimedwait,
        SYS_io_getevents, SYS_recvmsg, SYS_accept,     SYS_accept4, 441 /* epoll_pwait2 */};
    return is_one_of(call, CALLS);
}

// What a call of that number answers when it is interrupted. The kernel has put the arguments in its place before a tracer
// can see it.
long interrupted_answer(std::uint64_t call, bool was_ended)
{
    constexpr long CALLS[] = {SYS_rt_sigsuspend, SYS_pselect6, SYS_ppoll, SYS_clock_nanosleep};
    if (call == SYS_restart_syscall) {
        return RESTART_BY_BLOCK;
    }
    return was_ended || is_one_of(call, CALLS) ? RESTART_WITHOUT_HANDLER : RESTART;
}

// Whether the stop has ended the call.
bool is_ended(const Registers& registers, const Registers& asleep)
{
    return registers[PC] == asleep[PC] && answer(registers) == -EINTR && is_ended_by_stops(asleep[X8]);
}

// Takes the next number, decimal or with 0x, off the text; 0: there is none.
std::uint64_t take_number(std::string_view& text)
{
    const bool is_hexadecimal = text.starts_with("0x");
    text.remove_prefix(is_hexadecimal ? 2 : 0);
    std::uint64_t number = 0;
    const auto* end = std::from_chars(text.data(), text.data() + text.size(), number, is_hexadecimal ? 16 : 10).ptr;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    text.remove_prefix(text.empty() ? 0 : 1);
    return number;
}

} // namespace

long start_thread(std::span<std::byte> stack, void (*body)(void*), void* argument, sys::Shared<pid_t>& running)
{
    register long call asm("x8") = SYS_clone;
    register long answer asm("x0") = THREAD_FLAGS;
    register auto* top asm("x1") = stack.data() + stack.size();
    register auto* number asm("x2") = running.address();
    register auto* child_number asm("x4") = running.address();
    // The new thread has all registers but x0 and sp.
    asm volatile("svc 0\n\tcbnz x0, 1f\n\tmov x29, xzr\n\tmov x0, %[argument]\n\tblr %[body]\n\tbrk 1\n1:"
                 : "+r"(answer)
                 : "r"(call), "r"(top), "r"(number), "r"(child_number), [body] "r"(body), [argument] "r"(argument)
                 : "memory");
    return answer;
}

std::size_t register_bytes()
{
    return COUNT * sizeof(std::uint64_t);
}

Registers read_asleep(pid_t thread)
{
    Registers asleep{};
    std::array<char, 256> buffer;
    auto text = sys::read_of_process(thread, "syscall", buffer).value;
    // "running", or "-1" where it sleeps in no call.
    if (text.empty() || text.front() < '0' || text.front() > '9') {
        return asleep;
    }
    asleep[X8] = take_number(text);
    for (std::size_t argument = X0; argument <= X5; ++argument) {
        asleep[argument] = take_number(text);
    }
    asleep[SP] = take_number(text);
    asleep[PC] = take_number(text);
    return asleep;
}

bool is_in_call(const Registers& registers, const Registers& asleep)
{
    const bool is_begun_again = registers[PC] == asleep[PC] - CALL_SIZE && registers[X0] == asleep[X0];
    return asleep[PC] != 0 && (is_begun_again || is_ended(registers, asleep)) && registers[X8] == asleep[X8] &&
           registers[SP] == asleep[SP] && std::equal(&registers[X0 + 1], &registers[X5 + 1], &asleep[X0 + 1]);
}

void begin_again(Registers& registers, const Registers& asleep)
{
    registers[X0] = asleep[X0];
    registers[PC] = asleep[PC] - CALL_SIZE;
}

sys::Status replace_by_wait4(pid_t thread, pid_t pid)
{
    Registers registers{};
    if (const auto read = sys::read_registers(thread, registers); !read) {
        return {{}, read.error};
    }
    // Here the kernel has taken the call's number out of its register already.
    int number = SYS_wait4;
    const iovec word{&number, sizeof number};
    const long replaced =
        sys::raw_call(SYS_ptrace, PTRACE_SETREGSET, thread, NT_ARM_SYSTEM_CALL, sys::raw_call_argument(&word));
    if (replaced < 0) {
        return {{}, sys::error_of(replaced)};
    }
    registers[X0] = static_cast<std::uint64_t>(pid);
    registers[X0 + 1] = 0;
    registers[X0 + 2] = WNOHANG | __WALL;
    registers[X0 + 3] = 0;
    return sys::write_registers(thread, std::span(registers).first(COUNT));
}

void set_interrupted(Registers& registers, const Registers& found)
{
    const bool was_ended = found[PC] == registers[PC];
    registers[X0] = static_cast<std::uint64_t>(interrupted_answer(registers[X8], was_ended));
}

long answer(const Registers& registers)
{
    return static_cast<long>(registers[X0]);
}

} // namespace foster::cpu
#endif
