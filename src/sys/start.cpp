// Where the kernel starts foster, in place of the C library's start: foster has no constructors, no stdio, no thread_local, no errno,
// and without what they want it is 2 kB smaller. With layout.ld, which makes sure of that. On other CPUs, with another C library and
// under a sanitizer this file is empty.
#ifdef FOSTER_OWN_START
#include <elf.h>
#include <sys/auxv.h>
#include <unistd.h>

// Made by the linker.
extern "C" [[gnu::visibility("hidden")]] const Elf64_Rela relocations[];     // NOLINT
extern "C" [[gnu::visibility("hidden")]] const Elf64_Rela relocations_end[]; // NOLINT
extern "C" [[gnu::visibility("hidden")]] char __ehdr_start[];                // NOLINT: the file's beginning, in memory

// C++ lets nobody call main by its name.
extern "C" int program(int count, char** arguments, char** variables) asm("main");

namespace
{
const Elf64_auxv_t* auxiliary_vector; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
}

extern "C" unsigned long getauxval(unsigned long type)
{
    const auto* entry = auxiliary_vector;
    while (entry->a_type != type && entry->a_type != AT_NULL) {
        ++entry;
    }
    return entry->a_un.a_val;
}

// The stack holds the arguments' number, they, the environment, each with a null pointer behind it, and the auxiliary vector.
extern "C" [[noreturn, gnu::used, gnu::visibility("hidden")]] void start_on(char** stack)
{
    // All are of the one kind that a program without a dynamic loader has: the address of something in it.
    for (const auto* each = relocations; each != relocations_end; ++each) {
        *reinterpret_cast<char**>(__ehdr_start + each->r_offset) = __ehdr_start + each->r_addend;
    }
    const auto count = reinterpret_cast<long>(*stack);
    char** const arguments = stack + 1;
    char** const variables = arguments + count + 1;
    char** end = variables;
    while (*end != nullptr) {
        ++end;
    }
    auxiliary_vector = reinterpret_cast<const Elf64_auxv_t*>(end + 1);
    ::_exit(program(static_cast<int>(count), arguments, variables));
}

#ifdef __x86_64__
asm(".globl start\nstart:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tcall start_on");
#else
asm(".globl start\nstart:\n\tmov x29, xzr\n\tmov x30, xzr\n\tmov x0, sp\n\tbl start_on");
#endif
#endif
