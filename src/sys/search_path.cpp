#include "sys/search_path.hpp"

#include "sys/text.hpp"

#include <algorithm>

namespace foster::sys
{

SearchPath::SearchPath(const char* directories, std::string_view name)
    : rest_(directories != nullptr ? directories : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
      name_(name)
{
}

char* SearchPath::next()
{
    while (rest_ != nullptr) {
        const char* const end = end_at(rest_, ':');
        const std::string_view directory(rest_, static_cast<std::size_t>(end - rest_));
        rest_ = *end == '\0' ? nullptr : end + 1;
        if (directory.size() + name_.size() + 2 <= sizeof path_) {
            char* at = std::ranges::copy(directory, &path_[0]).out;
            if (!directory.empty()) {
                *at++ = '/';
            }
            *std::ranges::copy(name_, at).out = '\0';
            return &path_[0];
        }
    }
    return nullptr;
}

} // namespace foster::sys
