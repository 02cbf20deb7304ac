// record-signals COUNT [setuid]: prints READY, then one line for each of COUNT signals that it receives, and exits with
// 0. With "setuid" (and the file setuid root) it becomes root entirely, as sudo does.
#include "workload.hpp"

#include <cerrno>
#include <csignal>

int main(int count, char** arguments)
{
    if (count > 2 && setresuid(0, 0, 0) != 0) {
        die("setresuid");
    }
    set_signal_mask(ALL_SIGNALS);
    setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
    puts("READY");
    for (int left = atoi(arguments[1]); left > 0; --left) {
        siginfo_t info{};
        while (syscall(SYS_rt_sigtimedwait, &ALL_SIGNALS, &info, nullptr, sizeof ALL_SIGNALS) < 0) {
            if (errno != EINTR) { // it was stopped and continued
                die("rt_sigtimedwait");
            }
        }
        if (info.si_code == SI_QUEUE) {
            printf("%d value %p from %d uid %d\n", info.si_signo, info.si_value.sival_ptr, info.si_pid, info.si_uid);
        } else {
            printf("%d\n", info.si_signo);
        }
    }
    return 0;
}
