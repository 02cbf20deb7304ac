#include "sys/memory.hpp"
#include "sys/syscall.hpp"

#include <sys/auxv.h>
#include <sys/mman.h>

// Symbols from the linker, ld(1); a sanitized build has none.
extern "C" [[gnu::weak, gnu::visibility("hidden")]] char init_text;     // NOLINT
extern "C" [[gnu::weak, gnu::visibility("hidden")]] char init_text_end; // NOLINT

namespace foster::sys
{

// Not inlined, so that this function has the lowest frame in use, and all memory below it is free.
[[gnu::noinline]] void free_init_memory()
{
    constexpr std::uintptr_t IN_USE = 1024;     // more than this frame, the frame of the call, and the red zone
    constexpr std::uintptr_t RELEASED = 0x8000; // more than set-up uses, less than the kernel maps at once
    const auto page = static_cast<std::uintptr_t>(::getauxval(AT_PAGESZ));
    const auto end = (reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) - IN_USE) / page * page;
    (void)raw_call(SYS_madvise, end - RELEASED, RELEASED, MADV_DONTNEED);

    const auto code = (reinterpret_cast<std::uintptr_t>(&init_text) + page - 1) / page * page;
    const auto code_end = reinterpret_cast<std::uintptr_t>(&init_text_end) / page * page;
    if (code < code_end) {
        (void)raw_call(SYS_madvise, code, code_end - code, MADV_DONTNEED);
    }
}

} // namespace foster::sys
