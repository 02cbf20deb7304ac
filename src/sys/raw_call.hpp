// System calls without errno, for code that runs in a second thread: errno is the C library's, and it has no other thread of foster's.
#pragma once

#include <cerrno>
#include <sys/syscall.h>
#include <unistd.h>

namespace foster::sys
{

// syscall(2), but the answer itself says why it failed: below 0 it is -errno.
#ifdef __x86_64__
inline long raw_call(long number, long one = 0, long two = 0, long three = 0, long four = 0, long five = 0)
{
    register long r10 asm("r10") = four;
    register long r8 asm("r8") = five;
    asm volatile("syscall" : "+a"(number) : "D"(one), "S"(two), "d"(three), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
    return number;
}
#elif defined __aarch64__
inline long raw_call(long number, long one = 0, long two = 0, long three = 0, long four = 0, long five = 0)
{
    register long x8 asm("x8") = number;
    register long x0 asm("x0") = one;
    register long x1 asm("x1") = two;
    register long x2 asm("x2") = three;
    register long x3 asm("x3") = four;
    register long x4 asm("x4") = five;
    asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
    return x0;
}
#else // there is no second thread: see zombies/cpu.hpp
inline long raw_call(long number, long one = 0, long two = 0, long three = 0, long four = 0, long five = 0)
{
    const long answer = ::syscall(number, one, two, three, four, five);
    return answer < 0 ? -errno : answer;
}
#endif

// The errno value of an answer; 0: it is none.
inline int error_of(long answer)
{
    return answer < 0 ? static_cast<int>(-answer) : 0;
}

inline long raw_call_argument(const void* pointer)
{
    return reinterpret_cast<long>(pointer);
}

} // namespace foster::sys
