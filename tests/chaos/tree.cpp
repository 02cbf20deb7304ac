// A random tree of processes, which leaves foster orphans of all kinds.
//   tree DIR SEED MILLISECONDS FORKS PULSE
// For so long, and at most so many processes. PULSE, if not 0: so many milliseconds pass between two branches, most of
// them in silence: what foster has missed then it cannot find by the next SIGCHLD. No process lives longer than
// lifetime, if it is not stopped.
//   tree storm N SEED DIR
// Executes itself N times more, then exits.
#include "../workloads/workload.hpp"
#include "chaos.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <string>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

namespace
{

// They are 15 bytes long, as long as a name can be.
constexpr const char* NAMES[] = {"a\nb) Z 1 (",
                                 ") R 1 1 1 1 1 1",
                                 "\xff\xfe\xc3(\x80\x1b[31m",
                                 "((((((((((((((",
                                 "\t \\ \"'$(x)",
                                 "\xf0\x9f\x92\xa3 15 bytes.",
                                 " ",
                                 "",
                                 "Z (zombie) Z 1"};
constexpr std::size_t NAME_COUNT = sizeof NAMES / sizeof NAMES[0];
constexpr std::size_t LINK_COUNT = 6; // of these there are links to this program in DIR

Shared* shared;
std::uint64_t lifetime = 500; // milliseconds
std::string dir;

void doze(Random& random, std::uint64_t max_ms)
{
    usleep(static_cast<useconds_t>(random.below(max_ms * 1000)));
}

[[noreturn]] void end_somehow(Random& random)
{
    if (random.below(2) == 0) {
        _exit(static_cast<int>(random.below(256)));
    }
    const int signal = 1 + static_cast<int>(random.below(64));
    if (signal != SIGSTOP && signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU) {
        set_disposition(signal, false);
        set_signal_mask(0);
        kill(getpid(), signal);
    }
    _exit(signal); // that signal does not kill
}

void live_at_most(std::uint64_t milliseconds)
{
    const itimerval timer{
        {0, 0}, {static_cast<time_t>(milliseconds / 1000), static_cast<suseconds_t>(milliseconds % 1000 * 1000)}};
    setitimer(ITIMER_REAL, &timer, nullptr);
}

[[noreturn]] void live(Random random, int depth);

// Returns the new process' pid, 0 in the new process, -1 if there may be none. One in eight is a sibling, by
// CLONE_PARENT: foster may get it for a child that it has never made. One in eight sends no SIGCHLD to its parent.
pid_t make(Random& random)
{
    if (now() >= shared->end || shared->forks.fetch_add(1) >= shared->max_forks) {
        return -1;
    }
    const auto kind = random.below(8);
    const unsigned long flags = kind == 0 ? CLONE_PARENT | SIGCHLD : kind == 1 ? 0 : SIGCHLD;
    const auto pid = static_cast<pid_t>(syscall(SYS_clone, flags, 0, 0, 0, 0));
    if (pid == 0) {
        live_at_most(lifetime);
    }
    return pid;
}

void grow(Random& random, int depth)
{
    const Random seed{random.next()};
    if (make(random) == 0) {
        live(seed, depth + 1);
    }
}

// Many orphans that live, then exit together, so that their SIGCHLDs coalesce.
void crowd(Random& random)
{
    const auto size = random.below(4) == 0 ? random.below(200) : random.below(30);
    const auto time = random.below(lifetime / 4);
    for (std::uint64_t count = 0; count < size; ++count) {
        if (make(random) == 0) {
            if (make(random) == 0) {
                usleep(static_cast<useconds_t>(time * 1000));
                end_somehow(random);
            }
            _exit(0);
        }
    }
}

struct Thread {
    Random random;
    bool execs;
};

[[noreturn]] void storm(Random& random, std::uint64_t count)
{
    const auto times = std::to_string(count);
    const auto seed = std::to_string(random.next());
    const auto link = dir + "/" + NAMES[random.below(LINK_COUNT)];
    execl(link.c_str(), NAMES[random.below(NAME_COUNT)], "storm", times.c_str(), seed.c_str(), dir.c_str(), nullptr);
    _exit(97);
}

void* outlive_leader(void* argument)
{
    auto& thread = *static_cast<Thread*>(argument);
    doze(thread.random, 120);
    if (thread.execs) {
        storm(thread.random, 2);
    }
    end_somehow(thread.random);
}

[[noreturn]] void exit_before_thread(Random& random)
{
    static Thread thread{random, random.below(2) == 0};
    pthread_t id;
    if (pthread_create(&id, nullptr, outlive_leader, &thread) == 0) {
        syscall(SYS_exit, 0); // this thread alone
    }
    _exit(0);
}

void stop(Random& random)
{
    const pid_t me = getpid();
    if (make(random) == 0) {
        doze(random, 40);
        for (int tries = 0; tries < 3; ++tries) { // the stop may come later than the first ones
            kill(me, random.below(8) == 0 ? SIGKILL : SIGCONT);
            doze(random, 20);
        }
        _exit(0);
    }
    raise(SIGSTOP);
}

void meet_at_fifo(Random& random)
{
    const std::string fifo = dir + "/fifo" + std::to_string(random.below(3));
    (void)!mkfifo(fifo.c_str(), 0666);
    if (make(random) == 0) {
        (void)!open(fifo.c_str(), random.below(2) == 0 ? O_RDONLY : O_WRONLY); // until another one comes, or SIGALRM
        end_somehow(random);
    }
    if (random.below(2) == 0) {
        (void)!open(fifo.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    }
}

void wait_or_not(Random& random)
{
    switch (random.below(3)) {
    case 0:
        waitpid(-1, nullptr, __WALL | (random.below(2) == 0 ? WNOHANG : 0));
        return;
    case 1: // late
        doze(random, 200);
        while (waitpid(-1, nullptr, WNOHANG | __WALL) > 0) {
        }
        return;
    default: // not at all
        doze(random, 50);
        return;
    }
}

void become_another(Random& random)
{
    const auto id = static_cast<uid_t>(1000 + random.below(5));
    (void)!setresgid(id, id, id);
    (void)!setresuid(id, id, id);
    prctl(PR_SET_DUMPABLE, static_cast<int>(random.below(2)));
}

void act(Random& random, int depth)
{
    switch (random.below(17)) {
    case 0:
        return become_another(random);
    case 1:
        setsid();
        return;
    case 2:
        setpgid(0, 0);
        return;
    case 3:
        setpgid(0, getppid());
        return;
    case 4:
        prctl(PR_SET_NAME, NAMES[random.below(NAME_COUNT)]);
        return;
    case 5:
        return stop(random);
    case 6:
        return crowd(random);
    case 7:
        return meet_at_fifo(random);
    case 8:
        prctl(PR_SET_CHILD_SUBREAPER, static_cast<int>(random.below(2)));
        return;
    case 9:
        set_disposition(SIGCHLD, random.below(2) == 0);
        return;
    case 10:
        set_disposition(SIGTERM, true);
        return;
    case 11:
        if (make(random) == 0) {
            storm(random, random.below(20));
        }
        return;
    case 12:
        if (getpgrp() == getpid()) { // else foster can be in it
            kill(0, random.below(2) == 0 ? SIGCONT : SIGUSR1);
        }
        return;
    case 13:
        return doze(random, 30);
    case 14:
        return wait_or_not(random);
    default:
        return depth < 6 ? grow(random, depth) : doze(random, 10);
    }
}

void live(Random random, int depth)
{
    for (auto actions = random.below(6); actions > 0; --actions) {
        act(random, depth);
    }
    switch (random.below(8)) {
    case 0:
        exit_before_thread(random);
    case 1:
        storm(random, random.below(8));
    case 2: // until SIGALRM
        pause();
        [[fallthrough]];
    default:
        end_somehow(random);
    }
}

} // namespace

int main(int count, char** arguments)
{
    if (count != 6 && count != 5) {
        return 99;
    }
    if (count == 5) {
        Random random{std::strtoull(arguments[3], nullptr, 10)};
        dir = arguments[4];
        const auto more = std::strtoull(arguments[2], nullptr, 10);
        more > 0 ? storm(random, more - 1) : end_somehow(random);
    }
    dir = arguments[1];
    Random random{std::strtoull(arguments[2], nullptr, 10)};
    for (std::size_t name = 0; name < LINK_COUNT; ++name) {
        (void)!symlink(arguments[0], (dir + "/" + NAMES[name]).c_str());
    }
    set_signal_mask(0);
    setrlimit(RLIMIT_CORE, &NO_CORE);
    const int file = open((dir + "/shared").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    void* const memory = ftruncate(file, sizeof(Shared)) == 0
                             ? mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
                             : MAP_FAILED;
    if (memory == MAP_FAILED) {
        die("shared");
    }
    shared = static_cast<Shared*>(memory);
    shared->max_forks = std::atol(arguments[4]);
    shared->end = now() + std::atol(arguments[3]) * 1'000'000;
    const auto pulse = std::strtoull(arguments[5], nullptr, 10);
    lifetime = pulse == 0 ? lifetime : 40;
    while (now() < shared->end) {
        grow(random, 0);
        pulse == 0 ? doze(random, 20) : static_cast<void>(usleep(static_cast<useconds_t>(pulse * 1000)));
        if (random.below(2) == 0) {
            waitpid(-1, nullptr, WNOHANG | __WALL);
        }
    }
}
