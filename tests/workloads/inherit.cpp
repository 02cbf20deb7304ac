// inherit [block N | ignore N | close N]... -- COMMAND...: runs COMMAND with signals blocked or ignored, or descriptors closed.
#include "workload.hpp"

#include <csignal>
#include <string_view>

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
        }
    }
    set_signal_mask(blocked);
    exec_rest(arguments + 1);
}
