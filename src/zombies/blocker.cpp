#include "zombies/blocker.hpp"

#include "sys/files.hpp"
#include "sys/privileges.hpp"
#include "sys/procfs.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace foster
{
namespace
{

// Yama's kernel.yama.ptrace_scope, '0' to '3'. '0' if the kernel has no Yama.
char yama_scope()
{
    std::array<char, 1> scope{'0'};
    (void)sys::read_of_kernel("/proc/sys/kernel/yama/ptrace_scope", scope);
    return scope[0];
}

// Appends the cause of EPERM, as far as /proc shows it, and the remedy.
void add_reason_for_eperm(log::Line& line, pid_t parent)
{
    const auto tracer = sys::number_in_status(parent, "TracerPid");
    const auto user = sys::number_in_status(parent, "Uid");
    if (tracer > 0) {
        line.add(" ({}[{}] traces it)", sys::ProcessName(static_cast<pid_t>(tracer)).text(), tracer);
        return;
    }
    const char scope = yama_scope();
    if (scope == '3') {
        line.add(" (kernel.yama.ptrace_scope is 3, which forbids it to everybody)");
        return;
    }
    if (user != static_cast<long>(::geteuid())) {
        line.add(" (foster runs as uid {}, the process as uid {})", ::geteuid(), user);
    } else if (scope != '0') {
        line.add(" (kernel.yama.ptrace_scope is {})", scope - '0');
    }
    line.add("; give foster CAP_SYS_PTRACE");
    if (sys::inherited_seccomp().mode > 0) {
        line.add(", and allow ptrace in its seccomp filter");
    }
}

} // namespace

void add_blocker(log::Line& line, pid_t parent, const Blocker& blocker)
{
    line.add("{}", blocker.reason);
    if (blocker.error != 0) {
        line.add(": {}", log::Error{blocker.error});
    }
    if (blocker.error == EPERM) {
        add_reason_for_eperm(line, parent);
    } else if (blocker.error == ENOSYS) {
        line.add("; allow ptrace in foster's seccomp filter");
    }
}

} // namespace foster
