// ticker COMMAND...: runs a command eight times, every 300 ms, and waits for none of them. Prints how often somebody has sent it SIGCHLD,
// and how many children were left to be waited for in the end.
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

} // namespace

int main(int, char** arguments)
{
    struct sigaction action {
    };
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigaction(SIGCHLD, &action, nullptr);
    for (int tick = 0; tick < TICKS; ++tick) {
        if (fork() == 0) {
            exec_rest(arguments + 1);
        }
        timespec left{0, INTERVAL};
        while (nanosleep(&left, &left) != 0 && errno == EINTR) {
        }
    }
    int left = 0;
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
        ++left;
    }
    printf("%d nudges, %d left\n", nudges.load(), left);
    return 0;
}
