// What becomes of a signal that foster receives. No system call is made here.
#pragma once

#include <csignal>
#include <sys/types.h>

namespace foster
{

enum class SignalAction { FORWARD, REAP, DROP };
// What a received signal is for: the kernel's word on a child, something to hand to the child, or nothing.
SignalAction classify(const siginfo_t& received, pid_t self);

} // namespace foster
