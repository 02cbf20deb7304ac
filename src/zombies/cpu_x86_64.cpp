#ifdef __x86_64__
#include "zombies/cpu.hpp"

#include <algorithm>
#include <cerrno>
#include <span>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>

namespace foster::cpu
{
namespace
{

// In the order of the kernel's struct user_regs_struct.
constexpr std::size_t R10 = 7;
constexpr std::size_t RAX = 10;
constexpr std::size_t RDX = 12;
constexpr std::size_t RSI = 13;
constexpr std::size_t RDI = 14;
constexpr std::size_t ORIG_RAX = 15; // the call's number; below 0 in no call
constexpr std::size_t RIP = 16;
constexpr std::size_t COUNT = 27;

constexpr std::uint64_t NO_CALL = ~std::uint64_t{0};
constexpr std::int64_t RESTART_WITHOUT_HANDLER = -514; // the kernel's own ERESTARTNOHAND

constexpr unsigned char INSTRUCTION[] = {0x0f, 0x05}; // syscall

constexpr long IO_URING_ENTER = 426;
constexpr long EPOLL_PWAIT2 = 441;

// Such a call would wait the whole limit anew. EINTR, which is what any stop gives it, makes an event loop look at its clock.
bool waits_for_events_with_limit(const Registers& registers)
{
    switch (static_cast<long>(registers[ORIG_RAX])) {
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
        return static_cast<int>(registers[R10]) >= 0;
    case EPOLL_PWAIT2:
        return registers[R10] != 0;
    case IO_URING_ENTER:
        return (registers[R10] & 8) != 0; // IORING_ENTER_EXT_ARG, which may hold one
    default:
        return false;
    }
}

} // namespace

long start_thread(std::span<std::byte> stack, void (*body)(void*), void* argument, sys::Shared<pid_t>& running)
{
    long answer = SYS_clone;
    register auto* child_number asm("r10") = running.address();
    // The new thread has all registers but rax and rsp.
    asm volatile("syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\txor %%ebp, %%ebp\n\tmov %[argument], %%rdi\n\tcall "
                 "*%[body]\n\tud2\n1:"
                 : "+a"(answer)
                 : "D"(THREAD_FLAGS), "S"(stack.data() + stack.size()), "d"(running.address()),
                   "r"(child_number), [body] "b"(body), [argument] "r"(argument)
                 : "rcx", "r11", "memory");
    return answer;
}

std::span<const unsigned char> call_instruction()
{
    return INSTRUCTION;
}

std::size_t register_bytes()
{
    return COUNT * sizeof(std::uint64_t);
}

bool is_in_call(const Registers& registers)
{
    return static_cast<std::int64_t>(registers[ORIG_RAX]) >= 0;
}

void begin_again_after_stop(Registers& registers)
{
    // signal(7), "Interruption of system calls and library functions by stop signals". A read that was interrupted has
    // taken nothing, and io_uring_enter that has submitted something answers how much.
    constexpr long CALLS[] = {SYS_epoll_wait, SYS_epoll_pwait,     SYS_semop,        SYS_semtimedop, SYS_read,
                              SYS_recvfrom,   SYS_rt_sigtimedwait, SYS_io_getevents, SYS_recvmsg,    SYS_accept,
                              SYS_accept4,    EPOLL_PWAIT2,        IO_URING_ENTER};
    const auto call = static_cast<long>(registers[ORIG_RAX]);
    if (answer(registers) == -EINTR && !waits_for_events_with_limit(registers) &&
        std::ranges::find(CALLS, call) != std::end(CALLS)) {
        registers[RAX] = static_cast<std::uint64_t>(RESTART_WITHOUT_HANDLER);
    }
}

void set_wait4(Registers& registers, std::uintptr_t instruction, pid_t pid)
{
    registers[ORIG_RAX] = NO_CALL;
    registers[RIP] = instruction;
    registers[RAX] = SYS_wait4;
    registers[RDI] = static_cast<std::uint64_t>(pid);
    registers[RSI] = 0;
    registers[RDX] = WNOHANG | __WALL;
    registers[R10] = 0;
}

long answer(const Registers& registers)
{
    return static_cast<long>(registers[RAX]);
}

} // namespace foster::cpu
#endif
