// The tracer of a remote wait, a second thread of foster or a helper process, and the choice of the thread to trace.
#include "zombies/remote_wait.hpp"

#include "sys/privileges.hpp"
#include "sys/procfs.hpp"
#include "sys/raw_call.hpp"
#include "sys/tracing.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/syscall.h>
#include <unistd.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

namespace foster
{
namespace
{

struct Sleeper {
    pid_t thread = 0; // 0: none
    Blocker blocker;
};

// Finds a thread that sleeps, which is only possible in a system call. Prefers threads other than the first one, since
// event loops mostly are in the first.
Sleeper find_sleeper(pid_t parent)
{
    sys::NumberedEntries threads(sys::ProcessPath(parent, "task").c_string());
    Blocker blocker{"it has gone"};
    bool first_sleeps = false;
    for (int thread = threads.next(); thread >= 0; thread = threads.next()) {
        const auto stat = sys::read_stat(thread);
        if (stat.value.is_of_kernel) {
            continue; // a kernel thread of the process, e.g. of io_uring, never enters a system call
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
            blocker = {cpu::BUSY, 0, true};
        }
    }
    return first_sleeps ? Sleeper{parent, {}} : Sleeper{0, blocker};
}

// Whether the parent is under a seccomp filter that does not apply to foster. Such a filter might kill the parent for
// wait4. A filter that applies to both allows wait4, since foster uses it. That of --harden is foster's alone.
bool has_own_seccomp(pid_t parent)
{
    const auto state = sys::seccomp_of(parent);
    return state.mode > 0 && state != sys::inherited_seccomp();
}

} // namespace

Blocker RemoteWait::precheck(pid_t parent, bool trusts_seccomp)
{
    if (parent == 0) {
        return {"it is outside this PID namespace"};
    }
    if (!trusts_seccomp && has_own_seccomp(parent)) {
        return {"it is under a seccomp filter that foster is not, which might kill it; --reap-zombies=PID risks it"};
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
    traced_thread_ = sleeper.thread;
    count_ = std::min(zombies.size(), MAX_ZOMBIES);
    std::copy_n(zombies.begin(), count_, zombies_.begin());
    user_ = static_cast<uid_t>(sys::number_in_status(parent, "Uid"));
    group_ = static_cast<gid_t>(sys::number_in_status(parent, "Gid"));
    has_ids_ = false;
    is_given_up_ = false;
#ifdef __SANITIZE_ADDRESS__
    __asan_unpoison_memory_region(stack_.data(), stack_.size()); // the previous tracer did not return from its frames
#endif
    const long started = cpu::start_thread(stack_, run_in_thread, this, tracer_);
    return started < 0 ? Blocker{"no thread can be made to trace it", sys::error_of(started), true} : Blocker{};
}

void RemoteWait::run_in_thread(void* remote_wait)
{
    static_cast<RemoteWait*>(remote_wait)->run();
    sys::raw_call(SYS_exit, 0);
}

bool RemoteWait::is_running()
{
    if (tracer_ != 0 || helper_.is_busy()) {
        return true;
    }
    if (!needs_ids()) {
        return false;
    }
    has_ids_ = true;
    const auto started = helper_.start(-1, [this](int /*none*/) {
        run();
        return 0;
    });
    return static_cast<bool>(started);
}

void RemoteWait::look_after_helper()
{
    if (is_given_up_ && helper_.is_busy()) {
        const auto parent = sys::read_stat(parent_);
        // While the helper traces the parent, foster gets no SIGCHLD for its exit.
        !parent || parent.value.has_exited() ? helper_.kill() : helper_.resume();
    }
}

// root without CAP_SYS_PTRACE may trace a process of another user only with the IDs of that user.
bool RemoteWait::needs_ids() const
{
    return blocker_.error == EPERM && !has_ids_ && !is_given_up_ && ::geteuid() == 0 && user_ != 0;
}

// The tracer: runs in the second thread or in the helper.
void RemoteWait::run()
{
    start_ = sys::monotonic_now();
    answered_ = 0;
    step_ = Step::SEIZED;
    passed_on_ = 0;
    blocker_ = has_ids_ && !sys::borrow_ids(user_, group_) ? blocker_ : attach();
    if (needs_ids() && ::getpid() == 1 && sys::borrow_ids(user_, group_)) {
        has_ids_ = true;
        blocker_ = attach();
    }
    if (blocker_) {
        // Temporary if the thread does not sleep: it may just have exited.
        blocker_.passing = sys::read_stat(traced_thread_).value.state != 'S';
    } else {
        is_traced_ = true;
        handle_stops();
        is_traced_ = false;
    }
    end_ = sys::monotonic_now();
}

// Polls, since a blocking wait would have to be interrupted for give_up(). Most stops come at once.
void RemoteWait::handle_stops()
{
    constexpr int YIELDS = 20;
    constexpr int SHORT_NAPS = 10'000; // one second in total
    constexpr sys::Nanoseconds SHORT_NAP = 100'000;
    constexpr sys::Nanoseconds LONG_NAP = 100'000'000;
    bool is_last_asked_for = false;
    for (int looks = 0; traced_thread_ != 0; ++looks) {
        const int passed_on = passed_on_.exchange(0);
        if (const int status = passed_on != 0 ? passed_on : sys::stop_of_traced(traced_thread_)) {
            handle_stop(status);
            looks = 0;
        } else if (is_given_up_ && !is_last_asked_for) {
            is_last_asked_for = true;
            ask_for_last_stop();
        } else if (looks < YIELDS) {
            (void)sys::raw_call(SYS_sched_yield);
        } else {
            sys::nap(looks < SHORT_NAPS ? SHORT_NAP : LONG_NAP);
        }
    }
}

void RemoteWait::ask_for_last_stop()
{
    // A thread in a frozen cgroup does not run, but it does stop, and then it gets its registers back.
    (void)sys::trace_interrupt(traced_thread_);
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
    const bool is_own = tracer_ != 0 && stopped.pid == traced_thread_;
    if (is_own) {
        passed_on_ = stopped.status;
    }
    return is_own;
}

} // namespace foster
