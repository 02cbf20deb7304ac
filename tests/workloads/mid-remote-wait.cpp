// mid-remote-wait HOW: neglects 64 children, prints READY, and sleeps for a second. When somebody traces it, and still
// does a random time later that is as long as a remote wait at most, this happens to it:
//   exit: another thread of it ends the process with 7
//   exec: another thread of it executes the program anew, which waits for nothing until all children are gone, and ends
//     with 0 then
//   kill: it gets SIGKILL
//   signal: it gets SIGUSR1, which it handles, at every remote wait
//   stop: it gets SIGSTOP, and SIGCONT when it has stopped, at every remote wait
// Each time is told by "hit"; until there is one it neglects more and sleeps on. If it has not been ended it prints
// whether it slept for the right time, how many signals it has handled of those that it got, and how many children were
// left to be waited for.
#include "workload.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <string_view>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>

namespace
{

constexpr int ZOMBIES = 64;
constexpr int MOST_ROUNDS = 20;
constexpr long long LONGEST_DELAY = 1500; // us

struct Shared {
    std::atomic<int> hits;
    std::atomic<int> sent;
    std::atomic<bool> is_over;
};

std::atomic<int> handled;

long long microseconds()
{
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

bool has_in_status(pid_t pid, const char* text)
{
    std::array<char, 64> path;
    std::array<char, 4096> status{};
    snprintf(path.data(), path.size(), "/proc/%d/status", pid);
    const int file = open(path.data(), O_RDONLY | O_CLOEXEC);
    if (file < 0 || read(file, status.data(), status.size() - 1) < 0) {
        return false;
    }
    close(file);
    return strstr(status.data(), text) != nullptr;
}

bool is_traced(pid_t pid)
{
    return !has_in_status(pid, "\nTracerPid:\t0\n");
}

// Returns in the midst of a remote wait, or when all is over. Burns CPU meanwhile: nobody traces a thread that does.
void await_remote_wait(pid_t pid, Shared& shared)
{
    while (!shared.is_over) {
        while (!is_traced(pid) && !shared.is_over) {
        }
        const long long end = microseconds() + microseconds() % 997 * LONGEST_DELAY / 997;
        while (microseconds() < end) {
        }
        if (is_traced(pid)) {
            ++shared.hits;
            if (write(STDOUT_FILENO, "hit\n", 4) < 0) {
                die("write");
            }
            return;
        }
    }
}

void stop_and_continue(pid_t pid)
{
    kill(pid, SIGSTOP);
    while (!has_in_status(pid, "\nState:\tT ")) {
    }
    kill(pid, SIGCONT);
}

[[noreturn]] void disturb(pid_t pid, std::string_view how, Shared& shared)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        await_remote_wait(pid, shared);
        if (shared.is_over) {
            _exit(0);
        }
        ++shared.sent;
        how == "stop" ? stop_and_continue(pid) : (void)kill(pid, how == "kill" ? SIGKILL : SIGUSR1);
        while (is_traced(pid)) {
        }
    }
}

void neglect_more()
{
    for (int made = 0; made < ZOMBIES; ++made) {
        if (fork() == 0) {
            _exit(3);
        }
    }
}

// Returns how many microseconds it took too long.
long long sleep_for_a_second()
{
    timespec end{};
    clock_gettime(CLOCK_MONOTONIC, &end);
    ++end.tv_sec;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nullptr) == EINTR) {
    }
    return microseconds() - (end.tv_sec * 1000000LL + end.tv_nsec / 1000);
}

// Whether all children are gone within 20 s.
bool sees_children_go()
{
    constexpr timespec A_WHILE{0, 10'000'000};
    siginfo_t info;
    for (int tries = 0; tries < 2000; ++tries) {
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
            return true;
        }
        nanosleep(&A_WHILE, nullptr);
    }
    return false;
}

} // namespace

int main(int, char** arguments)
{
    const std::string_view how = arguments[1];
    if (how == "executed") {
        return sees_children_go() ? 0 : 1;
    }
    const bool ends = how == "exit" || how == "exec" || how == "kill";
    const pid_t self = getpid();
    void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    auto& shared = *new (memory) Shared{};
    signal(SIGUSR1, [](int) { ++handled; });
    neglect_more();
    puts("READY");
    fflush(stdout);
    if (how == "exit" || how == "exec") {
        std::thread([self, &shared, how] {
            await_remote_wait(self, shared);
            if (how == "exec") {
                execl("/proc/self/exe", "mid-remote-wait", "executed", nullptr);
            }
            _exit(7);
        }).detach();
    } else if (fork() == 0) {
        disturb(self, how, shared);
    }
    long long late = sleep_for_a_second();
    for (int round = 1; round < MOST_ROUNDS && shared.hits == 0; ++round) {
        neglect_more();
        late = std::max(late, sleep_for_a_second());
    }
    while (ends && shared.hits != 0) {
        pause();
    }
    shared.is_over = true;
    (void)sees_children_go(); // foster's scans may be seconds apart beside many processes
    int count = 0;
    for (int status = 0; waitpid(-1, &status, WNOHANG) > 0;) {
        count += WIFEXITED(status) && WEXITSTATUS(status) == 3 ? 1 : 0;
    }
    printf("%s, handled %d of %d, %d left\n", late >= 0 && late < 500000 ? "in time" : "not in time", handled.load(),
           how == "signal" ? shared.sent.load() : 0, count);
    return 0;
}
