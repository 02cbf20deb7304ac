#include "harness.hpp"

#include "log/line_writer.hpp"
#include "log/log.hpp"
#include "sys/files.hpp"
#include "sys/memory.hpp"
#include "sys/processes.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

namespace fuzz
{

World world;

namespace
{

// What the parts under test have mapped, each in a block of its own, so that a byte too far is seen.
std::vector<std::unique_ptr<char[]>> memory;
std::optional<std::string> opened; // the file that is open, less what has been read
constexpr int OPENED = 1000;       // its descriptor

char* allocate(std::size_t size)
{
    return memory.emplace_back(std::make_unique<char[]>(size)).get();
}

} // namespace

void expect(bool holds)
{
    if (!holds) {
        std::abort();
    }
}

unsigned Input::byte()
{
    if (rest_.empty()) {
        return 0;
    }
    const auto first = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return first;
}

std::string Input::text()
{
    const auto size = std::min(rest_.find('\0'), rest_.size());
    std::string text(rest_.substr(0, size));
    rest_.remove_prefix(std::min(size + 1, rest_.size()));
    return text;
}

void reset()
{
    world = {};
    memory.clear();
    opened.reset();
    foster::log::set_json(false);
    foster::log::set_failure_code(125);
}

std::string as_utf8(std::string_view text)
{
    std::string result;
    while (!text.empty()) {
        const auto at = [text](std::size_t index) {
            return index < text.size() ? static_cast<unsigned char>(text[index]) : 0U;
        };
        const std::size_t size = at(0) < 0x80       ? 1
                                 : at(0) >> 5 == 6  ? 2
                                 : at(0) >> 4 == 14 ? 3
                                 : at(0) >> 3 == 30 ? 4
                                                    : 0;
        unsigned code = size < 2 ? at(0) : at(0) & (0x7fU >> size);
        bool is_valid = size != 0;
        for (std::size_t index = 1; index < size; ++index) {
            is_valid = is_valid && at(index) >> 6 == 2;
            code = code << 6 | (at(index) & 0x3f);
        }
        constexpr unsigned LEAST[] = {0, 0, 0x80, 0x800, 0x10000};
        is_valid = is_valid && code >= LEAST[size] && code <= 0x10ffff && code >> 11 != 0x1b;
        result += is_valid ? text.substr(0, size) : "\ufffd";
        text.remove_prefix(is_valid ? size : 1);
    }
    return result;
}

void expect_line(std::string_view line)
{
    constexpr std::size_t MAX_LINE = 1536;
    expect(!line.empty() && line.size() <= MAX_LINE && line.back() == '\n');
    for (std::size_t at = 0; at + 1 < line.size(); ++at) {
        const auto byte = static_cast<unsigned char>(line[at]);
        const auto next = static_cast<unsigned char>(line[at + 1]);
        expect(byte >= ' ' && byte != 0x7f && !(byte == 0xc2 && next >= 0x80 && next < 0xa0));
    }
}

Members parse_object(std::string_view line)
{
    Members members;
    std::string key;
    // A key that comes twice would be lost in the object that the parser returns.
    const auto see = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
        using Event = nlohmann::json::parse_event_t;
        if (event == Event::key) {
            key = value.get<std::string>();
        } else if (event == Event::value) {
            expect(depth == 1 &&
                   members.emplace(key, value.is_string() ? value.get<std::string>() : value.dump()).second);
        }
        return true;
    };
    expect_line(line);
    const auto object = nlohmann::json::parse(line, see, false);
    expect(object.is_object());
    return members;
}

} // namespace fuzz

// In place of _exit(2) and getpid(2), by the linker's --wrap.
extern "C" int __wrap_getpid()
{
    return fuzz::OWN_PID;
}

extern "C" [[noreturn]] void __wrap__exit(int code)
{
    throw fuzz::Exit{code};
}

namespace foster::log
{

sys::Status LineWriter::write(std::span<const char> line, sys::Nanoseconds /*at_most*/)
{
    if (fd_ != STDERR_FILENO) {
        return {{}, EBADF};
    }
    const auto& written = fuzz::world.lines.emplace_back(line.begin(), line.end());
    if (is_json()) {
        fuzz::world.members = fuzz::parse_object(written);
    } else {
        fuzz::expect_line(written);
    }
    return {};
}

void LineWriter::retry() {}
void LineWriter::finish() {}

} // namespace foster::log

namespace foster::sys
{

Nanoseconds realtime_now()
{
    return fuzz::world.now;
}

Nanoseconds monotonic_now()
{
    return 1;
}

bool Deadline::is_over() const
{
    return is_over(monotonic_now());
}

std::optional<int> Helper::reaped()
{
    return {};
}

void Helper::signal(int /*number*/) const {}

void close(int /*fd*/)
{
    fuzz::opened.reset();
}

Result<Fd> open_of_kernel(const char* path, int /*flags*/)
{
    fuzz::opened = fuzz::world.files(path);
    return fuzz::opened ? Result<Fd>{Fd(fuzz::OPENED)} : Result<Fd>{{}, ENOENT};
}

Result<std::size_t> read(int fd, std::span<char> buffer)
{
    fuzz::expect(fd == fuzz::OPENED || !fuzz::opened);
    if (!fuzz::opened) {
        return {0, EBADF};
    }
    std::ranges::fill(buffer, fuzz::world.after_content);
    const auto size = std::min({buffer.size(), fuzz::opened->size(), fuzz::world.bytes_at_once});
    std::copy_n(fuzz::opened->begin(), size, buffer.begin());
    fuzz::opened->erase(0, size);
    return {size};
}

Result<std::string_view> read_of_kernel(const char* path, std::span<char> buffer)
{
    const auto content = fuzz::world.files(path);
    if (!content) {
        return {{}, ENOENT};
    }
    std::ranges::fill(buffer, fuzz::world.after_content);
    const auto size = std::min(buffer.size(), content->size());
    std::copy_n(content->begin(), size, buffer.begin());
    return {{buffer.data(), size}};
}

Result<std::string_view> readlink(const char* path, std::span<char> buffer)
{
    return read_of_kernel(path, buffer);
}

Result<std::string_view> map_file(const char* path)
{
    const auto content = fuzz::world.files(path);
    if (!content) {
        return {{}, ENOENT};
    }
    char* const bytes = fuzz::allocate(content->size());
    std::ranges::copy(*content, bytes);
    return {{bytes, content->size()}};
}

Result<void*> map_memory(std::size_t size, bool /*is_shared*/)
{
    return {fuzz::allocate(size)};
}

Status become_user(uid_t user, gid_t group, std::span<const gid_t> groups)
{
    fuzz::world.ids = {user, group};
    fuzz::world.ids.insert(fuzz::world.ids.end(), groups.begin(), groups.end());
    return {};
}

} // namespace foster::sys
