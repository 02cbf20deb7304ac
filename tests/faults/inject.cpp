// inject [--pid1] LIMIT CALL:ERROR:WHEN|trace REPORT COMMAND...: runs COMMAND, foster, in a session with a terminal on
// standard input; as PID 1 of a PID namespace with --pid1; for LIMIT seconds at most. WHEN is a number or "every": CALL
// fails with ERROR at its WHENth call. Calls are counted in foster, its second threads and its forked helpers together,
// and in the child until it has executed the workload: all this is foster's code. From then on the child is not traced.
// strace cannot do this: with -f its faults are for the workload, too; with --detach-on=execve it ends at the execution
// of foster itself, when something has to start foster as PID 1; and it counts for each process apart.
// Writes to the file REPORT, as words for a shell: the exit status of foster (128 + N if signal N killed it, "hang"
// after LIMIT), how often CALL has failed, how many system calls foster has made, milliseconds of CPU time of foster
// and of what it has waited for, milliseconds from start to end, how many descendants are left 5 s after foster's end.
// With "trace": one line for each call and its count. Both name the calls that the filter of --harden has refused,
// which fail with ENOSYS after a seccomp that has not failed.
#include "../workloads/workload.hpp"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <elf.h>
#include <fcntl.h>
#include <linux/ptrace.h>
#include <map>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

extern "C" long ptrace(int request, ...); // <sys/ptrace.h> and <linux/ptrace.h> cannot be had together

namespace
{

constexpr struct {
    const char* name;
    long number;
} CALLS[] = {
#include "faults/calls.inc"
};

constexpr struct {
    const char* name;
    long number;
} ERRORS[] = {{"EPERM", EPERM}, {"ENOSYS", ENOSYS}, {"EINVAL", EINVAL}, {"EAGAIN", EAGAIN},
              {"EINTR", EINTR}, {"ENOMEM", ENOMEM}, {"EMFILE", EMFILE}};

template <typename Table> long find(const Table& table, const std::string& name)
{
    for (const auto& row : table) {
        if (row.name == name) {
            return row.number;
        }
    }
    fprintf(stderr, "inject: unknown word '%s'\n", name.c_str());
    exit(99);
}

struct {
    bool traces = false;
    long call = -1;
    long error = 0;
    long when = 0; // 0: every one
} fault;

struct Tracee {
    long call = -1; // the last one that it has entered
    bool fails = false;
};
std::map<pid_t, Tracee> tracees;
std::map<long, long> counts;
std::map<long, bool> refused;
bool is_filtered = false;
long calls = 0;
long injected = 0;
volatile sig_atomic_t is_late = 0;

void parse(const std::string& text)
{
    fault.traces = text == "trace";
    if (fault.traces) {
        return;
    }
    const auto first = text.find(':');
    const auto second = text.find(':', first + 1);
    fault.call = find(CALLS, text.substr(0, first));
    fault.error = find(ERRORS, text.substr(first + 1, second - first - 1));
    fault.when = atol(text.substr(second + 1).c_str());
}

// Makes the call that a tracee enters one that does not exist.
void skip_call(pid_t tracee)
{
#ifdef __x86_64__
    ptrace(PTRACE_POKEUSR, tracee, offsetof(user_regs_struct, orig_rax), -1L);
#elif defined __aarch64__
    int none = -1;
    iovec value{&none, sizeof none};
    ptrace(PTRACE_SETREGSET, tracee, NT_ARM_SYSTEM_CALL, &value);
#endif
}

void set_result(pid_t tracee, long result)
{
#ifdef __x86_64__
    ptrace(PTRACE_POKEUSR, tracee, offsetof(user_regs_struct, rax), result);
#elif defined __aarch64__
    user_regs_struct registers{};
    iovec value{&registers, sizeof registers};
    ptrace(PTRACE_GETREGSET, tracee, NT_PRSTATUS, &value);
    registers.regs[0] = static_cast<unsigned long>(result);
    ptrace(PTRACE_SETREGSET, tracee, NT_PRSTATUS, &value);
#endif
}

void handle_call(pid_t tracee)
{
    ptrace_syscall_info info{};
    ptrace(PTRACE_GET_SYSCALL_INFO, tracee, sizeof info, &info);
    auto& [call, fails] = tracees[tracee];
    if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
        if (fails) {
            set_result(tracee, -fault.error);
        } else if (is_filtered && info.exit.rval == -ENOSYS) {
            refused[call] = true;
        }
        is_filtered = is_filtered || (call == SYS_seccomp && !fails && info.exit.rval == 0);
        fails = false;
    } else if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
        call = static_cast<long>(info.entry.nr);
        const long count = ++counts[call];
        ++calls;
        fails = call == fault.call && (fault.when == 0 || count == fault.when);
        if (fails) {
            ++injected;
            skip_call(tracee);
        }
    }
}

// A tracee has stopped.
void handle_stop(pid_t tracee, int status, pid_t foster, bool& runs_foster)
{
    const int signal = WSTOPSIG(status);
    const int event = status >> 16;
    long pass_on = 0;
    if (signal == (SIGTRAP | 0x80)) {
        if (runs_foster) {
            handle_call(tracee);
        }
    } else if (event == PTRACE_EVENT_EXEC) {
        if (tracee != foster) {
            ptrace(PTRACE_DETACH, tracee, 0L, 0L);
            tracees.erase(tracee);
            return;
        }
        runs_foster = true;
    } else if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
        ptrace(PTRACE_LISTEN, tracee, 0L, 0L);
        return;
    } else if (event == 0) {
        pass_on = signal;
    }
    ptrace(PTRACE_SYSCALL, tracee, 0L, pass_on);
}

// Foster's side of the start, before it is foster.
[[noreturn]] void start(char** command, bool is_pid1, const char* terminal, int go)
{
    char byte;
    if (is_pid1 && (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
                    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0)) {
        die("mount");
    }
    setsid();
    const int input = open(terminal, O_RDWR); // becomes the session's terminal
    if (input < 0 || dup2(input, STDIN_FILENO) < 0) {
        die("terminal");
    }
    close(input);
    if (read(go, &byte, 1) != 1) {
        die("read");
    }
    close(go);
    exec_rest(command);
}

pid_t start_traced(char** command, bool is_pid1)
{
    int go[2];
    const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0 || pipe2(go, O_CLOEXEC) != 0) {
        die("posix_openpt");
    }
    const std::string name = ptsname(terminal);
    const long pid = syscall(SYS_clone, SIGCHLD | (is_pid1 ? CLONE_NEWPID | CLONE_NEWNS : 0), 0, 0, 0, 0);
    if (pid == 0) {
        start(command, is_pid1, name.c_str(), go[0]);
    }
    constexpr long OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                             PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
    if (pid < 0 || ptrace(PTRACE_SEIZE, pid, 0L, OPTIONS) != 0 || ptrace(PTRACE_INTERRUPT, pid, 0L, 0L) != 0 ||
        write(go[1], "x", 1) != 1) {
        die("start");
    }
    tracees[static_cast<pid_t>(pid)] = {};
    return static_cast<pid_t>(pid);
}

long now_ms()
{
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

// Returns foster's wait status. After the time limit foster is killed.
int trace(pid_t foster, rusage& usage)
{
    bool runs_foster = false;
    for (;;) {
        int status = 0;
        const pid_t pid = wait4(-1, &status, __WALL, &usage);
        if (pid < 0 && errno != EINTR) {
            die("wait4");
        }
        if (is_late != 0) {
            // For whoever looks for the reason.
            (void)!system("cat /proc/[0-9]*/task/*/stat | cut -d' ' -f1-6 >&2; grep . /proc/[0-9]*/task/*/syscall >&2");
            kill(foster, SIGKILL);
        }
        if (pid > 0 && WIFSTOPPED(status)) {
            handle_stop(pid, status, foster, runs_foster);
        } else if (pid == foster) {
            return status;
        }
    }
}

// Waits up to 5 s for the end of all that foster has left, which are children of this process now. Returns how many do
// not end; these are killed.
int count_left()
{
    constexpr timespec NAP{0, 5'000'000};
    int left = 0;
    for (int naps = 0, status = 0; naps < 2000; ++naps) {
        bool unused = true;
        pid_t pid;
        while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
            if (WIFSTOPPED(status)) {
                handle_stop(pid, status, 0, unused);
            }
        }
        if (pid < 0) {
            break;
        }
        if (naps >= 1000) {
            FILE* list = fopen(("/proc/self/task/" + std::to_string(getpid()) + "/children").c_str(), "r");
            for (int child; list != nullptr && fscanf(list, "%d", &child) == 1; ++left) {
                kill(child, SIGKILL);
            }
            fclose(list);
        }
        nanosleep(&NAP, nullptr);
    }
    return left;
}

void write_report(const char* path, int status, const rusage& usage, long ran_ms, int left)
{
    FILE* report = fopen(path, "we");
    if (report == nullptr) {
        die(path);
    }
    if (fault.traces) {
        for (const auto& call : CALLS) {
            if (counts[call.number] > 0) {
                fprintf(report, "%s %ld%s\n", call.name, counts[call.number], refused[call.number] ? " refused" : "");
            }
        }
    } else {
        const auto end = std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
        fprintf(report, "status=%s injected=%ld calls=%ld cpu=%ld ms=%ld left=%d\n",
                is_late != 0 ? "hang" : end.c_str(), injected, calls,
                (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
                    (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000,
                ran_ms, left);
        fputs("refused='", report);
        for (const auto& call : CALLS) {
            fputs(refused[call.number] ? (std::string(" ") + call.name).c_str() : "", report);
        }
        fputs("'\n", report);
    }
    fclose(report);
}

} // namespace

int main(int /*count*/, char** arguments)
{
    const bool is_pid1 = strcmp(*++arguments, "--pid1") == 0;
    arguments += is_pid1 ? 1 : 0;
    const auto limit = static_cast<unsigned>(atoi(*arguments++));
    parse(arguments[0]);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    const pid_t foster = start_traced(arguments + 2, is_pid1);
    struct sigaction action {
    };
    action.sa_handler = [](int) { is_late = 1; }; // without SA_RESTART
    sigaction(SIGALRM, &action, nullptr);
    alarm(limit);
    const long begun = now_ms();
    rusage usage{};
    const int status = trace(foster, usage);
    const long ran_ms = now_ms() - begun;
    alarm(0);
    write_report(arguments[1], status, usage, ran_ms, count_left());
    return 0;
}
