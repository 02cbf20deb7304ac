#include "options/environment.hpp"

#include "log/log.hpp"
#include "sys/memory.hpp"
#include "sys/text.hpp"

#include <algorithm>

namespace foster
{
namespace
{

constexpr std::size_t EXTRA_SLOTS = 64;

bool begins_with(const char* text, std::string_view beginning)
{
    return std::string_view(text).starts_with(beginning);
}

} // namespace

Environment::Environment(char** environment) : variables_(environment)
{
    while (environment[count_] != nullptr) {
        ++count_;
    }
}

char** Environment::slot_of(std::string_view name) const
{
    char** variable = variables_;
    while (*variable != nullptr && !(begins_with(*variable, name) && (*variable)[name.size()] == '=')) {
        ++variable;
    }
    return variable;
}

const char* Environment::find(std::string_view name) const
{
    const char* found = *slot_of(name);
    return found == nullptr ? nullptr : found + name.size() + 1;
}

char* Environment::take(std::string_view name)
{
    char* value = nullptr;
    for (char** slot = slot_of(name); *slot != nullptr; slot = slot_of(name)) {
        value = value == nullptr ? *slot + name.size() + 1 : value;
        std::copy(slot + 1, variables_ + count_ + 1, slot);
        --count_;
    }
    return value;
}

void Environment::put(char* assignment)
{
    const char* equals = sys::end_at(assignment, '=');
    char** slot = slot_of({assignment, static_cast<std::size_t>(equals - assignment)});
    if (*slot != nullptr) {
        *slot = assignment;
        return;
    }
    if (free_slots_ == 0) {
        // Never freed: foster has no heap.
        const auto size = (count_ + EXTRA_SLOTS + 1) * sizeof(char*);
        auto* larger = static_cast<char**>(log::must(sys::map_memory(size), "enlarge the environment"));
        std::copy(variables_, variables_ + count_, larger);
        variables_ = larger;
        free_slots_ = EXTRA_SLOTS;
    }
    variables_[count_++] = assignment;
    variables_[count_] = nullptr;
    --free_slots_;
}

} // namespace foster
