// Lines to a file that may not take them: none of them is waited for.
#pragma once

#include "sys/helper.hpp"

namespace foster::sys
{

// Whatever the file is: a pipe or a socket that nobody reads, a terminal with room for half a line, a file of a frozen file system. Its
// O_NONBLOCK is not touched, for the workload shares it.
class LineWriter
{
  public:
    // Writes a line, or nothing of it. Waits so long (nanoseconds) for a reader of a pipe or a socket, and a tenth of a second for any
    // other file. Where that has taken a part, it gets the rest when it has room, and until then nothing else. EAGAIN, EBUSY: there was
    // no room. Other errors: write(2).
    Status write(int fd, std::span<const char> line, Nanoseconds at_most = 0);
    // Waits a tenth of a second for the rest of a line, if there is one.
    void finish();

  private:
    Helper helper_;
};

} // namespace foster::sys
