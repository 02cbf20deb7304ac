#include "child/credentials.hpp"

#include "log/log.hpp"
#include "sys/memory.hpp"
#include "sys/processes.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <span>
#include <unistd.h>

namespace foster
{
namespace
{

constexpr std::uint64_t MAX_ID = 0xfffffffe; // the next number means "leave unchanged", setresuid(2)

std::optional<std::uint32_t> parse_id(std::string_view text)
{
    std::uint64_t number = 0;
    for (const char digit : text) {
        if (digit < '0' || digit > '9' || number > MAX_ID) {
            return {};
        }
        number = number * 10 + static_cast<std::uint64_t>(digit - '0');
    }
    if (text.empty() || number > MAX_ID) {
        return {};
    }
    return static_cast<std::uint32_t>(number);
}

// Returns the text before the separator, and removes it and the separator from `text`.
std::string_view take_part(std::string_view& text, char separator)
{
    const auto end = std::min(text.find(separator), text.size());
    const std::string_view part(text.data(), end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
}

// A line of /etc/passwd, passwd(5), or of /etc/group, group(5).
struct Entry {
    std::array<std::string_view, 7> fields;

    std::string_view name() const { return fields[0]; }
    std::optional<std::uint32_t> id() const { return parse_id(fields[2]); }
    std::optional<std::uint32_t> group() const { return parse_id(fields[3]); } // passwd
    std::string_view members() const { return fields[3]; }                     // group
    std::string_view home() const { return fields[5]; }                        // passwd
};

// Iterates over the entries of /etc/passwd or /etc/group. An absent file has no entries.
class Entries
{
  public:
    explicit Entries(const char* path)
    {
        const auto file = sys::map_file(path);
        if (!file && file.error != ENOENT) {
            log::fail(log::failure_code(), "start-failed|cannot read {path}: {reason}", path, log::Error{file.error});
        }
        rest_ = file.value;
    }

    bool next(Entry& entry)
    {
        if (rest_.empty()) {
            return false;
        }
        auto line = take_part(rest_, '\n');
        for (auto& field : entry.fields) {
            field = take_part(line, ':');
        }
        return true;
    }

  private:
    std::string_view rest_;
};

bool contains(std::string_view members, std::string_view name)
{
    while (!members.empty()) {
        if (take_part(members, ',') == name) {
            return true;
        }
    }
    return false;
}

} // namespace

Credentials::Credentials(const char* specification)
{
    std::string_view group = specification;
    const auto user = take_part(group, ':');
    look_up_user(user);
    if (user.size() < std::strlen(specification)) {
        group_count_ = 0;
        look_up_group(group);
        groups_[group_count_++] = group_;
    }
}

void Credentials::look_up_user(std::string_view user)
{
    const auto number = parse_id(user);
    Entries users("/etc/passwd");
    for (Entry entry; users.next(entry);) {
        const auto id = entry.id();
        const auto primary = entry.group();
        if (!id || !primary || !(number ? id == number : entry.name() == user)) {
            continue;
        }
        user_ = *id;
        group_ = *primary;
        const auto home = entry.home();
        if (!home.empty() && home.size() < home_.size() - std::strlen("HOME=")) {
            *std::copy(home.begin(), home.end(), home_.begin() + std::strlen("HOME=")) = '\0';
        }
        collect_groups(entry.name());
        return;
    }
    if (!number) {
        log::fail_usage("bad-usage|no such user: '{word}'", user);
    }
    user_ = *number;
    group_ = ::getgid();
    groups_[group_count_++] = group_;
}

void Credentials::look_up_group(std::string_view group)
{
    if (const auto number = parse_id(group)) {
        group_ = *number;
        return;
    }
    Entries groups("/etc/group");
    for (Entry entry; groups.next(entry);) {
        const auto id = entry.id();
        if (id && entry.name() == group) {
            group_ = *id;
            return;
        }
    }
    log::fail_usage("bad-usage|no such group: '{word}'", group);
}

void Credentials::collect_groups(std::string_view user)
{
    groups_[group_count_++] = group_;
    Entries groups("/etc/group");
    for (Entry entry; groups.next(entry);) {
        const auto id = entry.id();
        if (!id || *id == group_ || !contains(entry.members(), user)) {
            continue;
        }
        if (group_count_ == groups_.size()) {
            log::fail(log::failure_code(), "start-failed|user '{user}' is in more than {limit} groups", user,
                      groups_.size());
        }
        groups_[group_count_++] = *id;
    }
}

void Credentials::set_home(Environment& environment)
{
    environment.put(home_.data());
}

sys::Status Credentials::apply() const
{
    return sys::become_user(user_, group_, std::span(groups_).first(group_count_));
}

} // namespace foster
