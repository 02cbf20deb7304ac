// memchr(3) and strlen(3), a byte at a time: musl's read words, for which they have 290 bytes more. foster's texts are
// short. This file is empty where the C library starts the program.
#ifdef FOSTER_OWN_START
#include <cstring>

// Compilers take such loops for calls of these functions.
#ifdef __clang__
#define AS_WRITTEN gnu::used, clang::no_builtin
#else
#define AS_WRITTEN gnu::used, gnu::optimize("no-tree-loop-distribute-patterns")
#endif

extern "C" [[AS_WRITTEN]] void* memchr(const void* bytes, int wanted, std::size_t size)
{
    const auto* each = static_cast<const unsigned char*>(bytes);
    for (const auto* const end = each + size; each != end; ++each) {
        if (*each == static_cast<unsigned char>(wanted)) {
            return const_cast<unsigned char*>(each);
        }
    }
    return nullptr;
}

extern "C" [[AS_WRITTEN]] std::size_t strlen(const char* text)
{
    const char* end = text;
    while (*end != '\0') {
        ++end;
    }
    return static_cast<std::size_t>(end - text);
}
#endif
