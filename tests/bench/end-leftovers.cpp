// end-leftovers COUNT: makes so many children, then ends and reaps each by kill and wait, in a loop.
// end-leftovers COUNT pid1|subreaper INIT WORD...: has INIT, as PID 1 of a PID namespace or not, run a program that
// ends and leaves so many orphans. Prints the nanoseconds from there to the end of the last one. All of them sleep, and
// obey.
#include "../workloads/workload.hpp"

#include <csignal>
#include <sched.h>
#include <string>
#include <string_view>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <vector>

namespace
{

// Returns when all sleep, or are about to.
std::vector<pid_t> make_sleepers(int count)
{
    int ready[2];
    if (pipe(ready) != 0) {
        die("pipe");
    }
    std::vector<pid_t> sleepers;
    for (int made = 0; made < count; ++made) {
        const pid_t pid = fork();
        if (pid == 0) {
            if (write(ready[1], "x", 1) != 1) {
                die("write");
            }
            close(ready[0]);
            close(ready[1]);
            for (;;) {
                pause();
            }
        }
        if (pid < 0) {
            die("fork");
        }
        sleepers.push_back(pid);
    }
    for (char byte; count > 0; --count) {
        if (read(ready[0], &byte, 1) != 1) {
            die("read");
        }
    }
    return sleepers;
}

void end_by_hand(int count)
{
    const auto sleepers = make_sleepers(count);
    const long long start = monotonic_now();
    for (const pid_t pid : sleepers) {
        kill(pid, SIGTERM);
    }
    for (const pid_t pid : sleepers) {
        waitpid(pid, nullptr, 0);
    }
    printf("%lld\n", monotonic_now() - start);
}

// In a child of INIT.
void leave(int count, int report_to)
{
    make_sleepers(count);
    const long long start = monotonic_now();
    if (write(report_to, &start, sizeof start) != sizeof start) {
        die("write");
    }
    _exit(0);
}

void end_by_init(const char* count, std::string_view mode, char** init)
{
    int report[2];
    if (pipe(report) != 0) {
        die("pipe");
    }
    const long flags = SIGCHLD | (mode == "pid1" ? CLONE_NEWPID : 0);
    const auto pid = static_cast<pid_t>(syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr));
    if (pid < 0) {
        die("clone");
    }
    if (pid == 0) {
        std::vector<char*> words;
        for (; *init != nullptr; ++init) {
            words.push_back(*init);
        }
        // INIT closes what it was given, its child does not.
        std::string descriptor = std::to_string(report[1]);
        std::string self(4096, '\0');
        if (readlink("/proc/self/exe", self.data(), self.size() - 1) < 0) {
            die("readlink");
        }
        std::string how = "leave";
        std::string number = count;
        for (auto* word : {&self, &number, &how, &descriptor}) {
            words.push_back(word->data());
        }
        words.push_back(nullptr);
        execv(words[0], words.data());
        die("exec");
    }
    close(report[1]);
    long long start = 0;
    if (read(report[0], &start, sizeof start) != sizeof start) {
        die("read");
    }
    waitpid(pid, nullptr, 0);
    printf("%lld\n", monotonic_now() - start);
}

} // namespace

int main(int words, char** arguments)
{
    const int count = atoi(arguments[1]);
    if (words == 2) {
        end_by_hand(count);
    } else if (std::string_view(arguments[2]) == "leave") {
        leave(count, atoi(arguments[3]));
    } else {
        end_by_init(arguments[1], arguments[2], arguments + 3);
    }
    return 0;
}
