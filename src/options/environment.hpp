// The child's environment: the inherited one, with some variables removed and some added.
#pragma once

#include <cstddef>
#include <string_view>

namespace foster
{

class Environment
{
  public:
    // environment: the array that main got. It is changed in place until put() needs more room.
    explicit Environment(char** environment);
    // Removes NAME=... and returns the value that getenv(3) would have found, or null.
    char* take(std::string_view name);
    // Returns the value of NAME, or null.
    const char* find(std::string_view name) const;
    // Adds NAME=VALUE, or replaces an earlier NAME. The text is not copied. Ends foster if there is no memory.
    void put(char* assignment);
    char** array() const { return variables_; }

  private:
    char** slot_of(std::string_view name) const;

    char** variables_;
    std::size_t count_ = 0;
    std::size_t free_slots_ = 0; // free slots in variables_
};

} // namespace foster
