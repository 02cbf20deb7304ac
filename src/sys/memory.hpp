// Memory, mmap(2) and madvise(2).
#pragma once

#include "sys/result.hpp"

#include <cstddef>
#include <string_view>

namespace foster::sys
{

// Anonymous memory of this many bytes, which processes that are forked share if that is wanted, mmap(2).
Result<void*> map_memory(std::size_t size, bool is_shared = false);
// A whole file to be read, which stays mapped; empty where the file is.
Result<std::string_view> map_file(const char* path);
// Gives back the memory that only set-up has used, madvise(2): the pages below the stack in use, and the code in the section
// init_text (see hot.ld), which the kernel reads again if it is run after all. A refusal changes nothing.
void free_init_memory();

} // namespace foster::sys
