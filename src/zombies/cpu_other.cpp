// For CPUs without a remote wait. The options that need it are refused there (HAS_REMOTE_WAIT), so none of this is
// called.
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

Blocker Calls::seize(pid_t /*thread*/)
{
    return {"it may not be traced", ENOSYS};
}

Blocker Calls::check_first_stop()
{
    return {BUSY};
}

bool Calls::begins_next_at_exit()
{
    return false;
}

sys::Status Calls::begin_call(pid_t /*zombie*/)
{
    return {{}, ENOSYS};
}

sys::Status Calls::enter_call(pid_t /*zombie*/)
{
    return {{}, ENOSYS};
}

sys::Result<long> Calls::read_answer()
{
    return {0, ENOSYS};
}

void Calls::exit_call() {}

void Calls::put_back(bool /*has_called*/) {}

} // namespace foster::cpu
#endif
