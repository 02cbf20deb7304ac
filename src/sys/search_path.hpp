// The directories in which a program is looked for, execvp(3).
#pragma once

#include <climits>
#include <string_view>

namespace foster::sys
{

// Hands out a name in each directory of a search path, one after the other.
class SearchPath
{
  public:
    // directories: as the variable PATH has them, parted by colons; null: a usual list.
    SearchPath(const char* directories, std::string_view name);

    // The next path, which is kept until the next call; one that is longer than PATH_MAX is left out. An empty entry is the current
    // directory. Null: there is none left.
    char* next();

  private:
    const char* rest_; // null: none
    std::string_view name_;
    char path_[PATH_MAX]; // touched only as far as it is used
};

} // namespace foster::sys
