#if !defined __x86_64__ && !defined __aarch64__
#include "zombies/cpu.hpp"

#include <cerrno>
#include <span>
#include <sys/types.h>

namespace foster::cpu
{

long start_thread(std::span<std::byte> /*stack*/, void (* /*body*/)(void*), void* /*argument*/,
                  sys::Shared<pid_t>& /*running*/)
{
    return -ENOSYS;
}

std::span<const unsigned char> call_instruction()
{
    return {};
}

std::size_t register_bytes()
{
    return 0;
}

bool is_in_call(const Registers& /*registers*/)
{
    return false;
}

void begin_again_after_stop(Registers& /*registers*/) {}

void set_wait4(Registers& /*registers*/, std::uintptr_t /*instruction*/, pid_t /*pid*/) {}

long answer(const Registers& /*registers*/)
{
    return 0;
}

} // namespace foster::cpu
#endif
