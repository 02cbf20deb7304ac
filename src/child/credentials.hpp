// --user: who the child runs as.
#pragma once

#include "options/environment.hpp"
#include "sys/result.hpp"

#include <array>
#include <cstddef>
#include <sys/types.h>

namespace foster
{

class Credentials
{
  public:
    // NAME, UID, NAME:GROUP or UID:GID. Names are looked up in /etc/passwd and /etc/group; numbers need no file. Without a
    // group: the user's own one and all that /etc/group lists the user in. Ends foster where there is no such user or group.
    explicit Credentials(const char* specification);
    // Puts the user's home directory ("/" where it is not known) into HOME.
    void set_home(Environment& environment);
    // In the child, before exec.
    [[nodiscard]] sys::Status apply() const;

  private:
    void look_up_user(std::string_view user);
    void look_up_group(std::string_view group);
    void collect_groups(std::string_view user);

    uid_t user_ = 0;
    gid_t group_ = 0;
    std::array<gid_t, 256> groups_;
    std::size_t group_count_ = 0;
    std::array<char, 1024> home_{'H', 'O', 'M', 'E', '=', '/'};
};

} // namespace foster
