// The search for a program in PATH, execvp(3).
#pragma once

#include <climits>
#include <string_view>

namespace foster::sys
{

// Iterates over the paths of a name in each directory of a search path.
class SearchPath
{
  public:
    // directories: as in the variable PATH, separated by colons; null: the usual directories.
    SearchPath(const char* directories, std::string_view name);

    // Returns the next path, valid until the next call; null: there is none. Skips paths longer than PATH_MAX. An empty
    // entry is the current directory.
    char* next();

  private:
    const char* rest_; // null: no further directory
    std::string_view name_;
    char path_[PATH_MAX]; // only the part in use is touched
};

} // namespace foster::sys
