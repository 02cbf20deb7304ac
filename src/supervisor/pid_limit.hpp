// A warning before the cgroup's limit of PIDs is hit, --warn-pids.
#pragma once

#include "options/options.hpp"
#include "sys/clock.hpp"

namespace foster
{

class PidLimit
{
  public:
    PidLimit(const Options& options, const log::Messages& messages) : percent_(options.warn_pids), messages_(messages)
    {
    }

    // Looks at it where that was asked for, but not too often. Warns again only when it has been below since.
    void look()
    {
        if (percent_ != 0) {
            look_now_and_then();
        }
    }

  private:
    void look_now_and_then();

    int percent_;
    const log::Messages& messages_;
    bool warned_ = false;
    sys::Nanoseconds next_look_ = 0;
};

} // namespace foster
