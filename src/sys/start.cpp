// The program's entry point, in place of the C library's start code. foster has no constructors, no stdio, no
// thread_local and no errno; without the code for them the binary is 2 kB smaller. layout.ld makes sure that nothing
// needs them. This file is empty for other CPUs, for other C libraries, and under a sanitizer.
#ifdef FOSTER_OWN_START
#include <elf.h>
#include <sys/auxv.h>
#include <unistd.h>

// Symbols from the linker script, layout.ld.
extern "C" [[gnu::visibility("hidden")]] const Elf64_Rela relocations[];     // NOLINT
extern "C" [[gnu::visibility("hidden")]] const Elf64_Rela relocations_end[]; // NOLINT
extern "C" [[gnu::visibility("hidden")]] char __ehdr_start[]; // NOLINT: the first byte of the file, in memory

// C++ forbids a call of main, so it is called by another name.
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

// The stack holds the number of arguments, the arguments and the environment, both terminated by a null pointer, and
// the auxiliary vector.
extern "C" [[noreturn, gnu::used, gnu::visibility("hidden")]] void start_on(char** stack)
{
    // A program without a dynamic loader has one kind of relocation only: the address of something inside the program.
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
