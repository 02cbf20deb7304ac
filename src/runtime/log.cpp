#include "runtime/log.hpp"

#include "log/line_writer.hpp"
#include "log/log.hpp"
#include "sys/files.hpp"

#include <fcntl.h>
#include <string_view>
#include <unistd.h>

namespace foster::runtime
{

void log_unchanged(const CommandLine& line, const char* file, const char* reason)
{
    // crun's --log may also name another kind of log: "file:PATH", "journald:NAME", "syslog:NAME".
    constexpr std::string_view FILE_LOG = "file:";
    const char* path = line.log;
    const std::string_view name = path == nullptr ? "" : path;
    if (name.starts_with(FILE_LOG)) {
        path += FILE_LOG.size();
    } else if (name.starts_with("journald:") || name.starts_with("syslog:")) {
        path = nullptr;
    }
    // The file name comes last, because a long text is cut off.
    const auto add_text = [reason, file](log::Line& text) {
        text.add("foster-runtime: not put under foster: {}: '{}'", reason, file);
    };
    log::Line time;
    log::add_time(time);
    const auto log = path == nullptr ? sys::Result<sys::Fd>{{}, -1}
                                     : sys::open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK);
    log::Line entry;
    if (!log) {
        add_text(entry);
    } else {
        log::Line text;
        add_text(text);
        if (line.log_format != nullptr && std::string_view(line.log_format) == "json") {
            entry.begin_object();
            entry.add_members("{level}{msg}{time}", "warning", text.text(), time.text());
            entry.end_object();
        } else {
            entry.add(R"(time="{}" level=warning msg=)", time.text());
            entry.add_json(text.text()); // logfmt quotes and escapes in the same way
        }
    }
    (void)log::LineWriter(log ? log.value.number() : STDERR_FILENO).write(entry.finished());
}

} // namespace foster::runtime
