// Fd: a file descriptor with one owner, which closes it.
#pragma once

#include <unistd.h>
#include <utility>

namespace foster::sys
{

// Not repeated after EINTR: Linux has released the number by then, close(2).
void close(int fd);

class Fd
{
  public:
    Fd() = default;
    explicit Fd(int number) : number_(number) {}
    Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Fd& operator=(Fd&& other) noexcept
    {
        std::swap(number_, other.number_);
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd()
    {
        if (number_ >= 0) {
            close(number_);
        }
    }

    int number() const { return number_; }

  private:
    int number_ = -1;
};

} // namespace foster::sys
