// round-trip COUNT: run as the child of an init, sends it SIGUSR1 and waits for what it forwards, COUNT times. Prints
// the nanoseconds of a round trip: the median and the 99th percentile.
#include "../workloads/workload.hpp"

#include <algorithm>
#include <csignal>
#include <vector>

int main(int /*count*/, char** arguments)
{
    std::vector<long long> times(static_cast<std::size_t>(atoi(arguments[1])));
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGUSR1);
    sigprocmask(SIG_BLOCK, &wanted, nullptr);
    for (auto& time : times) {
        int received = 0;
        const long long start = monotonic_now();
        kill(getppid(), SIGUSR1);
        sigwait(&wanted, &received);
        time = monotonic_now() - start;
    }
    std::sort(times.begin(), times.end());
    printf("%lld %lld\n", times[times.size() / 2], times[times.size() * 99 / 100]);
    return 0;
}
