#include "sys/privileges.hpp"

#include "sys/procfs.hpp"
#include "sys/syscall.hpp"

#include <cerrno>
#include <sys/prctl.h>
#include <unistd.h>

namespace foster::sys
{
namespace
{

// musl comes without the kernel's headers <linux/...>: what is needed of capability.h, filter.h, seccomp.h and audit.h.
struct CapabilityHeader {
    std::uint32_t version = 0x20080522; // _LINUX_CAPABILITY_VERSION_3
    int thread = 0;                     // this one
};

struct Instruction {
    std::uint16_t code;
    std::uint8_t distance_if_true;
    std::uint8_t distance_if_false;
    std::uint32_t value;
};

struct Program {
    unsigned short size;
    const Instruction* start;
};

constexpr std::uint16_t LOAD = 0x20;          // BPF_LD | BPF_W | BPF_ABS
constexpr std::uint16_t IF_EQUAL = 0x15;      // BPF_JMP | BPF_JEQ | BPF_K
constexpr std::uint16_t IF_ANY_BIT_OF = 0x45; // BPF_JMP | BPF_JSET | BPF_K
constexpr std::uint16_t RETURN = 0x06;        // BPF_RET | BPF_K

// Offsets in struct seccomp_data.
constexpr std::uint32_t NUMBER = 0;
constexpr std::uint32_t ABI = 4;
constexpr std::uint32_t FIRST_ARGUMENT = 16; // its lower half: both CPUs are little-endian

constexpr std::uint32_t ALLOW = 0x7fff0000;           // SECCOMP_RET_ALLOW
constexpr std::uint32_t REFUSE = 0x00050000 | ENOSYS; // SECCOMP_RET_ERRNO

#if defined __x86_64__
constexpr std::uint32_t OWN_ABI = 0xc000003e; // AUDIT_ARCH_X86_64. Calls of x32 have it, too, but other numbers.
#elif defined __aarch64__
constexpr std::uint32_t OWN_ABI = 0xc00000b7; // AUDIT_ARCH_AARCH64
#else
constexpr std::uint32_t OWN_ABI = 0;
#endif

// CLONE_NEW*, but CLONE_NEWTIME, which clone(2) does not have.
constexpr std::uint32_t NEW_NAMESPACES = 0x7e020000;

constexpr std::size_t MAX_CALLS = 64;

} // namespace

Result<Capabilities> capabilities()
{
    const CapabilityHeader header;
    Capabilities got;
    const long answer = raw_call(SYS_capget, &header, &got);
    return {got, error_of(answer)};
}

Status set_capabilities(const Capabilities& capabilities)
{
    const CapabilityHeader header;
    return status_of(raw_call(SYS_capset, &header, &capabilities));
}

Status give_up_new_privileges()
{
    return status_of(raw_call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

// Nothing but its number decides on any call but clone, so that the kernel remembers the answer
// (seccomp_cache_prepare in the kernel, since Linux 5.11) and does not run the program.
Status allow_calls(std::span<const std::uint16_t> calls)
{
    constexpr unsigned SET_MODE_FILTER = 1;
    // Else Linux 4.17 to 5.15 would switch off speculation of the CPU for foster, which runs no foreign code. Earlier
    // ones do not know the flag.
    constexpr unsigned ALLOW_SPECULATION = 4;
    if (OWN_ABI == 0) {
        return {{}, ENOSYS};
    }
    std::array<Instruction, MAX_CALLS + 9> program;
    auto* end = program.data();
    *end++ = {LOAD, 0, 0, ABI};
    *end++ = {IF_EQUAL, 1, 0, OWN_ABI};
    *end++ = {RETURN, 0, 0, REFUSE};
    *end++ = {LOAD, 0, 0, NUMBER};
    auto to_allow = static_cast<std::uint8_t>(calls.size());
    *end++ = {IF_EQUAL, 0, 2, SYS_clone};
    *end++ = {LOAD, 0, 0, FIRST_ARGUMENT};
    *end++ = {IF_ANY_BIT_OF, to_allow, static_cast<std::uint8_t>(to_allow + 1), NEW_NAMESPACES};
    for (const auto call : calls) {
        *end++ = {IF_EQUAL, to_allow--, 0, call};
    }
    *end++ = {RETURN, 0, 0, REFUSE};
    *end++ = {RETURN, 0, 0, ALLOW};
    const Program whole{static_cast<unsigned short>(end - program.data()), program.data()};
    const auto done = status_of(raw_call(SYS_seccomp, SET_MODE_FILTER, ALLOW_SPECULATION, &whole));
    return done.error == EINVAL ? status_of(raw_call(SYS_seccomp, SET_MODE_FILTER, 0, &whole)) : done;
}

Seccomp seccomp_of(pid_t pid)
{
    return {number_in_status(pid, "Seccomp"), number_in_status(pid, "Seccomp_filters")};
}

const Seccomp& inherited_seccomp()
{
    constexpr long NOT_READ = -2;
    static Seccomp inherited{NOT_READ, 0};
    if (inherited.mode == NOT_READ) {
        inherited = seccomp_of(::getpid());
    }
    return inherited;
}

} // namespace foster::sys
