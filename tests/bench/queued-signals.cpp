// queued-signals COUNT: run as the child of an init, queues COUNT real-time signals with values to it and waits for
// what it forwards. Prints the nanoseconds of one signal, how many have arrived, and how many of them with their value.
#include "../workloads/workload.hpp"

#include <cerrno>
#include <csignal>
#include <ctime>
#include <sched.h>

int main(int /*count*/, char** arguments)
{
    const int count = atoi(arguments[1]);
    const int number = SIGRTMIN + 1;
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, number);
    sigprocmask(SIG_BLOCK, &wanted, nullptr);
    int sent = 0;
    int arrived = 0;
    int with_value = 0;
    const long long start = monotonic_now();
    long long last = start;
    while (arrived < count) {
        sigval value{};
        value.sival_int = sent + 1;
        if (sent < count && sigqueue(getppid(), number, value) == 0) {
            ++sent;
        } else if (sent < count && errno != EAGAIN) {
            die("sigqueue");
        }
        const timespec limit{sent < count ? 0 : 1, 0}; // one that has not come a second later is lost
        siginfo_t info{};
        if (sigtimedwait(&wanted, &info, &limit) == number) {
            ++arrived;
            with_value += info.si_code == SI_QUEUE && info.si_value.sival_int == arrived;
            last = monotonic_now();
        } else if (sent == count) {
            break;
        }
    }
    printf("%lld %d %d\n", (last - start) / (arrived == 0 ? 1 : arrived), arrived, with_value);
    return 0;
}
