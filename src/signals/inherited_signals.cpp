#include "signals/inherited_signals.hpp"

#include "log/log.hpp"

namespace foster
{

InheritedSignals::InheritedSignals()
    : mask_(log::must(sys::set_signal_mask(sys::ALL_SIGNALS), "block signals")),
      sigchld_ignored_(log::must(sys::ignore_sigchld(false), "stop ignoring SIGCHLD"))
{
}

void InheritedSignals::restore() const
{
    // No errors are expected: both calls succeeded in the constructor.
    if (sigchld_ignored_) {
        (void)sys::ignore_sigchld(true);
    }
    (void)sys::set_signal_mask(mask_);
}

} // namespace foster
