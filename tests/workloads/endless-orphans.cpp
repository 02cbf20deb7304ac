// endless-orphans LIVING MAKERS: makes LIVING orphans that stay and MAKERS that go on making ones that die at once, for 30 s at the
// most. Prints READY, and ends with 5 on SIGTERM.
#include "workload.hpp"

#include <csignal>
#include <ctime>
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

void make_orphans()
{
    const time_t end = time(nullptr) + 30;
    while (time(nullptr) < end) {
        const pid_t middle = fork();
        if (middle == 0) {
            _exit(fork() < 0 ? 1 : 0);
        }
        waitpid(middle, nullptr, 0);
    }
}

} // namespace

int main(int /*count*/, char** arguments)
{
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, nullptr);
    start_orphans(atoi(arguments[1]), [] { pause(); });
    start_orphans(atoi(arguments[2]), make_orphans);
    puts("READY");
    fflush(stdout);
    int received = 0;
    sigwait(&term, &received);
    return 5;
}
