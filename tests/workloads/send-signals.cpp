// send-signals PID SIGNAL[=VALUE]...: sends each signal in turn, with a value by sigqueue. Any number from 1 to 64.
#include "workload.hpp"

#include <csignal>
#include <cstring>

int main(int count, char** arguments)
{
    const pid_t pid = atoi(arguments[1]);
    for (int index = 2; index < count; ++index) {
        const int signal = atoi(arguments[index]);
        long answer = 0;
        if (const char* value = strchr(arguments[index], '=')) {
            siginfo_t info{};
            info.si_signo = signal;
            info.si_code = SI_QUEUE;
            info.si_pid = getpid();
            info.si_uid = getuid();
            info.si_value.sival_ptr = reinterpret_cast<void*>(strtoull(value + 1, nullptr, 0));
            answer = syscall(SYS_rt_sigqueueinfo, pid, signal, &info);
        } else {
            answer = kill(pid, signal);
        }
        if (answer != 0) {
            die(arguments[index]);
        }
    }
    printf("%d\n", getpid());
    return 0;
}
