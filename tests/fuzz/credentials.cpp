// --user with any specification, /etc/passwd and /etc/group: the ids are those that a second reading of the files
// gives, or foster refuses to start.
#include "harness.hpp"

#include "child/credentials.hpp"
#include "log/log.hpp"

#include <algorithm>
#include <unistd.h>

namespace
{

using fuzz::expect;
using Words = std::vector<std::string>;

Words split(const std::string& text, char separator)
{
    Words words;
    for (std::size_t at = 0; at <= text.size();) {
        const auto end = std::min(text.find(separator, at), text.size());
        words.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return words;
}

std::optional<std::uint32_t> id_in(const std::string& word)
{
    const bool is_number = !word.empty() && word.find_first_not_of("0123456789") == std::string::npos;
    const auto number = is_number ? std::strtoull(word.c_str(), nullptr, 10) : UINT32_MAX;
    return number < UINT32_MAX ? std::optional(static_cast<std::uint32_t>(number)) : std::nullopt;
}

std::vector<Words> entries_of(const std::string& file)
{
    std::vector<Words> entries;
    for (const auto& line : split(file, '\n')) {
        auto& entry = entries.emplace_back(split(line, ':'));
        entry.resize(std::max(entry.size(), std::size_t{7}));
    }
    return entries;
}

struct Wanted {
    std::vector<std::uint32_t> ids; // empty: refused
    std::string home = "/";
};

Wanted look_up(const std::string& specification, const std::string& passwd, const std::string& group)
{
    constexpr std::size_t MAX_GROUPS = 256;
    const auto colon = specification.find(':');
    const auto user = specification.substr(0, colon);
    const auto number = id_in(user);
    Wanted wanted;
    if (number) {
        wanted.ids = {*number, ::getgid(), ::getgid()};
    }
    for (const auto& entry : entries_of(passwd)) {
        const auto id = id_in(entry[2]);
        const auto primary = id_in(entry[3]);
        if (!id || !primary || (number ? id != number : entry[0] != user)) {
            continue;
        }
        wanted.ids = {*id, *primary, *primary};
        wanted.home = entry[5].empty() || entry[5].size() >= 1024 - 5 ? "/" : entry[5];
        for (const auto& other : entries_of(group)) {
            auto members = split(other[3], ',');
            members.resize(members.size() - (members.back().empty() ? 1 : 0)); // nothing is after the last comma
            const auto other_id = id_in(other[2]);
            if (other_id && other_id != primary && std::ranges::count(members, entry[0]) != 0) {
                wanted.ids.push_back(*other_id);
            }
        }
        break;
    }
    if (wanted.ids.empty() || wanted.ids.size() > 2 + MAX_GROUPS) {
        return {};
    }
    if (colon != std::string::npos) {
        auto only = id_in(specification.substr(colon + 1));
        for (const auto& entry : entries_of(group)) {
            only = !only && entry[0] == specification.substr(colon + 1) ? id_in(entry[2]) : only;
        }
        wanted.ids = only ? std::vector{wanted.ids[0], *only, *only} : std::vector<std::uint32_t>();
    }
    return wanted;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::reset();
    fuzz::Input input(data, size);
    const auto first = input.byte();
    foster::log::set_json((first & 1) != 0);
    const auto specification = input.text();
    auto passwd = input.text();
    auto group = input.rest();
    // Near the limits, which an input is too short for.
    const auto more = first >> 4;
    if ((first & 2) != 0) {
        passwd = "long:x:5:5::/" + std::string(1024 - 6 - 8 + more, 'h') + ":\n" + passwd;
    }
    for (unsigned count = 0; (first & 4) != 0 && count < 256 - 8 + more; ++count) {
        group += "\ng:x:" + std::to_string(count) + ":long,app";
    }
    fuzz::world.files = [&](std::string_view path) {
        return path == "/etc/passwd"  ? std::optional(passwd)
               : path == "/etc/group" ? std::optional(group)
                                      : std::nullopt;
    };
    const auto wanted = look_up(specification, passwd, group);
    std::string home;
    const auto code = fuzz::exit_code_of([&] {
        foster::Credentials credentials(specification.c_str());
        expect(static_cast<bool>(credentials.apply()));
        char* variables[] = {nullptr};
        foster::Environment environment(variables);
        credentials.set_home(environment);
        home = environment.find("HOME");
    });
    expect(code ? *code == 125 && !fuzz::world.lines.empty() && wanted.ids.empty() : fuzz::world.ids == wanted.ids);
    // The files may hold null bytes, HOME ends at one.
    expect(code || home == wanted.home.c_str());
    return 0;
}
