#include "zombies/cpu.hpp"

#include "sys/tracing.hpp"

#include <cerrno>

namespace foster::cpu
{

const char BUSY[] = "it is busy: no thread of it waits in a system call";

Blocker Calls::read_found(std::size_t count)
{
    const auto size = sys::read_registers(thread_, found_);
    if (!size) {
        return {"its registers cannot be read", size.error};
    }
    // A 32-bit process has another number of registers.
    return size.value == count * sizeof found_[0] ? Blocker{} : Blocker{"it is a 32-bit process"};
}

} // namespace foster::cpu
