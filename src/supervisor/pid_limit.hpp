// --warn-pids: a warning before the cgroup's limit of PIDs is reached.
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

    // If --warn-pids is given, checks the use of PIDs, at most ten times a second. Warns again only after the use was
    // below the limit.
    void check()
    {
        if (percent_ != 0) {
            check_at_intervals();
        }
    }

  private:
    void check_at_intervals();

    int percent_;
    const log::Messages& messages_;
    bool warned_ = false;
    sys::Nanoseconds next_check_ = 0;
};

} // namespace foster
