// endless-orphans LIVING MAKERS: makes LIVING orphans that stay and MAKERS that go on making ones that die at once, for
// 30 s at the most. In the midst of that it sends its parent SIGTERM and waits for it to come back: ends with 5, or
// with 6 where that took 10 s.
#include "workload.hpp"

#include <atomic>
#include <csignal>
#include <ctime>
#include <new>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>

namespace
{

// Re-parented to whoever adopts orphans.
template <typename Body> void start_orphans(int count, Body body)
{
    const pid_t middle = fork();
    if (middle == 0) {
        for (int made = 0; made < count; ++made) {
            const pid_t orphan = fork();
            if (orphan < 0) {
                die("fork");
            }
            if (orphan == 0) {
                body();
                _exit(0);
            }
        }
        _exit(0);
    }
    waitpid(middle, nullptr, 0);
}

std::atomic<int>* made_orphans; // shared by all

void take_a_nap()
{
    const timespec nap{0, 1'000'000};
    nanosleep(&nap, nullptr);
}

void make_orphans()
{
    constexpr int MOST_PROCESSES = 16000; // the machine has other tasks
    const time_t end = time(nullptr) + 30;
    while (time(nullptr) < end) {
        struct sysinfo now;
        if (sysinfo(&now) == 0 && now.procs > MOST_PROCESSES) {
            take_a_nap();
            continue;
        }
        const pid_t middle = fork();
        if (middle == 0) {
            _exit(fork() < 0 ? 1 : 0);
        }
        waitpid(middle, nullptr, 0);
        ++*made_orphans;
    }
}

} // namespace

int main(int /*count*/, char** arguments)
{
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, nullptr);
    void* shared = mmap(nullptr, sizeof *made_orphans, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        die("mmap");
    }
    made_orphans = new (shared) std::atomic<int>(0);
    start_orphans(atoi(arguments[1]), [] { pause(); });
    start_orphans(atoi(arguments[2]), make_orphans);
    while (*made_orphans < 200) {
        take_a_nap();
    }
    const time_t sent = time(nullptr);
    kill(getppid(), SIGTERM);
    int received = 0;
    sigwait(&term, &received);
    return time(nullptr) - sent < 10 ? 5 : 6;
}
