// Signal names: parsing and printing.
#pragma once

#include "sys/signals.hpp"
#include "sys/text.hpp"

#include <array>
#include <string_view>
#include <sys/types.h>

namespace foster
{

inline constexpr int FIRST_REAL_TIME = 34;

// The name of a signal: "SIGTERM", "SIGRTMIN+3". The two numbers below SIGRTMIN have no name and are printed as
// numbers. SIGRTMIN is 34, as in glibc and kill(1), signal(7).
class SignalName
{
  public:
    explicit SignalName(int signal);
    const char* text() const { return text_.c_string(); }

  private:
    sys::FixedText<12> text_;
};

// Parses a signal: "15", "TERM", "SIGTERM", "RTMIN+3" or "RTMAX-2", in upper or lower case. Returns its number, or -1
// if there is no such signal.
int parse_signal(std::string_view text);

} // namespace foster
