// A value that several threads or processes read and write.
#pragma once

namespace foster::sys
{

// Replaces std::atomic: libstdc++'s header <atomic> needs the C library that libstdc++ was built for.
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
    // For system calls.
    T* address() { return &value_; }

  private:
    T value_{};
};

} // namespace foster::sys
