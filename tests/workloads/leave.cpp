// leave [-now] KIND...: starts a process of each kind, named as the kind, prints READY when all run, and ends with 7,
// at SIGUSR1 or SIGTERM or at once. What they do:
//   obey: sleeps
//   ignore: the same, but ignores SIGTERM
//   session: like obey, in a session of its own
//   stopped: like obey, stopped
//   nobody: like obey, as another user
//   brief: ends by itself, soon
//   fork: ignores SIGTERM but for forking a process, "forked", that ignores it, too
//   chain: on SIGTERM it begins to fork and end, fork and end, as fast as it can
//   cleaner: on SIGTERM it runs a process, "clean", that obeys, but ends soon with 0; prints "cleaned" where it did,
//     and ends
//   record: prints each signal that it gets, and ends on SIGUSR2
#include "workload.hpp"

#include <array>
#include <csignal>
#include <ctime>
#include <string_view>
#include <sys/prctl.h>
#include <sys/wait.h>

namespace
{

[[noreturn]] void sleep_on()
{
    for (;;) {
        pause();
    }
}

void nap(long milliseconds)
{
    timespec left{0, milliseconds * 1'000'000};
    while (nanosleep(&left, &left) != 0) {
    }
}

int next_signal()
{
    const std::uint64_t all = ALL_SIGNALS;
    return static_cast<int>(syscall(SYS_rt_sigtimedwait, &all, nullptr, nullptr, sizeof all));
}

[[noreturn]] void record()
{
    for (;;) {
        const int signal = next_signal();
        printf("got %d\n", signal);
        if (signal == SIGUSR2) {
            exit(0);
        }
    }
}

[[noreturn]] void fork_on_term()
{
    while (next_signal() != SIGTERM || fork() != 0) {
    }
    prctl(PR_SET_NAME, "forked");
    sleep_on();
}

[[noreturn]] void chain_on_term()
{
    next_signal();
    for (;;) {
        if (fork() > 0) {
            _exit(0);
        }
    }
}

[[noreturn]] void clean_on_term()
{
    next_signal();
    const pid_t clean = fork();
    if (clean == 0) {
        prctl(PR_SET_NAME, "clean");
        set_signal_mask(0);
        nap(100);
        _exit(0);
    }
    int status = 0;
    waitpid(clean, &status, 0);
    puts(status == 0 ? "cleaned" : "not cleaned");
    exit(0);
}

[[noreturn]] void live_as(std::string_view kind, int ready)
{
    prctl(PR_SET_NAME, kind.data());
    const bool minds = kind == "obey" || kind == "session" || kind == "stopped" || kind == "nobody" || kind == "brief";
    if (minds) {
        set_signal_mask(0);
    }
    if (kind == "session") {
        setsid();
    } else if (kind == "nobody" && setuid(65534) != 0) {
        die("setuid");
    }
    if (write(ready, "x", 1) != 1) {
        die("write");
    }
    close(ready);
    if (kind == "record") {
        record();
    } else if (kind == "fork") {
        fork_on_term();
    } else if (kind == "chain") {
        chain_on_term();
    } else if (kind == "cleaner") {
        clean_on_term();
    } else if (kind == "brief") {
        nap(300);
        _exit(0);
    } else if (kind == "stopped") {
        raise(SIGSTOP);
    }
    sleep_on();
}

} // namespace

int main(int, char** arguments)
{
    setlinebuf(stdout);
    set_signal_mask(ALL_SIGNALS);
    int ready[2];
    if (pipe(ready) != 0) {
        die("pipe");
    }
    const bool at_once = arguments[1] != nullptr && arguments[1] == std::string_view("-now");
    for (char** kind = arguments + (at_once ? 2 : 1); *kind != nullptr; ++kind) {
        const pid_t pid = fork();
        if (pid == 0) {
            live_as(*kind, ready[1]);
        }
        char byte;
        if (pid < 0 || read(ready[0], &byte, 1) != 1) {
            die("fork");
        }
        if (*kind == std::string_view("stopped")) {
            waitpid(pid, nullptr, WUNTRACED);
        }
    }
    puts("READY");
    for (int signal = at_once ? SIGUSR1 : 0; signal != SIGUSR1 && signal != SIGTERM;) {
        signal = next_signal();
    }
    return 7;
}
