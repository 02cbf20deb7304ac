// --user: the user and groups that the child runs as.
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
    // specification: NAME, UID, NAME:GROUP or UID:GID. Names are looked up in /etc/passwd and /etc/group; numbers need
    // no file. Without a group, it takes the user's primary group and all groups in which /etc/group lists the user.
    // Ends foster if there is no such user or group.
    explicit Credentials(const char* specification);
    // Sets HOME to the user's home directory, or to "/" if that is unknown.
    void set_home(Environment& environment);
    // Applies the credentials to this process. For the child, before exec. setresuid(2), setgroups(2).
    [[nodiscard]] sys::Status apply() const;

  private:
    void look_up_user(std::string_view user);
    void look_up_group(std::string_view group);
    void collect_groups(std::string_view user);

    uid_t user_ = 0;
    gid_t group_ = 0;
    std::size_t group_count_ = 0;
    std::array<gid_t, 256> groups_;
    std::array<char, 1024> home_{'H', 'O', 'M', 'E', '=', '/'};
};

} // namespace foster
