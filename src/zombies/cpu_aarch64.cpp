// The remote wait on aarch64. When a tracer finds a thread stopped on the way back from a system call, the kernel has
// already prepared the restart of the call (do_signal in arch/arm64/kernel/signal.c), in a way that the tracer cannot
// see. So the thread is resumed to the entry of the restarted call. This call is made a wait4, and at its exit the
// result is replaced by that of an interrupted call. The next stop is then on the way back again.
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
constexpr std::size_t X8 = 8; // the number of the call
constexpr std::size_t SP = 31;
constexpr std::size_t PC = 32;
constexpr std::size_t COUNT = 34;

constexpr std::uint64_t CALL_SIZE = 4; // of the instruction svc #0

// The kernel's internal ERESTARTSYS (restart unless a handler without SA_RESTART runs), ERESTARTNOHAND (restart unless
// any handler runs) and ERESTART_RESTARTBLOCK (restart by restart_syscall(2)).
constexpr long RESTART = -512;
constexpr long RESTART_WITHOUT_HANDLER = -514;
constexpr long RESTART_BY_BLOCK = -516;

bool is_one_of(std::uint64_t call, std::span<const long> calls)
{
    return std::ranges::find(calls, static_cast<long>(call)) != calls.end();
}

// Whether a stop makes this call fail with EINTR: signal(7), "Interruption of system calls and library functions by
// stop signals". read is among them for some descriptors; if it fails with EINTR, it has read nothing.
bool is_ended_by_stops(std::uint64_t call)
{
    constexpr long CALLS[] = {
        SYS_epoll_pwait,  SYS_semop,   SYS_semtimedop, SYS_read,    SYS_recvfrom, SYS_rt_sigtimedwait,
        SYS_io_getevents, SYS_recvmsg, SYS_accept,     SYS_accept4, 441 /* epoll_pwait2 */};
    return is_one_of(call, CALLS);
}

// The result by which the kernel restarts the call with this number. A tracer cannot read it: the kernel has already
// replaced it by the first argument.
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

// The registers of a thread that sleeps in a system call, as far as proc_pid_syscall(5) shows them. All 0: it sleeps in
// no call, or the file cannot be read.
Registers read_asleep(pid_t thread)
{
    Registers asleep{};
    std::array<char, 256> buffer;
    auto text = sys::read_of_process(thread, "syscall", buffer).value;
    // "running", or "-1" if it sleeps in no call.
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

// Whether a thread that was stopped on the way back was in the call that it slept in, and can restart that.
bool comes_from_call(const Registers& found, const Registers& asleep)
{
    const bool is_begun_again = found[PC] == asleep[PC] - CALL_SIZE && found[X0] == asleep[X0];
    const bool was_ended =
        found[PC] == asleep[PC] && static_cast<long>(found[X0]) == -EINTR && is_ended_by_stops(asleep[X8]);
    return asleep[PC] != 0 && (is_begun_again || was_ended) && found[X8] == asleep[X8] && found[SP] == asleep[SP] &&
           std::equal(&found[X0 + 1], &found[X5 + 1], &asleep[X0 + 1]);
}

// Makes the thread call the system call again that it slept in, even one that a stop makes fail with EINTR.
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
    // The new thread inherits all registers except x0 and sp. Argument and body may be in x29.
    asm volatile("svc 0\n\tcbnz x0, 1f\n\tmov x0, %[argument]\n\tmov x30, %[body]\n\tmov x29, xzr\n\tblr x30\n\t"
                 "brk 1\n1:"
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
    // At this stop the kernel has already read the number of the call from x8, so a write to x8 would have no effect.
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

// The exit of the wait4 becomes that of the interrupted call from the first stop, except for the arguments.
void Calls::exit_call()
{
    const bool was_ended = found_[PC] == at_exit_[PC];
    at_exit_[X0] = static_cast<std::uint64_t>(interrupted_answer(at_exit_[X8], was_ended));
    (void)write(at_exit_);
}

void Calls::put_back(bool has_called)
{
    if (has_called) {
        begin_again(found_, asleep_); // as the kernel does, but with the arguments of that call
    }
    (void)write(found_);
}

sys::Status Calls::write(const Registers& registers) const
{
    return sys::write_registers(thread_, std::span(registers).first(COUNT));
}

} // namespace foster::cpu
#endif
