// workload [neglect]: what foster runs under a fault. Makes zombies, waits until foster has reaped them, sends foster
// signals and waits for each to come back, with "neglect" has a child that it does not wait for until that is gone,
// leaves two processes, and exits with 7. Prints "started", one line for each of these that has not happened in time,
// and "done".
#include "../workloads/workload.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <initializer_list>
#include <sys/wait.h>

namespace
{

constexpr int PATIENCE = 3; // s, for one step

// Both processes are forked by one that exits, so foster adopts them.
template <typename Body> void make_orphans(int count, Body body)
{
    const pid_t middle = fork();
    if (middle == 0) {
        for (int made = 0; made < count; ++made) {
            if (fork() == 0) {
                body();
                _exit(3);
            }
        }
        _exit(0);
    }
    waitpid(middle, nullptr, 0);
}

// Zombies among foster's children.
int count_zombies()
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", getppid(), getppid());
    FILE* children = fopen(path, "r");
    int zombies = 0;
    for (int child = 0; children != nullptr && fscanf(children, "%d", &child) == 1;) {
        snprintf(path, sizeof path, "/proc/%d/stat", child);
        FILE* stat = fopen(path, "r");
        char state = 0;
        zombies += stat != nullptr && fscanf(stat, "%*d (%*[^)]) %c", &state) == 1 && state == 'Z';
        if (stat != nullptr) {
            fclose(stat);
        }
    }
    if (children == nullptr) {
        die(path);
    }
    fclose(children);
    return zombies;
}

template <typename Condition> bool comes_true(Condition holds)
{
    constexpr timespec NAP{0, 2'000'000};
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    for (const auto end = now.tv_sec + PATIENCE; !holds(); clock_gettime(CLOCK_MONOTONIC, &now)) {
        if (now.tv_sec > end) {
            return false;
        }
        nanosleep(&NAP, nullptr);
    }
    return true;
}

// All at once, with one SIGCHLD, where foster can be stopped: as PID 1 it cannot.
void make_zombies()
{
    constexpr int COUNT = 10;
    const bool stops = getppid() != 1;
    if (stops) {
        kill(getppid(), SIGSTOP);
    }
    make_orphans(COUNT, [] {});
    if (stops) {
        comes_true([] { return count_zombies() >= COUNT; });
        kill(getppid(), SIGCONT);
    }
}

// Sends foster a signal and waits for it to come back. Real-time signals have a value.
void send_and_receive(int signal)
{
    constexpr timespec LIMIT{PATIENCE, 0};
    siginfo_t sent{};
    sent.si_signo = signal;
    sent.si_code = SI_QUEUE;
    sent.si_pid = getpid();
    sent.si_value.sival_int = 1000 + signal;
    const bool has_value = signal > SIGSYS;
    const long answer = has_value ? syscall(SYS_rt_sigqueueinfo, getppid(), signal, &sent) : kill(getppid(), signal);
    if (answer != 0) {
        die("send");
    }
    siginfo_t got{};
    const std::uint64_t wanted = bit_of(signal);
    if (syscall(SYS_rt_sigtimedwait, &wanted, &got, &LIMIT, sizeof wanted) != signal) {
        printf("signal %d lost\n", signal);
    } else if (has_value && got.si_value.sival_int != 1000 + signal) {
        printf("value lost\n");
    }
}

void be_neglected()
{
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(3);
    }
    if (!comes_true([pid] { return kill(pid, 0) != 0; })) {
        puts("neglected zombie left");
    }
}

} // namespace

int main(int count, char** arguments)
{
    setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
    set_signal_mask(ALL_SIGNALS);
    puts("started");
    make_zombies();
    if (!comes_true([] { return count_zombies() == 0; })) {
        printf("%d zombies left\n", count_zombies());
    }
    for (const int signal : {SIGUSR1, SIGUSR2, SIGHUP, SIGTERM, 34, 40}) {
        send_and_receive(signal);
    }
    if (count > 1 && strcmp(arguments[1], "neglect") == 0) {
        be_neglected();
        int ready[2];
        char byte;
        if (pipe(ready) != 0) {
            die("pipe");
        }
        make_orphans(2, [&ready] {
            (void)!write(ready[1], "x", 1);
            pause();
        });
        if (read(ready[0], &byte, 1) + read(ready[0], &byte, 1) != 2) {
            die("read");
        }
    }
    puts("done");
    return 7;
}
