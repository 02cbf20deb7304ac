// Memory: mmap(2) and madvise(2).
#pragma once

#include "sys/result.hpp"

#include <cstddef>
#include <string_view>

namespace foster::sys
{

// Maps `size` bytes of zeroed memory. is_shared: forked processes share it. mmap(2).
Result<void*> map_memory(std::size_t size, bool is_shared = false);
void unmap_memory(void* memory, std::size_t size);
// Maps a whole file for reading, for ever. Empty if the file is empty. open(2), mmap(2).
Result<std::string_view> map_file(const char* path);
// Frees the memory that only set-up has used, madvise(2): the unused pages of the stack, and the section init_text
// of the code (see hot.ld). If that code is called again, the kernel reads it from the file. A refusal changes nothing.
void free_init_memory();

} // namespace foster::sys
