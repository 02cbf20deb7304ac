#include "options/personality.hpp"

#include <cstring>
#include <string_view>

namespace foster
{
namespace
{

constexpr Personality PERSONALITIES[] = {
    {"foster", "", false, false, false, false, 125, 126, 127},
    {"tini", "TINI_", true, false, false, false, 1, 126, 127},
    {"tini-static", "TINI_", true, false, false, false, 1, 126, 127},
    {"docker-init", "TINI_", true, false, false, false, 1, 126, 127},
    {"catatonit", "CATATONIT_", true, false, false, false, 1, 1, 1},
    {"podman-init", "CATATONIT_", true, false, false, false, 1, 1, 1},
    {"dumb-init", "DUMB_INIT_", false, true, true, false, 1, 2, 2},
    {"pause", "", false, false, false, true, 1, 126, 127},
};

} // namespace

const Personality& personality_of(const char* invoked_as)
{
    const char* slash = invoked_as == nullptr ? nullptr : std::strrchr(invoked_as, '/');
    const char* name = slash == nullptr ? invoked_as : slash + 1;
    for (const auto& personality : PERSONALITIES) {
        if (name != nullptr && std::string_view(name) == &personality.name[0]) {
            return personality;
        }
    }
    return PERSONALITIES[0];
}

} // namespace foster
