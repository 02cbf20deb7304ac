// round-trip COUNT: run as the child of an init, sends it SIGUSR1 and waits for what it forwards, COUNT times. Prints
// the nanoseconds of one round trip.
#include "../workloads/workload.hpp"

#include <csignal>
#include <ctime>

namespace
{

long long now()
{
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

} // namespace

int main(int /*count*/, char** arguments)
{
    const int count = atoi(arguments[1]);
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGUSR1);
    sigprocmask(SIG_BLOCK, &wanted, nullptr);
    const long long start = now();
    for (int left = count; left > 0; --left) {
        int received = 0;
        kill(getppid(), SIGUSR1);
        sigwait(&wanted, &received);
    }
    printf("%lld\n", (now() - start) / count);
    return 0;
}
