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
        __atomic_store_n(&value_, value, __ATOMIC_SEQ_CST);
        return *this;
    }
    operator T() const { return __atomic_load_n(&value_, __ATOMIC_SEQ_CST); }
    T exchange(T value) { return __atomic_exchange_n(&value_, value, __ATOMIC_SEQ_CST); }
    // For the kernel.
    T* address() { return &value_; }

  private:
    T value_{};
};

} // namespace foster::sys
