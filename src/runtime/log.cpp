#include "log.hpp"

#include "sys/kernel.hpp"
#include "sys/output.hpp"

#include <fcntl.h>
#include <string_view>

namespace foster::runtime
{

void tell_unchanged(const CommandLine& line, const char* file, const char* reason)
{
    // crun's names other kinds of logs, too: "file:PATH", "journald:NAME", "syslog:NAME".
    constexpr std::string_view FILE_LOG = "file:";
    const char* path = line.log;
    if (path != nullptr && std::string_view(path).starts_with(FILE_LOG)) {
        path += FILE_LOG.size();
    }
    sys::Line what;
    what.add("foster-runtime: not put under foster: '{}': {}", file, reason);
    sys::Line time;
    sys::add_time(time);
    sys::Line entry;
    const bool is_json = line.log_format != nullptr && std::string_view(line.log_format) == "json";
    const auto log = path == nullptr ? sys::Result<sys::Fd>{{}, -1}
                                     : sys::open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK);
    if (!log) {
        entry.add("{:v}", what.text());
    } else if (is_json) {
        entry.begin_object();
        entry.add_members("{level}{msg:v}{time:v}", "warning", what.text(), time.text());
        entry.end_object();
    } else {
        entry.add(R"(time="{:v}" level=warning msg="{:v}")", time.text(), what.text());
    }
    (void)sys::write_within(0, log ? log.value.number() : 2, entry.finished());
}

} // namespace foster::runtime
