// orphan-cost LIVING DEATHS [storm]: run as the child of an init, makes LIVING orphans and then lets DEATHS more die,
// one after the other (each is reaped before the next one dies) or all at once. Prints the init's CPU time per death,
// in nanoseconds.
#include "../workloads/workload.hpp"

#include <csignal>
#include <cstring>
#include <ctime>
#include <sys/wait.h>

namespace
{

constexpr int BATCH = 100;

// Nanoseconds that the parent has spent on a CPU, from its schedstat.
long long parent_cpu()
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/schedstat", getppid());
    FILE* file = fopen(path, "r");
    long long spent = 0;
    if (file == nullptr || fscanf(file, "%lld", &spent) != 1) {
        die(path);
    }
    fclose(file);
    return spent;
}

// Forks once; the middle process makes the orphans and ends, which re-parents them. Orphans with a pipe to read from
// live until it is closed. The pid of the last orphan is returned.
pid_t make_orphans(int count, int lifeline)
{
    int told[2];
    if (pipe(told) != 0) {
        die("pipe");
    }
    const pid_t middle = fork();
    if (middle == 0) {
        pid_t last = 0;
        for (int made = 0; made < count; ++made) {
            last = fork();
            if (last < 0) {
                die("fork");
            }
            if (last == 0) {
                char byte;
                if (lifeline >= 0) {
                    while (read(lifeline, &byte, 1) < 0) {
                    }
                }
                _exit(0);
            }
        }
        if (write(told[1], &last, sizeof last) != sizeof last) {
            die("write");
        }
        _exit(0);
    }
    pid_t last = 0;
    if (middle < 0 || read(told[0], &last, sizeof last) != sizeof last) {
        die("fork");
    }
    close(told[0]);
    close(told[1]);
    waitpid(middle, nullptr, 0);
    return last;
}

void nap()
{
    const timespec a_little{0, 200'000};
    nanosleep(&a_little, nullptr);
}

// Until the parent has spent no CPU for 100 ms: it has reaped what there was, and rests.
void wait_for_rest()
{
    long long before = -1;
    for (long long now = parent_cpu(); now != before; now = parent_cpu()) {
        before = now;
        const timespec a_while{0, 100'000'000};
        nanosleep(&a_while, nullptr);
    }
}

} // namespace

int main(int count, char** arguments)
{
    const int living = atoi(arguments[1]);
    const int deaths = atoi(arguments[2]);
    const bool storm = count > 3;
    int lifeline[2];
    if (pipe(lifeline) != 0) {
        die("pipe");
    }
    for (int made = 0; made < living; made += BATCH) {
        make_orphans(BATCH, lifeline[0]);
    }
    wait_for_rest();
    const long long before = parent_cpu();
    for (int died = 0; died < deaths; died += storm ? BATCH : 1) {
        if (storm) {
            make_orphans(BATCH, -1);
            continue;
        }
        // Alive while it is re-parented, as an orphan is; then it dies alone.
        int own_line[2];
        if (pipe(own_line) != 0) {
            die("pipe");
        }
        const pid_t orphan = make_orphans(1, own_line[0]);
        kill(orphan, SIGKILL);
        while (kill(orphan, 0) == 0) {
            nap();
        }
        close(own_line[0]);
        close(own_line[1]);
    }
    if (storm) {
        wait_for_rest();
    }
    printf("%lld\n", (parent_cpu() - before) / deaths);
    return 0; // the living read the end of their lifeline
}
