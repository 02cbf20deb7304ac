// neglect COUNT HOW [SECONDS [LATENESS]]: has COUNT children that end with 3 and are not waited for, prints READY, then sleeps for two
// seconds, or for so many, HOW (nanosleep, until: a point in time, poll, epoll, futex, read, pause: until SIGALRM, thread: another one sleeps and
// the first one waits for it), or burns CPU for so long; leader: has one more child, whose first thread has ended and another one lives.
// Prints how that has ended, whether the time was right (less than 200 ms too late, or than so many), and how many children were still
// there to be waited for.
#include "workload.hpp"

#include <cerrno>
#include <climits>
#include <csignal>
#include <ctime>
#include <linux/futex.h>
#include <poll.h>
#include <string_view>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <thread>

namespace
{

int sleep_time = 2000; // ms

long long milliseconds()
{
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1'000'000;
}

// Another process that writes a byte when the time is over.
int read_end_of_alarm()
{
    int ends[2];
    if (pipe(ends) != 0) {
        die("pipe");
    }
    if (fork() == 0) {
        usleep(static_cast<useconds_t>(sleep_time) * 1000);
        if (write(ends[1], "!", 1) != 1) {
            die("write");
        }
        _exit(0);
    }
    return ends[0];
}

long sleep_by(std::string_view how)
{
    const timespec time{sleep_time / 1000, 0};
    if (how == "nanosleep" || how == "leader") {
        return nanosleep(&time, nullptr);
    }
    if (how == "until") {
        timespec end{};
        clock_gettime(CLOCK_MONOTONIC, &end);
        end.tv_sec += time.tv_sec;
        return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nullptr);
    }
    if (how == "pause") {
        signal(SIGALRM, [](int) {});
        alarm(static_cast<unsigned>(sleep_time / 1000));
        return pause();
    }
    if (how == "poll") {
        return poll(nullptr, 0, sleep_time);
    }
    if (how == "epoll") {
        epoll_event event{EPOLLIN, {}};
        const int set = epoll_create1(0);
        epoll_ctl(set, EPOLL_CTL_ADD, read_end_of_alarm(), &event);
        return epoll_wait(set, &event, 1, -1);
    }
    if (how == "futex") {
        int word = 0;
        return syscall(SYS_futex, &word, FUTEX_WAIT, 0, &time, nullptr, 0);
    }
    if (how == "read") {
        char byte;
        return read(read_end_of_alarm(), &byte, 1);
    }
    if (how == "thread") {
        std::thread([&time] { nanosleep(&time, nullptr); }).join();
        return 0;
    }
    for (const long long end = milliseconds() + sleep_time;
         milliseconds() < end;) { // burn; the clock is read without the kernel
    }
    return 0;
}

} // namespace

int main(int argument_count, char** arguments)
{
    if (argument_count > 3) {
        sleep_time = atoi(arguments[3]) * 1000;
    }
    const int most_lateness = argument_count > 4 ? atoi(arguments[4]) : 200;
    const int count = atoi(arguments[1]);
    if (std::string_view(arguments[2]) == "leader" && fork() == 0) {
        std::thread([] { sleep(5); }).detach();
        syscall(SYS_exit, 0); // of this thread alone
    }
    for (int made = 0; made < count; ++made) {
        const pid_t pid = fork();
        if (pid == 0) {
            _exit(3);
        }
        if (pid < 0) {
            die("fork");
        }
    }
    puts("READY");
    fflush(stdout);
    const long long start = milliseconds();
    errno = 0;
    const long result = sleep_by(arguments[2]);
    const int error = errno;
    const long long late = milliseconds() - start - sleep_time;
    int statuses = 0;
    int status = 0;
    while (waitpid(-1, &status, WNOHANG) > 0) {
        statuses += WIFEXITED(status) && WEXITSTATUS(status) == 3 ? 1 : 0;
    }
    printf("%ld errno %d %s, %d left\n", result, error, late >= -1 && late < most_lateness ? "in time" : "not in time",
           statuses);
    return 0;
}
