// signal-at-start pid1|subreaper COUNT COMMAND...: COUNT times, starts COMMAND and sends it SIGTERM at a random moment
// of the first 1.5 ms. Prints how often it ended how; one that does not end within 10 s is killed.
//
// SIGTERM is inherited as blocked: the kernel drops one that PID 1 neither blocks nor handles yet, and a workload may
// be killed by one before it can say so.
#include "workload.hpp"

#include <csignal>
#include <ctime>
#include <map>
#include <sched.h>
#include <string_view>
#include <sys/wait.h>

namespace
{

long microseconds()
{
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000 + now.tv_nsec / 1000;
}

// The wait(2) status of one run.
int run_once(char** command, long delay)
{
    const pid_t pid = fork();
    if (pid < 0) {
        die("fork");
    }
    if (pid == 0) {
        exec_rest(command);
    }
    const long start = microseconds();
    while (microseconds() - start < delay) {
    }
    kill(pid, SIGTERM);
    int status = 0;
    for (int tries = 0; waitpid(pid, &status, WNOHANG) == 0; ++tries) {
        const timespec nap{0, 100'000};
        nanosleep(&nap, nullptr);
        if (tries > 50'000) {
            kill(pid, SIGKILL);
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

} // namespace

int main(int /*count*/, char** arguments)
{
    const bool pid1 = std::string_view(arguments[1]) == "pid1";
    srandom(static_cast<unsigned>(getpid()));
    set_signal_mask(bit_of(SIGTERM));
    std::map<int, int> endings;
    for (int left = atoi(arguments[2]); left > 0; --left) {
        const long delay = random() % 1500;
        const pid_t helper = fork(); // a PID namespace is made for the children of its maker
        if (helper == 0) {
            if (pid1 && unshare(CLONE_NEWPID | (getuid() != 0 ? CLONE_NEWUSER : 0)) != 0) {
                die("unshare");
            }
            _exit(run_once(arguments + 3, delay));
        }
        int status = 0;
        waitpid(helper, &status, 0);
        ++endings[WEXITSTATUS(status)];
        if (WEXITSTATUS(status) == 128 + SIGKILL) {
            break; // lost; the others would take as long
        }
    }
    for (const auto& [ending, times] : endings) {
        printf("%d times %d\n", times, ending);
    }
    return 0;
}
