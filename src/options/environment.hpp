// The child's environment: the inherited one, with some variables taken out and some put in.
#pragma once

#include <cstddef>
#include <string_view>

namespace foster
{

class Environment
{
  public:
    // environment: the array that main got, which is changed in place as long as nothing is added.
    explicit Environment(char** environment);
    // Takes NAME=... out; returns the value that getenv(3) would have found, or null.
    char* take(std::string_view name);
    // The value of NAME, or null.
    const char* find(std::string_view name) const;
    // Puts NAME=VALUE in, in the place of what NAME was before. The text is not copied. Ends foster where there is no memory.
    void put(char* assignment);
    char** array() const { return variables_; }

  private:
    char** slot_of(std::string_view name) const;

    char** variables_;
    std::size_t count_ = 0;
    std::size_t room_ = 0; // for how many more
};

} // namespace foster
