// The remote wait on x86_64. When a tracer finds a thread stopped on the way back from a system call, the registers are
// as the call has left them, and the tracer can restore them after other calls. So the thread makes one wait4 after the
// other, by the syscall instruction in the vdso of its process.
#ifdef __x86_64__
#include "sys/procfs.hpp"
#include "sys/tracing.hpp"
#include "zombies/cpu.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <link.h>
#include <span>
#include <sys/auxv.h>
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
constexpr std::size_t ORIG_RAX = 15; // the number of the call; negative outside a call
constexpr std::size_t RIP = 16;
constexpr std::size_t COUNT = 27;

constexpr std::uint64_t NO_CALL = ~std::uint64_t{0};
constexpr std::int64_t RESTART_WITHOUT_HANDLER = -514; // the kernel's internal ERESTARTNOHAND

constexpr long IO_URING_ENTER = 426;
constexpr long EPOLL_PWAIT2 = 441;

// Whether the syscall instruction is here.
bool is_call(const void* code)
{
    std::uint16_t word = 0;
    std::memcpy(&word, code, sizeof word);
    return word == 0x050f;
}

// The offset of a syscall instruction in the vdso, which is the same image in all processes of a kernel, vdso(7). 0:
// there is none.
std::uintptr_t call_offset()
{
    const auto base = ::getauxval(AT_SYSINFO_EHDR);
    if (base == 0) {
        return 0;
    }
    const auto* header = reinterpret_cast<const ElfW(Ehdr)*>(base);
    const auto* segment = reinterpret_cast<const ElfW(Phdr)*>(base + header->e_phoff);
    for (int left = header->e_phnum; left > 0; --left, ++segment) {
        if (segment->p_type == PT_LOAD && (segment->p_flags & PF_X) != 0) {
            const auto* code = reinterpret_cast<const unsigned char*>(base + segment->p_offset);
            for (std::size_t at = 0; at + 1 < segment->p_filesz; ++at) {
                if (is_call(code + at)) {
                    return segment->p_offset + at;
                }
            }
            return 0;
        }
    }
    return 0;
}

// Whether the call waits for events with a time limit. If such a call were restarted, it would wait for the whole limit
// again. It keeps its EINTR, as after any stop, so that an event loop reads the clock again.
bool waits_for_events_with_limit(long call, std::uint64_t fourth_argument)
{
    switch (call) {
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
        return static_cast<int>(fourth_argument) >= 0;
    case EPOLL_PWAIT2:
        return fourth_argument != 0;
    case IO_URING_ENTER:
        return (fourth_argument & 8) != 0; // IORING_ENTER_EXT_ARG, which may contain a time limit
    default:
        return false;
    }
}

// Makes the kernel restart a call that a stop has made fail with EINTR.
void begin_again_after_stop(Registers& registers)
{
    // signal(7), "Interruption of system calls and library functions by stop signals". A read that fails with EINTR has
    // read nothing, and an io_uring_enter that has submitted something does not fail with EINTR but returns the number.
    constexpr long CALLS[] = {SYS_epoll_wait, SYS_epoll_pwait,     SYS_semop,        SYS_semtimedop, SYS_read,
                              SYS_recvfrom,   SYS_rt_sigtimedwait, SYS_io_getevents, SYS_recvmsg,    SYS_accept,
                              SYS_accept4,    EPOLL_PWAIT2,        IO_URING_ENTER};
    const auto call = static_cast<long>(registers[ORIG_RAX]);
    if (static_cast<long>(registers[RAX]) == -EINTR && !waits_for_events_with_limit(call, registers[R10]) &&
        std::ranges::find(CALLS, call) != std::end(CALLS)) {
        registers[RAX] = static_cast<std::uint64_t>(RESTART_WITHOUT_HANDLER);
    }
}

} // namespace

long start_thread(std::span<std::byte> stack, void (*body)(void*), void* argument, sys::Shared<pid_t>& running)
{
    long answer = SYS_clone;
    register auto* child_number asm("r10") = running.address();
    // The new thread inherits all registers except rax and rsp. The argument may be in rbp.
    asm volatile("syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\tmov %[argument], %%rdi\n\txor %%ebp, %%ebp\n\tcall "
                 "*%[body]\n\tud2\n1:"
                 : "+a"(answer)
                 : "D"(THREAD_FLAGS), "S"(stack.data() + stack.size()), "d"(running.address()),
                   "r"(child_number), [body] "b"(body), [argument] "r"(argument)
                 : "rcx", "r11", "memory");
    return answer;
}

Blocker Calls::seize(pid_t thread)
{
    thread_ = thread;
    const auto base = sys::vdso_of(thread); // by this thread, since the first thread of the parent may have exited
    if (!base) {
        return {"it may not be traced", base.error == EACCES ? EPERM : base.error};
    }
    const auto offset = call_offset();
    if (offset == 0 || base.value == 0) {
        return {"it is a 32-bit process, or has no vdso"};
    }
    instruction_ = base.value + offset;
    const auto seized = sys::trace_seize(thread);
    return seized ? Blocker{} : Blocker{"it may not be traced", seized.error};
}

Blocker Calls::check_first_stop()
{
    if (const auto blocker = read_found(COUNT)) {
        return blocker;
    }
    if (static_cast<std::int64_t>(found_[ORIG_RAX]) < 0) {
        return {BUSY, 0, true};
    }
    const auto code = sys::read_word(thread_, instruction_);
    if (!code || !is_call(&code.value)) {
        // A read error is temporary: the process may have been killed, and its memory is freed before it exits.
        return {"its vdso is not the kernel's own", 0, !code};
    }
    begin_again_after_stop(found_);
    return {};
}

bool Calls::begins_next_at_exit()
{
    return true;
}

sys::Status Calls::begin_call(pid_t zombie)
{
    auto registers = found_;
    registers[ORIG_RAX] = NO_CALL; // so that the kernel restarts no call
    registers[RIP] = instruction_;
    registers[RAX] = SYS_wait4;
    registers[RDI] = static_cast<std::uint64_t>(zombie);
    registers[RSI] = 0;
    registers[RDX] = WNOHANG | __WALL;
    registers[R10] = 0;
    return write(registers);
}

// NOLINTNEXTLINE(readability-convert-member-functions-to-static): it is not static on aarch64.
sys::Status Calls::enter_call(pid_t /*zombie*/)
{
    return {};
}

sys::Result<long> Calls::read_answer()
{
    const auto read = sys::read_registers(thread_, at_exit_);
    return {static_cast<long>(at_exit_[RAX]), read.error};
}

void Calls::exit_call() {}

void Calls::put_back(bool /*has_called*/)
{
    (void)write(found_);
}

sys::Status Calls::write(const Registers& registers) const
{
    return sys::write_registers(thread_, std::span(registers).first(COUNT));
}

} // namespace foster::cpu
#endif
