// Messages: one line each, on standard error, written at once and never waited for.
#pragma once

#include "log/line.hpp"
#include "sys/clock.hpp"
#include "sys/result.hpp"

namespace foster::log
{

enum class Level : std::uint8_t { ERROR, WARNING, INFO, DEBUG };

class Messages
{
  public:
    Level level = Level::WARNING;

    bool shows(Level wanted) const { return wanted <= level; }
    template <typename... Values> void log(Level wanted, Message<Values...> message, Values... values) const
    {
        say(wanted, message.text(), message.KINDS, to_vararg(values)...);
    }
    template <typename... Values> void warning(Message<Values...> message, Values... values) const
    {
        say(Level::WARNING, message.text(), message.KINDS, to_vararg(values)...);
    }
    template <typename... Values> void info(Message<Values...> message, Values... values) const
    {
        say(Level::INFO, message.text(), message.KINDS, to_vararg(values)...);
    }
    template <typename... Values> void debug(Message<Values...> message, Values... values) const
    {
        say(Level::DEBUG, message.text(), message.KINDS, to_vararg(values)...);
    }

    // What compose() has made.
    void write(Level wanted, Line& line) const;

  private:
    void say(Level wanted, const char* message, Kinds kinds, ...) const;
};

// "2026-11-24T03:44:53.120Z", RFC 3339.
void add_time(Line& line);

void compose_values(Line& line, Level level, const char* message, Kinds kinds, ...);
// A message in the form that it is written in.
template <typename... Values> void compose(Line& line, Level level, Message<Values...> message, Values... values)
{
    compose_values(line, level, message.text(), message.KINDS, to_vararg(values)...);
}

// When to go on with messages that found no room, and to say how many were lost.
inline sys::Deadline next_look_at_messages; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
void go_on_with_messages();
// Before foster ends: waits a little for a line that is half written, and says how many were lost, if there is room for that now.
void finish_messages();

// A descriptor that the line of an error that ends foster is written to, too; -1: none.
void set_error_log(int fd);

// Whether messages are objects of JSON from now on.
void set_json(bool json);
bool is_json();

// The name that messages begin with, at most 15 bytes; "foster" until then.
void set_program(std::string_view name);

// The code that foster ends with when foster itself failed: 125 until a personality has changed it.
int failure_code();
void set_failure_code(int code);

[[noreturn]] void end_with(int code, const char* message, Kinds kinds, ...);
// The one way out of set-up when it fails: "foster: error: <text>", and the end of foster with this code.
template <typename... Values> [[noreturn]] void fail(int code, Message<Values...> message, Values... values)
{
    end_with(code, message.text(), message.KINDS, to_vararg(values)...);
}
[[noreturn]] void end_for_usage(const char* message, Kinds kinds, ...);
// The same with failure_code() and a second line that points to the help.
template <typename... Values> [[noreturn]] void fail_usage(Message<Values...> message, Values... values)
{
    end_for_usage(message.text(), message.KINDS, to_vararg(values)...);
}

// Set-up only: the value, or the end of foster with "cannot <doing>: <reason>".
[[noreturn]] void fail_doing(const char* doing, int error);
template <typename T> T must(sys::Result<T> result, const char* doing)
{
    if (!result) {
        fail_doing(doing, result.error);
    }
    return static_cast<T&&>(result.value);
}

} // namespace foster::log
