// Signals: their names, what becomes of each one that foster receives, and the mask and dispositions it was started with.
#pragma once

#include "log/log.hpp"
#include "sys/processes.hpp"

#include <array>
#include <string_view>

namespace foster
{

inline constexpr int FIRST_REAL_TIME = 34;

// "SIGTERM", "SIGRTMIN+3", or the bare number of the two below SIGRTMIN, which is 34, as glibc and kill(1) count, signal(7).
class SignalName
{
  public:
    explicit SignalName(int signal);
    const char* text() const { return bytes_.data(); }

  private:
    std::array<char, 12> bytes_{};
};

// The number of a signal given as "15", "TERM", "SIGTERM", "RTMIN+3" or "RTMAX-2", in upper or lower case; -1: no such signal.
int signal_from(std::string_view text);

// Takes over every signal of this process; what the parent gave us goes to the child unchanged.
class InheritedSignals
{
  public:
    // Blocks all signals and undoes an ignored SIGCHLD, with which the kernel would reap by itself and tell nobody. No other
    // disposition is touched. A fault of our own still kills: the kernel resets a blocked synchronous signal to
    // default (force_sig_info_to_task in the kernel). Ends foster if it fails.
    InheritedSignals();
    // In the child, before exec: puts the disposition and then the mask back.
    void restore() const;

  private:
    sys::SignalMask mask_ = 0;
    bool sigchld_ignored_ = false;
};

// Has this signal sent to foster, which forwards it, when its parent dies; 0: none. A refusal is a warning.
void watch_parent(int signal, const sys::Messages& messages);

enum class Fate { FORWARD, REAP, DROP };
// What a received signal is for: the kernel's word on a child, something to hand to the child, or nothing.
Fate fate_of(const siginfo_t& received, pid_t self);

} // namespace foster
