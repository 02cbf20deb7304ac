// A value that two threads, or two processes, read and write.
#pragma once

namespace foster::sys
{

// What std::atomic is; libstdc++'s header of that wants a C library of its own kind.
template <typename T> class Shared
{
  public:
    Shared() = default;
    Shared(T value) : value_(value) {}
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;
    Shared(Shared&&) = delete;
    Shared& operator=(Shared&&) = delete;
    ~Shared() = default;

    Shared& operator=(T value)
    {
        __atomic_store(&value_, &value, __ATOMIC_SEQ_CST);
        return *this;
    }
    operator T() const
    {
        T value;
        __atomic_load(&value_, &value, __ATOMIC_SEQ_CST);
        return value;
    }
    T exchange(T value)
    {
        T before;
        __atomic_exchange(&value_, &value, &before, __ATOMIC_SEQ_CST);
        return before;
    }
    // For the kernel.
    T* address() { return &value_; }

  private:
    T value_{};
};

} // namespace foster::sys
