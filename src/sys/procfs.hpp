// What /proc tells about a process. Everything here may be unknown: /proc may be absent, or hide processes.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <sys/types.h>

namespace foster::sys
{

// The kernel's name of a process (its comm, proc_pid_comm(5)), which a zombie keeps; "?" where it is not to be had.
class ProcessName
{
  public:
    explicit ProcessName(pid_t pid);
    std::string_view text() const { return {bytes_.data(), size_}; }

  private:
    std::array<char, 64> bytes_; // a kernel thread's name can be longer than 16 bytes
    std::size_t size_ = 0;
};

// The real user id of a process, proc_pid_status(5); -1 where it is not to be had.
long user_of(pid_t pid);

} // namespace foster::sys
