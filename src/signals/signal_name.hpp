// The names of signals, parsed and printed.
#pragma once

#include "sys/signals.hpp"
#include "sys/text.hpp"

#include <array>
#include <string_view>
#include <sys/types.h>

namespace foster
{

inline constexpr int FIRST_REAL_TIME = 34;

// "SIGTERM", "SIGRTMIN+3", or the bare number of the two below SIGRTMIN, which is 34, as glibc and kill(1) count, signal(7).
class SignalName
{
  public:
    explicit SignalName(int signal);
    const char* text() const { return text_.c_string(); }

  private:
    sys::FixedText<12> text_;
};

// The number of a signal given as "15", "TERM", "SIGTERM", "RTMIN+3" or "RTMAX-2", in upper or lower case; -1: no such signal.
int parse_signal(std::string_view text);

} // namespace foster
