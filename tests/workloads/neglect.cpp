// neglect COUNT HOW [SECONDS [LATENESS]]: has COUNT children that end with 3 and are not waited for, prints READY, then
// sleeps for three seconds, or for so many, in the system call HOW, or burns CPU for so long. Prints how that has
// ended, whether the time was right (less than 900 ms too late, or than so many), and how many children were still
// there to be waited for.
//   loop: epoll_wait with a time limit, as an event loop calls it
//   until: a point in time
//   pause: until SIGALRM
//   ring: nanosleep, beside a sleeping thread of the kernel's own, which io_uring gives a process
//   completion: io_uring_enter, until the ring tells that a time is over
//   beside: epoll_wait with a time limit, that takes EINTR for a failure; another thread sleeps, too
//   vfork: until a child that shares its memory ends, which takes half of the time; then by nanosleep
//   thread: another one sleeps and the first one waits for it
//   brief: beside threads that sleep for a moment and end, one after the other
//   headless: its first thread has ended, and another one goes on
//   leader: has one more child, whose first thread has ended and another one lives
// neglect COUNT exec COMMAND...: becomes another program, which inherits the zombies.
#include "workload.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <ctime>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <string_view>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <thread>

namespace
{

int sleep_time = 3000; // ms
std::array<pid_t, 8192> children;

long long milliseconds()
{
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1'000'000;
}

// Another process that does something when the time is over.
template <class Action> void at_the_end(Action action)
{
    if (fork() == 0) {
        usleep(static_cast<useconds_t>(sleep_time) * 1000);
        if (action() < 0) {
            die("at the end");
        }
        _exit(0);
    }
}

// From which a byte can be read then.
int read_end_of_alarm()
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
        die("socketpair");
    }
    at_the_end([&ends] { return write(ends[1], "!", 1); });
    return ends[0];
}

// With a limit that is not reached: the kernel begins such a call again after no signal at all.
long receive()
{
    const int end = read_end_of_alarm();
    const timeval limit{sleep_time, 0};
    setsockopt(end, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    char byte;
    return recv(end, &byte, 1, 0);
}

long wait_for_semaphore()
{
    const int set = semget(IPC_PRIVATE, 1, 0600);
    static sembuf up{0, 1, 0};
    at_the_end([set] { return semop(set, &up, 1); });
    sembuf down{0, -1, 0};
    const long result = semop(set, &down, 1);
    semctl(set, 0, IPC_RMID);
    return result;
}

long wait_for_signal()
{
    set_signal_mask(bit_of(SIGUSR1));
    const pid_t self = getpid();
    at_the_end([self] { return kill(self, SIGUSR1); });
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    return sigwaitinfo(&set, nullptr);
}

long read_events()
{
    char directory[] = "/tmp/neglect.XXXXXX";
    if (mkdtemp(directory) == nullptr) {
        die("mkdtemp");
    }
    const int events = inotify_init1(0);
    inotify_add_watch(events, directory, IN_DELETE_SELF);
    at_the_end([&directory] { return rmdir(directory); });
    inotify_event event;
    return read(events, &event, sizeof event) > 0 ? 0 : -1;
}

// As libuv, libevent or Python's asyncio do it.
long run_event_loop()
{
    epoll_event event{};
    const int set = epoll_create1(0);
    const long long end = milliseconds() + sleep_time;
    for (long long left = sleep_time; left > 0; left = end - milliseconds()) {
        if (epoll_wait(set, &event, 1, static_cast<int>(left)) < 0 && errno != EINTR) {
            return -1;
        }
    }
    errno = 0;
    return 0;
}

long wait_for_completion()
{
    io_uring_params settings{};
    const int ring = static_cast<int>(syscall(SYS_io_uring_setup, 1, &settings));
    const auto map = [ring](off_t what, std::size_t size) {
        return static_cast<char*>(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, what));
    };
    char* const queue = map(IORING_OFF_SQ_RING, settings.sq_off.array + sizeof(unsigned));
    auto* const entry = reinterpret_cast<io_uring_sqe*>(map(IORING_OFF_SQES, sizeof(io_uring_sqe)));
    if (ring < 0 || queue == MAP_FAILED || entry == MAP_FAILED) {
        die("io_uring");
    }
    const __kernel_timespec time{sleep_time / 1000, 0};
    entry->opcode = IORING_OP_TIMEOUT;
    entry->addr = reinterpret_cast<std::uintptr_t>(&time);
    entry->len = 1;
    *reinterpret_cast<unsigned*>(queue + settings.sq_off.tail) = 1;
    syscall(SYS_io_uring_enter, ring, 1, 0, 0, nullptr, 0);
    return syscall(SYS_io_uring_enter, ring, 0, 1, IORING_ENTER_GETEVENTS, nullptr, 0);
}

long wait_beside_thread()
{
    std::thread([] { pause(); }).detach();
    epoll_event event{};
    return epoll_wait(epoll_create1(0), &event, 1, sleep_time);
}

long sleep_beside_vfork()
{
    const timespec half{sleep_time / 2000, sleep_time % 2000 * 500'000L};
    if (vfork() == 0) {
        nanosleep(&half, nullptr);
        _exit(0);
    }
    return nanosleep(&half, nullptr);
}

long sleep_beside_brief_threads()
{
    for (const long long end = milliseconds() + sleep_time; milliseconds() < end;) {
        std::thread([] { usleep(50); }).join();
    }
    return 0;
}

// Zombies, that are not waited for yet.
void await_ends(int count)
{
    for (siginfo_t ended; count > 0; --count) {
        waitid(P_PID, static_cast<id_t>(children[static_cast<std::size_t>(count - 1)]), &ended, WEXITED | WNOWAIT);
    }
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
    if (how == "ring") {
        io_uring_params settings{};
        settings.flags = IORING_SETUP_SQPOLL;
        settings.sq_thread_idle = 1; // ms
        if (syscall(SYS_io_uring_setup, 8, &settings) < 0) {
            die("io_uring_setup");
        }
        return nanosleep(&time, nullptr);
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
    if (how == "recv") {
        return receive();
    }
    if (how == "semop") {
        return wait_for_semaphore();
    }
    if (how == "sigwait") {
        return wait_for_signal();
    }
    if (how == "inotify") {
        return read_events();
    }
    if (how == "loop") {
        return run_event_loop();
    }
    if (how == "completion") {
        return wait_for_completion();
    }
    if (how == "beside") {
        return wait_beside_thread();
    }
    if (how == "vfork") {
        return sleep_beside_vfork();
    }
    if (how == "brief") {
        return sleep_beside_brief_threads();
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

// Returns what the program ends with.
int sleep_and_tell(std::string_view how, int most_lateness)
{
    const long long start = milliseconds();
    errno = 0;
    const long result = sleep_by(how);
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

} // namespace

int main(int argument_count, char** arguments)
{
    const std::string_view how = arguments[2];
    if (argument_count > 3 && how != "exec") {
        sleep_time = atoi(arguments[3]) * 1000;
    }
    const int most_lateness = argument_count > 4 ? atoi(arguments[4]) : 900;
    const int count = atoi(arguments[1]);
    if (how == "leader" && fork() == 0) {
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
        children[static_cast<std::size_t>(made)] = pid;
    }
    if (how == "exec") {
        await_ends(count);
        exec_rest(arguments + 3);
    }
    puts("READY");
    fflush(stdout);
    if (how == "headless") {
        std::thread([most_lateness] { exit(sleep_and_tell("nanosleep", most_lateness)); }).detach();
        syscall(SYS_exit, 0); // of this thread alone
    }
    return sleep_and_tell(how, most_lateness);
}
