// The signal mask and the dispositions that foster was started with.
#pragma once

#include "sys/signals.hpp"

namespace foster
{

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

} // namespace foster
