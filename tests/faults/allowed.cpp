// allowed PID: runs the last seccomp filter of a process for each number of a system call, and prints the names of
// those that it allows. Prints "others: error ERRNO" for what comes of the rest, "ABI: NUMBER" for what it allows by
// the number of another ABI, and "clone: FLAG" for each namespace that a clone may make. Wants root outside a
// container, and a kernel with CONFIG_CHECKPOINT_RESTORE.
#include "../workloads/workload.hpp"

#include <array>
#include <cstddef>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <map>
#include <sys/wait.h>
#include <vector>

extern "C" long ptrace(int request, ...); // <sys/ptrace.h> and <linux/ptrace.h> cannot be had together

namespace
{

constexpr struct {
    const char* name;
    unsigned number;
} CALLS[] = {
#include "faults/calls.inc"
};

#ifdef __x86_64__
constexpr unsigned ABI = AUDIT_ARCH_X86_64;
constexpr unsigned OTHER_ABI = AUDIT_ARCH_I386;
#else
constexpr unsigned ABI = AUDIT_ARCH_AARCH64;
constexpr unsigned OTHER_ABI = AUDIT_ARCH_ARM;
#endif
constexpr unsigned X32 = 0x40000000;
constexpr unsigned MAX_CALL = 1023;

using Program = std::vector<sock_filter>;

Program last_filter(pid_t process)
{
    if (ptrace(PTRACE_SEIZE, process, 0L, 0L) != 0 || ptrace(PTRACE_INTERRUPT, process, 0L, 0L) != 0) {
        die("ptrace");
    }
    int status = 0;
    waitpid(process, &status, __WALL);
    Program program;
    for (long index = 0;; ++index) {
        std::array<sock_filter, BPF_MAXINSNS> filter;
        const long size = ptrace(PTRACE_SECCOMP_GET_FILTER, process, index, filter.data());
        if (size < 0) {
            break;
        }
        program.assign(filter.begin(), filter.begin() + size);
    }
    if (program.empty()) {
        die("PTRACE_SECCOMP_GET_FILTER");
    }
    ptrace(PTRACE_DETACH, process, 0L, 0L);
    return program;
}

unsigned run(const Program& program, const seccomp_data& call)
{
    unsigned loaded = 0;
    for (std::size_t at = 0;; ++at) {
        const auto& step = program.at(at);
        switch (step.code) {
        case BPF_LD | BPF_W | BPF_ABS:
            loaded = *reinterpret_cast<const unsigned*>(reinterpret_cast<const char*>(&call) + step.k);
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            at += loaded == step.k ? step.jt : step.jf;
            break;
        case BPF_JMP | BPF_JSET | BPF_K:
            at += (loaded & step.k) != 0 ? step.jt : step.jf;
            break;
        case BPF_RET | BPF_K:
            return step.k;
        default:
            die("unknown instruction");
        }
    }
}

bool allows(const Program& program, unsigned number, unsigned abi = ABI, unsigned long first_argument = 0)
{
    seccomp_data call{};
    call.nr = static_cast<int>(number);
    call.arch = abi;
    call.args[0] = first_argument;
    return run(program, call) == SECCOMP_RET_ALLOW;
}

} // namespace

int main(int /*count*/, char** arguments)
{
    const auto program = last_filter(atoi(arguments[1]));
    std::map<unsigned, const char*> names;
    for (const auto& call : CALLS) {
        names[call.number] = call.name;
    }
    for (unsigned number = 0; number <= MAX_CALL; ++number) {
        if (allows(program, number)) {
            puts(names.contains(number) ? names[number] : "?");
        }
        for (const unsigned other : {number, number | X32}) {
            if (allows(program, other, OTHER_ABI) || (other != number && allows(program, other))) {
                printf("ABI: %u\n", other);
            }
        }
    }
    for (const int flag :
         {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET}) {
        if (allows(program, SYS_clone, ABI, static_cast<unsigned>(flag))) {
            printf("clone: %#x\n", static_cast<unsigned>(flag));
        }
    }
    seccomp_data none{};
    none.nr = -1;
    none.arch = ABI;
    const auto refusal = run(program, none);
    printf("others: %s %u\n", (refusal & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO ? "error" : "other",
           refusal & SECCOMP_RET_DATA);
    return 0;
}
