// Foster's child in a round of chaos: records each signal that it gets, runs the trees beside it, ends as it is told.
//   recorder DIR SEED NAP LIMIT WAITS [tree ARGUMENT...]
// NAP: at most so many microseconds are slept now and then, so that signals queue and coalesce here, too. LIMIT: the
// size of its signal queue, 0: as inherited. WAITS: 0: it neglects its own zombies.
// DIR/records gets a Record for each signal; DIR/ready is there when it has started, with what it has found; by the
// FIFO DIR/control it is told how to end: "x CODE", "k SIGNAL" (by its own hand), "d SIGNAL" (when that comes).
#include "../workloads/workload.hpp"
#include "chaos.hpp"

#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

namespace
{

struct Record {
    std::int32_t signal, code, sender, user;
    std::int64_t value;
    std::int64_t time; // CLOCK_MONOTONIC
    std::int64_t late; // how long this process has waited for a CPU or slept so far
};

std::int64_t slept = 0;

std::int64_t lateness()
{
    static const int file = open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);
    char text[100] = "";
    long long on_cpu = 0;
    long long waited = 0;
    if (pread(file, text, sizeof text - 1, 0) > 0) {
        std::sscanf(text, "%lld %lld", &on_cpu, &waited);
    }
    return waited + slept;
}

void record_signals(int from, int to)
{
    signalfd_siginfo batch[16];
    const auto size = read(from, batch, sizeof batch);
    for (long at = 0; at * static_cast<long>(sizeof batch[0]) < size; ++at) {
        const auto& got = batch[at];
        const Record record{static_cast<std::int32_t>(got.ssi_signo),
                            got.ssi_code,
                            static_cast<std::int32_t>(got.ssi_pid),
                            static_cast<std::int32_t>(got.ssi_uid),
                            static_cast<std::int64_t>(got.ssi_ptr),
                            now(),
                            lateness()};
        if (write(to, &record, sizeof record) != sizeof record) {
            die("records");
        }
    }
}

void say_what_is(const std::string& dir, std::uint64_t mask)
{
    char place[4096] = "?";
    const char* const made = getenv("CHAOS");
    const char* const kept = getenv("FOSTER_OPTIONS");
    const std::string before = dir + "/ready.new";
    std::FILE* const file = std::fopen(before.c_str(), "w");
    if (file == nullptr || getcwd(place, sizeof place) == nullptr) {
        die("ready");
    }
    std::fprintf(file, "cwd=%s\nenv=%s\noptions=%s\nuid=%d\ngid=%d\nleads_group=%d\nleads_session=%d\nmask=%llx\n",
                 place, made == nullptr ? "" : made, kept == nullptr ? "" : kept, getuid(), getgid(),
                 getpgrp() == getpid(), getsid(0) == getpid(), static_cast<unsigned long long>(mask));
    std::fclose(file);
    std::rename(before.c_str(), (dir + "/ready").c_str());
}

void let_die_by(int signal)
{
    set_disposition(signal, false);
    set_signal_mask(ALL_SIGNALS & ~bit_of(signal));
}

void obey(const char* order)
{
    const int number = std::atoi(order + 1);
    if (order[0] == 'x') {
        _exit(number);
    }
    if (order[0] == 'd' || order[0] == 'k') {
        let_die_by(number);
    }
    if (order[0] == 'k') {
        kill(getpid(), number);
        _exit(98); // not reached
    }
}

// Ends after this process, by the end of file of the pipe. Foster has no reason to signal it.
void start_witness(const std::string& dir)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        die("pipe");
    }
    if (fork() == 0) {
        setsid();
        close(ends[1]);
        std::fclose(std::fopen((dir + "/witness").c_str(), "w"));
        char byte = 0;
        (void)!read(ends[0], &byte, 1);
        usleep(600'000); // no SIGTERM ends it, with --grace only SIGKILL
        _exit(0);
    }
    close(ends[0]);
}

} // namespace

int main(int count, char** arguments)
{
    if (count < 6) {
        return 99;
    }
    const std::string dir = arguments[1];
    Random random{std::strtoull(arguments[2], nullptr, 10)};
    const auto nap = std::strtoull(arguments[3], nullptr, 10);
    std::uint64_t inherited = 0;
    syscall(SYS_rt_sigprocmask, 0, nullptr, &inherited, sizeof inherited);
    set_signal_mask(ALL_SIGNALS);
    setrlimit(RLIMIT_CORE, &NO_CORE);
    if (const auto limit = std::strtoull(arguments[4], nullptr, 10)) {
        const rlimit few{limit, limit};
        setrlimit(RLIMIT_SIGPENDING, &few);
    }
    const std::uint64_t all = ALL_SIGNALS;
    const auto signals = static_cast<int>(syscall(SYS_signalfd4, -1, &all, sizeof all, SFD_CLOEXEC));
    const int records = open((dir + "/records").c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    const int control = open((dir + "/control").c_str(), O_RDWR | O_CLOEXEC);
    if (signals < 0 || records < 0 || control < 0) {
        die("recorder");
    }
    start_witness(dir);
    if (count > 6 && fork() == 0) {
        setpgid(0, 0);
        exec_rest(arguments + 6);
    }
    say_what_is(dir, inherited);
    for (;;) {
        pollfd ready[] = {{signals, POLLIN, 0}, {control, POLLIN, 0}};
        poll(ready, 2, -1);
        if (ready[0].revents != 0) {
            record_signals(signals, records);
        }
        while (arguments[5][0] != '0' && waitpid(-1, nullptr, WNOHANG) > 0) {
        }
        if (ready[0].revents == 0 && ready[1].revents != 0) {
            char order[32] = "";
            (void)!read(control, order, sizeof order - 1);
            obey(order);
        }
        if (nap != 0 && random.below(8) == 0) {
            const auto start = now();
            usleep(static_cast<useconds_t>(random.below(nap)));
            slept += now() - start;
        }
    }
}
