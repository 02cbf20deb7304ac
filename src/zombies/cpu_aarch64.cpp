// On aarch64 the kernel has already prepared what is to be begun again when a tracer finds a thread that was stopped on
// its way back, do_signal in its arch/arm64/kernel/signal.c, and the tracer cannot see how. So the thread is resumed to
// the entry of the call that it begins again, which becomes a wait4, whose answer becomes that of a call that was
// interrupted: the thread is stopped on its way back again.
#ifdef __aarch64__
#include "sys/procfs.hpp"
#include "sys/raw_call.hpp"
#include "sys/tracing.hpp"
#include "zombies/cpu.hpp"

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

// signal(7), "Interruption of system calls and library functions by stop signals". A read that was interrupted has
// taken nothing.
bool is_ended_by_stops(std::uint64_t call)
{
    constexpr long CALLS[] = {
        SYS_epoll_pwait,  SYS_semop,   SYS_semtimedop, SYS_read,    SYS_recvfrom, SYS_rt_sigtimedwait,
        SYS_io_getevents, SYS_recvmsg, SYS_accept,     SYS_accept4, 441 /* epoll_pwait2 */};
    return is_one_of(call, CALLS);
}

// What a call of this number answers when it is interrupted. The kernel has put the arguments in its place before a
// tracer can see it.
long interrupted_answer(std::uint64_t call, bool was_ended)
{
    constexpr long CALLS[] = {SYS_rt_sigsuspend, SYS_pselect6, SYS_ppoll, SYS_clock_nanosleep};
    if (call == SYS_restart_syscall) {
        return RESTART_BY_BLOCK;
    }
    return was_ended || is_one_of(call, CALLS) ? RESTART_WITHOUT_HANDLER : RESTART;
}

// Parses the next number, decimal or with 0x, and removes it from the text; 0: there is none.
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

// The registers of a thread that sleeps in a call, as far as proc_pid_syscall(5) shows them; all 0: in none, or it is
// not to be had.
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

// Whether a thread that was stopped on its way back comes from the call that it slept in, and can begin that again.
bool comes_from_call(const Registers& found, const Registers& asleep)
{
    const bool is_begun_again = found[PC] == asleep[PC] - CALL_SIZE && found[X0] == asleep[X0];
    const bool was_ended =
        found[PC] == asleep[PC] && static_cast<long>(found[X0]) == -EINTR && is_ended_by_stops(asleep[X8]);
    return asleep[PC] != 0 && (is_begun_again || was_ended) && found[X8] == asleep[X8] && found[SP] == asleep[SP] &&
           std::equal(&found[X0 + 1], &found[X5 + 1], &asleep[X0 + 1]);
}

// Makes the thread begin the call that it slept in again, also one that answers EINTR to any stop, unlike most.
void begin_again(Registers& registers, const Registers& asleep)
{
    registers[X0] = asleep[X0];
    registers[PC] = asleep[PC] - CALL_SIZE;
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

Blocker Calls::seize(pid_t thread)
{
    thread_ = thread;
    if (const auto seized = sys::trace_seize(thread); !seized) {
        return {"it may not be traced", seized.error};
    }
    asleep_ = read_asleep(thread);
    return {};
}

Blocker Calls::check_first_stop()
{
    const auto blocker = read_found(COUNT);
    return blocker || comes_from_call(found_, asleep_) ? blocker : Blocker{BUSY, 0, true};
}

bool Calls::begins_next_at_exit()
{
    return false;
}

sys::Status Calls::begin_call(pid_t /*zombie*/)
{
    auto registers = found_;
    begin_again(registers, asleep_);
    return write(registers);
}

sys::Status Calls::enter_call(pid_t zombie)
{
    Registers registers{};
    if (const auto read = sys::read_registers(thread_, registers); !read) {
        return {{}, read.error};
    }
    // Here the kernel has taken the call's number out of its register already.
    int number = SYS_wait4;
    const iovec word{&number, sizeof number};
    const long replaced =
        sys::raw_call(SYS_ptrace, PTRACE_SETREGSET, thread_, NT_ARM_SYSTEM_CALL, sys::raw_call_argument(&word));
    if (replaced < 0) {
        return {{}, sys::error_of(replaced)};
    }
    registers[X0] = static_cast<std::uint64_t>(zombie);
    registers[X0 + 1] = 0;
    registers[X0 + 2] = WNOHANG | __WALL;
    registers[X0 + 3] = 0;
    return write(registers);
}

sys::Result<long> Calls::read_answer()
{
    const auto read = sys::read_registers(thread_, at_exit_);
    return {static_cast<long>(at_exit_[X0]), read.error};
}

// The wait4 becomes the call that was found at the first stop, interrupted, but for its arguments.
void Calls::exit_call()
{
    const bool was_ended = found_[PC] == at_exit_[PC];
    at_exit_[X0] = static_cast<std::uint64_t>(interrupted_answer(at_exit_[X8], was_ended));
    (void)write(at_exit_);
}

void Calls::put_back(bool has_called)
{
    if (has_called) {
        begin_again(found_, asleep_); // as the kernel has, but with the call's own arguments
    }
    (void)write(found_);
}

sys::Status Calls::write(const Registers& registers) const
{
    return sys::write_registers(thread_, std::span(registers).first(COUNT));
}

} // namespace foster::cpu
#endif
