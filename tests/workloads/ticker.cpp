// ticker COMMAND...: runs a command eight times, every 300 ms, and waits for none of them. Two seconds after the last
// one's end it prints how often somebody has sent it SIGCHLD, and how many children are left to be waited for.
#include "workload.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <sys/wait.h>

namespace
{

constexpr int TICKS = 8;
constexpr long INTERVAL = 300'000'000; // ns

std::atomic<int> nudges;

void handle(int, siginfo_t* info, void*)
{
    nudges += info->si_code == SI_USER ? 1 : 0;
}

void sleep_for(timespec left)
{
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

} // namespace

int main(int, char** arguments)
{
    struct sigaction action {
    };
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigaction(SIGCHLD, &action, nullptr);
    pid_t children[TICKS];
    for (int tick = 0; tick < TICKS; ++tick) {
        children[tick] = fork();
        if (children[tick] == 0) {
            exec_rest(arguments + 1);
        }
        sleep_for({0, INTERVAL});
    }
    for (const pid_t child : children) {
        siginfo_t ended;
        waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT);
    }
    sleep_for({2, 0});
    int left = 0;
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
        ++left;
    }
    printf("%d nudges, %d left\n", nudges.load(), left);
    return 0;
}
