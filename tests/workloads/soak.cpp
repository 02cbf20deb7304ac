// soak ORPHANS SIGNALS: makes ORPHANS orphans that exit at once, while another process sends SIGNALS queued signals to
// its parent, foster, which come back to it; prints READY before that, and at the end how many of the signals came, if
// each came in its turn with its value. Then waits for SIGTERM.
#include "workload.hpp"

#include <atomic>
#include <csignal>
#include <ctime>
#include <new>
#include <sys/mman.h>
#include <sys/wait.h>

namespace
{

constexpr int SIGNAL = 40;
constexpr long WINDOW = 10'000; // on their way; where a user's queue is full, RLIMIT_SIGPENDING, values are lost

// As fast as they come.
void send(pid_t foster, long count, const std::atomic<long>& came)
{
    for (long sent = 1; sent <= count;) {
        if (sent - came > WINDOW) {
            usleep(100);
            continue;
        }
        sigval value{};
        value.sival_ptr = reinterpret_cast<void*>(sent);
        if (sigqueue(foster, SIGNAL, value) == 0) {
            ++sent;
        } else {
            die("sigqueue");
        }
    }
    _exit(0);
}

// Each by a parent that exits before it, so that foster gets both: the parent is waited for here.
void make_orphans(long count)
{
    constexpr int BATCH = 50;
    for (long made = 0; made < count; made += BATCH) {
        const pid_t parent = fork();
        if (parent == 0) {
            for (long left = count - made < BATCH ? count - made : BATCH; left > 0; --left) {
                if (fork() == 0) {
                    _exit(0);
                }
            }
            _exit(0);
        }
        if (parent < 0) {
            die("fork");
        }
        waitpid(parent, nullptr, 0);
    }
    _exit(0);
}

pid_t start(void (*body)(long), long argument)
{
    const pid_t pid = fork();
    if (pid == 0) {
        body(argument);
    }
    return pid;
}

} // namespace

int main(int /*count*/, char** arguments)
{
    const long orphans = atol(arguments[1]);
    const long signals = atol(arguments[2]);
    set_signal_mask(ALL_SIGNALS);
    puts("READY");
    fflush(stdout);
    siginfo_t info{};
    // The figures of before are taken then.
    while (syscall(SYS_rt_sigtimedwait, &ALL_SIGNALS, &info, nullptr, sizeof ALL_SIGNALS) != SIGUSR1) {
    }
    auto* const came =
        new (mmap(nullptr, sizeof(std::atomic<long>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
            std::atomic<long>(0);
    const pid_t maker = start(make_orphans, orphans);
    const pid_t foster = getppid();
    const pid_t sender = fork();
    if (sender == 0) {
        send(foster, signals, *came);
    }
    long next = 1;
    while (next <= signals) {
        if (syscall(SYS_rt_sigtimedwait, &ALL_SIGNALS, &info, nullptr, sizeof ALL_SIGNALS) == SIGNAL) {
            if (reinterpret_cast<long>(info.si_value.sival_ptr) != next) {
                printf("signal %ld came where %ld was due\n", reinterpret_cast<long>(info.si_value.sival_ptr), next);
                return 1;
            }
            *came = next++;
        }
    }
    int status = 0;
    waitpid(sender, nullptr, 0);
    waitpid(maker, &status, 0);
    printf("%ld orphans made, %ld signals came, in order, the maker's status %d\n", orphans, next - 1, status);
    fflush(stdout);
    while (syscall(SYS_rt_sigtimedwait, &ALL_SIGNALS, &info, nullptr, sizeof ALL_SIGNALS) != SIGTERM) {
    }
    return 0;
}
