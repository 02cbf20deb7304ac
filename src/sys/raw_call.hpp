// System calls without errno: the C library has only one errno for all of foster's threads.
#pragma once

#include <cstddef>
#include <sys/syscall.h>
#include <type_traits>
#if !defined __x86_64__ && !defined __aarch64__
#include <cerrno>
#include <unistd.h>
#endif

namespace foster::sys
{

inline long raw_call_argument(const void* pointer)
{
    return reinterpret_cast<long>(pointer);
}

template <typename Number>
requires std::is_arithmetic_v<Number> || std::is_enum_v<Number>
constexpr long raw_call_argument(Number number)
{
    return static_cast<long>(number);
}

// Returns one argument. If there is none, returns the register's present value, which costs no instruction.
template <std::size_t INDEX, typename... Arguments>
[[gnu::always_inline]] inline long raw_call_argument_at(Arguments... arguments)
{
    if constexpr (INDEX < sizeof...(arguments)) {
        const long words[] = {raw_call_argument(arguments)...};
        return words[INDEX];
    } else {
        long any;
        asm volatile("" : "=r"(any));
        return any;
    }
}

// As syscall(2), but returns -errno on failure. All arguments that the call takes must be passed, as numbers or
// pointers: the others have arbitrary values.
template <typename... Arguments> [[gnu::always_inline]] inline long raw_call(long number, Arguments... arguments)
{
#if defined __x86_64__ || defined __aarch64__
    // All arguments are evaluated before the first register is set, because the evaluation may use that register.
    const long one = raw_call_argument_at<0>(arguments...);
    const long two = raw_call_argument_at<1>(arguments...);
    const long three = raw_call_argument_at<2>(arguments...);
    const long four = raw_call_argument_at<3>(arguments...);
    const long five = raw_call_argument_at<4>(arguments...);
    const long six = raw_call_argument_at<5>(arguments...);
#endif
#ifdef __x86_64__
    register long r10 asm("r10") = four;
    register long r8 asm("r8") = five;
    register long r9 asm("r9") = six;
    asm volatile("syscall"
                 : "+a"(number)
                 : "D"(one), "S"(two), "d"(three), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return number;
#elif defined __aarch64__
    register long x8 asm("x8") = number;
    register long x0 asm("x0") = one;
    register long x1 asm("x1") = two;
    register long x2 asm("x2") = three;
    register long x3 asm("x3") = four;
    register long x4 asm("x4") = five;
    register long x5 asm("x5") = six;
    asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
#else // no second thread exists here: see zombies/cpu.hpp
    const long answer = ::syscall(number, raw_call_argument(arguments)...);
    return answer < 0 ? -errno : answer;
#endif
}

// The errno value of a raw_call() result; 0: no error.
inline int error_of(long answer)
{
    return answer < 0 ? static_cast<int>(-answer) : 0;
}

} // namespace foster::sys
