#include "runtime/bundle.hpp"

#include "runtime/log.hpp"
#include "runtime/plan.hpp"
#include "sys/files.hpp"
#include "sys/memory.hpp"
#include "sys/replace_file.hpp"
#include "sys/signals.hpp"
#include "sys/text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <fcntl.h>
#include <span>

namespace foster::runtime
{
namespace
{

using Words = sys::FixedText<4096>;
using Mount = sys::FixedText<PATH_MAX + 256>;

// Whether the text can be a JSON string without escapes.
bool is_plain(std::string_view text)
{
    return std::ranges::all_of(
        text, [](char byte) { return static_cast<unsigned char>(byte) >= ' ' && byte != '"' && byte != '\\'; });
}

// Adds foster's words, which go before the process's own. Returns null, or the problem.
const char* add_words(Words& words, const CommandLine& line)
{
    const auto add_word = [&words](std::string_view word) {
        words.add("\"");
        words.add(word);
        words.add("\",");
    };
    add_word(INIT_PATH);
    for (auto rest = line.init_options.text(); !rest.empty();) {
        const auto size = std::min(rest.find(' '), rest.size());
        if (size != 0) {
            add_word({rest.data(), size});
        }
        rest.remove_prefix(std::min(size + 1, rest.size()));
    }
    add_word("--");
    return line.init_options.is_complete() && words.is_complete() && is_plain(line.init_options.text())
               ? nullptr
               : "the options for foster are too long, or hold quotes";
}

// Adds the mount of foster's binary: --foster-init, or the file beside this program. Returns null, or the problem.
const char* add_mount(Mount& mount, const CommandLine& line)
{
    sys::FixedText<PATH_MAX> init;
    if (line.init != nullptr) {
        init.add(line.init);
    } else {
        std::array<char, PATH_MAX> own{};
        const auto link = sys::readlink("/proc/self/exe", own).value;
        init.add({link.data(), link.rfind('/') + 1});
        init.add("foster");
    }
    if (!init.is_complete() || !is_plain(init.text()) || !sys::is_executable_file(init.c_string())) {
        return "foster is not there to be executed, beside foster-runtime or as '--foster-init' says";
    }
    mount.add(R"(,{"destination":")");
    mount.add(INIT_PATH);
    mount.add(R"(","type":"bind","source":")");
    mount.add(init.text());
    mount.add(R"(","options":["bind","ro","nosuid","nodev"]})");
    return nullptr; // there is room for any path
}

// Reads a whole regular file into memory. It is not mapped: access to a mapped file that another process truncates
// would kill this program.
sys::Result<std::string_view> read_regular(int fd, const struct stat& state)
{
    if (!S_ISREG(state.st_mode)) {
        return {{}, EINVAL};
    }
    const auto size = static_cast<std::size_t>(state.st_size);
    const auto memory = sys::map_memory(size + 1);
    if (!memory) {
        return {{}, memory.error};
    }
    const std::span buffer(static_cast<char*>(memory.value), size);
    std::size_t at = 0;
    while (at < size) {
        const auto count = sys::read(fd, buffer.subspan(at));
        if (!count || count.value == 0) {
            return {{}, count ? EIO : count.error};
        }
        at += count.value;
    }
    return {{buffer.data(), size}};
}

// Returns null, or why foster could not be inserted. Null also if foster is not wanted.
const char* put_under_foster(const CommandLine& line, const char* config)
{
    const auto file = sys::open(config, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    const auto state = sys::fstat(file.value.number());
    const auto text = read_regular(file.value.number(), state.value);
    if (!file || !state || !text) {
        return "it cannot be read, or is no regular file";
    }
    const auto plan = plan_for(text.value);
    if (!plan.is_wanted) {
        return plan.problem;
    }
    Words words;
    if (const char* problem = add_words(words, line)) {
        return problem;
    }
    Mount mount;
    if (const char* problem = add_mount(mount, line)) {
        return problem;
    }
    const auto part = [&text](std::size_t start, std::size_t end) {
        return std::string_view(text.value.data() + start, end - start);
    };
    const auto first = std::min(plan.args_at, plan.mounts_at);
    const auto second = std::max(plan.args_at, plan.mounts_at);
    const bool words_are_first = first == plan.args_at;
    const std::string_view pieces[] = {part(0, first), words_are_first ? words.text() : mount.text(),
                                       part(first, second), words_are_first ? mount.text() : words.text(),
                                       part(second, text.value.size())};
    const auto replaced =
        sys::replace_file(config, pieces, {state.value.st_mode, state.value.st_uid, state.value.st_gid});
    return replaced ? nullptr : "it cannot be replaced by an edited one";
}

} // namespace

void put_under_foster(const CommandLine& line)
{
    // All signals are blocked, so that none leaves a temporary file in the bundle. SIGPIPE (standard error without a
    // reader) and SIGXFSZ (a limit on file sizes) must not end this program, since the real runtime handles such
    // problems itself.
    const auto mask = sys::set_signal_mask(sys::ALL_SIGNALS);
    sys::FixedText<PATH_MAX> config;
    if (std::string_view(line.config) == OWN_CONFIG) {
        config.add(line.bundle);
        config.add("/");
    }
    config.add(line.config);
    if (const char* problem = put_under_foster(line, config.c_string())) {
        log_unchanged(line, config.c_string(), problem);
    }
    if (mask) {
        sys::drop_pending(sys::bit_of(SIGPIPE) | sys::bit_of(SIGXFSZ));
        (void)sys::set_signal_mask(mask.value);
    }
}

} // namespace foster::runtime
