// inherit [block N | ignore N | raise N | close N | zombie N]... -- COMMAND...: runs COMMAND with signals blocked,
// ignored, or blocked and pending, with descriptors closed, with N zombies.
#include "workload.hpp"

#include <csignal>
#include <string_view>
#include <sys/wait.h>

namespace
{

void ignore(int signal)
{
    // The kernel's struct sigaction: the C library refuses the signals that it keeps for itself.
    struct {
        void (*handler)(int);
        unsigned long flags;
        void* restorer;
        std::uint64_t mask;
    } action{SIG_IGN, 0, nullptr, 0};
    if (syscall(SYS_rt_sigaction, signal, &action, nullptr, sizeof action.mask) != 0) {
        die("rt_sigaction");
    }
}

void make_zombies(int count)
{
    while (count-- > 0) {
        const pid_t pid = fork();
        if (pid == 0) {
            _exit(0);
        }
        siginfo_t info;
        waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
    }
}

} // namespace

int main(int /*count*/, char** arguments)
{
    std::uint64_t blocked = 0;
    for (++arguments; *arguments != nullptr && std::string_view(*arguments) != "--"; arguments += 2) {
        const std::string_view word = *arguments;
        const int number = atoi(arguments[1]);
        if (word == "block") {
            blocked |= bit_of(number);
        } else if (word == "ignore") {
            ignore(number);
        } else if (word == "close") {
            close(number);
        } else if (word == "raise") {
            blocked |= bit_of(number);
            set_signal_mask(blocked);
            kill(getpid(), number);
        } else if (word == "zombie") {
            make_zombies(number);
        }
    }
    set_signal_mask(blocked);
    exec_rest(arguments + 1);
}
