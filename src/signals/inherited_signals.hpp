// The signal mask and the dispositions that foster was started with.
#pragma once

#include "sys/signals.hpp"

namespace foster
{

// Blocks all signals of foster, and restores for the child what foster's parent had set.
class InheritedSignals
{
  public:
    // Blocks all signals, and sets an ignored SIGCHLD to its default: while SIGCHLD is ignored, the kernel reaps
    // children itself, and foster gets neither signal nor status. It changes no other disposition. A fault of foster's
    // own still kills foster, because the kernel resets a blocked synchronous signal to its default
    // (force_sig_info_to_task in the kernel). Ends foster if it fails.
    InheritedSignals();
    // For the child, before exec: restores the disposition of SIGCHLD, then the mask.
    void restore() const;

  private:
    sys::SignalMask mask_ = 0;
    bool sigchld_ignored_ = false;
};

} // namespace foster
