#include "zombies/remote_wait.hpp"

#include "log/log.hpp"
#include "sys/clock.hpp"
#include "sys/processes.hpp"
#include "sys/procfs.hpp"
#include "sys/raw_call.hpp"
#include "sys/tracing.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

namespace foster
{
namespace
{

constexpr int STOP_IN_CALL = SIGTRAP | 0x80; // PTRACE_O_TRACESYSGOOD

// Where the call instruction is in the vdso, which is one image for all processes of a kernel; 0: there is none.
std::uintptr_t call_offset()
{
    const auto base = ::getauxval(AT_SYSINFO_EHDR);
    if (base == 0) {
        return 0;
    }
    const auto* header = reinterpret_cast<const ElfW(Ehdr)*>(base);
    const auto* segment = reinterpret_cast<const ElfW(Phdr)*>(base + header->e_phoff);
    const auto wanted = cpu::call_instruction();
    for (int left = header->e_phnum; left > 0; --left, ++segment) {
        if (segment->p_type == PT_LOAD && (segment->p_flags & PF_X) != 0) {
            const auto* start = reinterpret_cast<const unsigned char*>(base + segment->p_offset);
            const auto* end = start + segment->p_filesz;
            const auto* found = std::search(start, end, wanted.begin(), wanted.end());
            return found == end ? 0 : reinterpret_cast<std::uintptr_t>(found) - base;
        }
    }
    return 0;
}

int signal_to_deliver(int status)
{
    const int signal = WSTOPSIG(status);
    return status >> 16 == 0 && signal != STOP_IN_CALL ? signal : 0;
}

// Whether a thread's first stop was in a system call.
bool comes_from_call(const cpu::Registers& found, [[maybe_unused]] const cpu::Registers& asleep)
{
    if constexpr (cpu::USES_OWN_CALL) {
        return cpu::is_in_call(found, asleep);
    } else {
        return cpu::is_in_call(found);
    }
}

struct Sleeper {
    pid_t thread = 0; // 0: none
    Blocker blocker;
};

// A thread that sleeps, which it does in a system call. The first one only where there is no other: event loops are there.
Sleeper find_sleeper(pid_t parent)
{
    sys::NumberedEntries threads(sys::ProcessPath(parent, "task").c_string());
    Blocker blocker{"it has gone"};
    bool first_sleeps = false;
    for (int thread = threads.next(); thread >= 0; thread = threads.next()) {
        const auto stat = sys::read_stat(thread);
        if (stat.value.is_of_kernel) {
            continue; // it would never come to the call
        }
        switch (stat.value.state) {
        case 'S':
            if (thread != parent) {
                return {thread, {}};
            }
            first_sleeps = true;
            break;
        case 'T':
            blocker = {"it is stopped"};
            break;
        case 't':
            blocker = {"it is being traced"};
            break;
        case 'D':
            blocker = {"it is in an uninterruptible sleep", 0, true};
            break;
        default:
            blocker = {"it is busy: no thread of it waits in a system call", 0, true};
        }
    }
    return first_sleeps ? Sleeper{parent, {}} : Sleeper{0, blocker};
}

// A filter may answer a call with death. One that foster is under, too, allows it to wait; another one is not known.
bool has_own_seccomp(pid_t parent)
{
    const pid_t self = ::getpid();
    const auto mode = sys::number_in_status(parent, "Seccomp");
    return mode > 0 &&
           (mode != sys::number_in_status(self, "Seccomp") ||
            sys::number_in_status(parent, "Seccomp_filters") != sys::number_in_status(self, "Seccomp_filters"));
}

} // namespace

Blocker RemoteWait::precheck(pid_t parent, bool trusts_seccomp)
{
    if (parent == 0) {
        return {"it is outside this PID namespace"};
    }
    if (!trusts_seccomp && has_own_seccomp(parent)) {
        return {"it is under a seccomp filter that foster is not, which might kill it; --reap-zombies=PID dares it"};
    }
    return find_sleeper(parent).blocker;
}

Blocker RemoteWait::begin(pid_t parent, std::span<const pid_t> zombies, bool trusts_seccomp)
{
    const auto blocker = precheck(parent, trusts_seccomp);
    const auto sleeper = blocker ? Sleeper{0, blocker} : find_sleeper(parent);
    if (sleeper.blocker) {
        return sleeper.blocker;
    }
    parent_ = parent;
    thread_ = sleeper.thread;
    count_ = std::min(zombies.size(), MAX_ZOMBIES);
    std::copy_n(zombies.begin(), count_, zombies_.begin());
    user_ = static_cast<uid_t>(sys::number_in_status(parent, "Uid"));
    group_ = static_cast<gid_t>(sys::number_in_status(parent, "Gid"));
    instruction_ = cpu::USES_OWN_CALL ? 0 : call_offset();
    has_ids_ = false;
    is_given_up_ = false;
#ifdef __SANITIZE_ADDRESS__
    __asan_unpoison_memory_region(stack_.data(), stack_.size()); // the last worker has not returned from its frames
#endif
    const long started = cpu::start_thread(stack_, work, this, worker_);
    return started < 0 ? Blocker{"no thread can be made to trace it", sys::error_of(started), true} : Blocker{};
}

void RemoteWait::work(void* visit)
{
    static_cast<RemoteWait*>(visit)->make();
    sys::raw_call(SYS_exit, 0);
}

bool RemoteWait::is_running()
{
    if (worker_ != 0 || helper_.is_busy()) {
        return true;
    }
    if (!wants_ids()) {
        return false;
    }
    has_ids_ = true;
    const auto started = helper_.start(-1, [this](int /*none*/) {
        make();
        return 0;
    });
    return static_cast<bool>(started);
}

void RemoteWait::look_after_helper()
{
    if (is_given_up_ && helper_.is_busy()) {
        const auto parent = sys::read_stat(parent_);
        // foster would not be told of the end of one that a helper traces.
        !parent || parent.value.has_exited() ? helper_.kill() : helper_.resume();
    }
}

// A root without CAP_SYS_PTRACE may trace another user's process only as that user.
bool RemoteWait::wants_ids() const
{
    return blocker_.error == EPERM && !has_ids_ && !is_given_up_ && ::geteuid() == 0 && user_ != 0;
}

// In the worker or the helper.
void RemoteWait::make()
{
    start_ = sys::monotonic_now();
    answered_ = 0;
    step_ = Step::SEIZED;
    passed_on_ = 0;
    blocker_ = has_ids_ && !sys::borrow_ids(user_, group_) ? blocker_ : attach();
    if (wants_ids() && ::getpid() == 1 && sys::borrow_ids(user_, group_)) {
        has_ids_ = true;
        blocker_ = attach();
    }
    if (blocker_) {
        blocker_.passing = sys::read_stat(thread_).value.state != 'S'; // it may just have ended
    } else {
        is_traced_ = true;
        follow();
        is_traced_ = false;
    }
    end_ = sys::monotonic_now();
}

// Not by a wait that blocks: it would have to be interrupted. Most stops come at once.
void RemoteWait::follow()
{
    constexpr int YIELDS = 20;
    constexpr int SHORT_NAPS = 10'000; // a second in all
    constexpr sys::Nanoseconds SHORT_NAP = 100'000;
    constexpr sys::Nanoseconds LONG_NAP = 100'000'000;
    bool is_let_go = false;
    for (int looks = 0; thread_ != 0; ++looks) {
        const int passed_on = passed_on_.exchange(0);
        if (const int status = passed_on != 0 ? passed_on : sys::stop_of_traced(thread_)) {
            take(status);
            looks = 0;
        } else if (is_given_up_ && !is_let_go) {
            is_let_go = true;
            release();
        } else if (looks < YIELDS) {
            (void)sys::raw_call(SYS_sched_yield);
        } else {
            sys::nap(looks < SHORT_NAPS ? SHORT_NAP : LONG_NAP);
        }
    }
}

void RemoteWait::release()
{
    // One in a frozen cgroup does not run, but it stops, which gives it its registers back.
    (void)sys::trace_interrupt(thread_);
    if (step_ != Step::SEIZED) {
        blocker_ = {"its thread does not run: its cgroup may be frozen"};
    }
}

const char* RemoteWait::why_stuck() const
{
    return is_traced_ ? "its thread does not stop"
                      : "the kernel does not come to trace it: it may be in an execve that does not end";
}

bool RemoteWait::pass_on(const sys::Reaped& stopped)
{
    const bool is_own = worker_ != 0 && stopped.pid == thread_;
    if (is_own) {
        passed_on_ = stopped.status;
    }
    return is_own;
}

Blocker RemoteWait::attach()
{
    if constexpr (!cpu::USES_OWN_CALL) {
        const auto base = sys::vdso_of(thread_); // the parent's first one may have ended
        if (!base) {
            return {"it may not be traced", base.error == EACCES ? EPERM : base.error};
        }
        if (instruction_ == 0 || base.value == 0) {
            return {"it is a 32-bit process, or has no vdso"};
        }
        vdso_ = base.value;
    }
    if (const auto seized = sys::trace_seize(thread_); !seized) {
        return {"it may not be traced", seized.error};
    }
    if constexpr (cpu::USES_OWN_CALL) {
        asleep_ = cpu::read_asleep(thread_);
    }
    // Refused only where it has gone, which wait will tell.
    (void)sys::trace_interrupt(thread_);
    return {};
}

void RemoteWait::take(int status)
{
    if (status < 0 || !WIFSTOPPED(status)) {
        blocker_ = {"it has gone", 0, true}; // maybe this thread alone
        thread_ = 0;
        return;
    }
    const int signal = WSTOPSIG(status);
    const bool asked_for = status >> 16 == PTRACE_EVENT_STOP && signal == SIGTRAP;
    if (go_on(signal, asked_for)) {
        return;
    }
    // What a filter, or a dispatch of calls to the process itself (Wine has one), says to a call that the thread has not made.
    const bool is_of_call = step_ != Step::SEIZED && signal == SIGSYS && sys::is_forced_signal(thread_);
    if (is_of_call) {
        blocker_ = {"its system calls are caught, wait4 too"};
    } else if (answered_ < count_ && !blocker_) {
        blocker_ = {"signals interrupt it again and again", 0, true};
    }
    // Here the thread is where the kernel looks for signals, and thereafter at whether the interrupted call is to be begun again.
    if (step_ != Step::SEIZED) {
        if constexpr (cpu::USES_OWN_CALL) {
            if (answered_ > 0) {
                cpu::begin_again(saved_, asleep_); // as the kernel has, but with the call's own arguments
            }
        }
        (void)sys::write_registers(thread_, std::span(saved_).first(cpu::register_bytes() / sizeof saved_[0]));
    }
    (void)sys::trace_detach(thread_, is_of_call ? 0 : signal_to_deliver(status));
    thread_ = 0;
}

// Whether the visit goes on from a stop.
bool RemoteWait::go_on(int signal, bool asked_for)
{
    if (signal == STOP_IN_CALL) {
        return step_ == Step::ENTERING ? enter_call() : finish_call();
    }
    // A signal, or a stop of the whole process, ends the visit early: it must find the thread as it was.
    if (asked_for && step_ == Step::SEIZED) {
        return !is_given_up_ && start_calls();
    }
    return cpu::USES_OWN_CALL && asked_for && !is_given_up_ && answered_ < count_ && call();
}

bool RemoteWait::start_calls()
{
    const auto size = sys::read_registers(thread_, saved_);
    if (size.error == ESRCH) {
        return true; // it has been killed, which wait will tell
    }
    if (!size) {
        blocker_ = {"its registers cannot be read", size.error};
        return false;
    }
    if (size.value != cpu::register_bytes()) {
        blocker_ = {"it is a 32-bit process"};
        return false;
    }
    if (!comes_from_call(saved_, asleep_)) {
        blocker_ = {"it is busy: no thread of it waits in a system call", 0, true};
        return false;
    }
    if constexpr (!cpu::USES_OWN_CALL) {
        const auto wanted = cpu::call_instruction();
        const auto code = sys::read_word(thread_, vdso_ + instruction_);
        if (!code || std::memcmp(&code.value, wanted.data(), wanted.size()) != 0) {
            // Not to be read: maybe it has been killed, and its memory goes before it.
            blocker_ = {"its vdso is not the kernel's own", 0, !code};
            return false;
        }
        cpu::begin_again_after_stop(saved_);
    }
    return call();
}

bool RemoteWait::call()
{
    auto registers = saved_;
    if constexpr (cpu::USES_OWN_CALL) {
        cpu::begin_again(registers, asleep_);
    } else {
        cpu::set_wait4(registers, vdso_ + instruction_, zombies_[answered_]);
    }
    step_ = Step::ENTERING;
    const auto words = std::span(registers).first(cpu::register_bytes() / sizeof registers[0]);
    return sys::write_registers(thread_, words) && sys::trace_resume(thread_, true);
}

bool RemoteWait::enter_call()
{
    step_ = Step::LEAVING;
    if constexpr (cpu::USES_OWN_CALL) {
        if (!cpu::replace_by_wait4(thread_, zombies_[answered_])) {
            step_ = Step::SEIZED; // it is as it was
            return false;
        }
    }
    (void)sys::trace_resume(thread_, true);
    return true;
}

// At the end of a call: the next one, or back to where signals are looked for.
bool RemoteWait::finish_call()
{
    cpu::Registers registers{};
    const auto read = sys::read_registers(thread_, registers);
    if (read.error == ESRCH) {
        return true; // likewise
    }
    const long answer = read ? cpu::answer(registers) : -read.error;
    if (answer == SYS_wait4 && answer != zombies_[answered_]) {
        // A filter has caught the call, and left its number where the answer would be. Its SIGSYS is the next stop.
        step_ = Step::RETURNING;
        (void)sys::trace_resume(thread_, false);
        return true;
    }
    answers_[answered_++] = answer;
    if (!read) {
        count_ = answered_; // no further call: back to where it can be let go
    } else if constexpr (cpu::USES_OWN_CALL) {
        cpu::set_interrupted(registers, saved_);
        (void)sys::write_registers(thread_, std::span(registers).first(cpu::register_bytes() / sizeof registers[0]));
    } else if (answered_ < count_) {
        return call();
    }
    step_ = Step::RETURNING;
    (void)sys::trace_interrupt(thread_);
    (void)sys::trace_resume(thread_, false);
    return true;
}

void let_go(pid_t thread, int status)
{
    (void)sys::trace_detach(thread, signal_to_deliver(status));
}

} // namespace foster
