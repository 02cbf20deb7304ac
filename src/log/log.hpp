// Messages: one line each on standard error, written without waiting for the reader.
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
        log_values(wanted, message.text(), message.KINDS, to_vararg(values)...);
    }
    template <typename... Values> void warning(Message<Values...> message, Values... values) const
    {
        log_values(Level::WARNING, message.text(), message.KINDS, to_vararg(values)...);
    }
    template <typename... Values> void info(Message<Values...> message, Values... values) const
    {
        log_values(Level::INFO, message.text(), message.KINDS, to_vararg(values)...);
    }
    template <typename... Values> void debug(Message<Values...> message, Values... values) const
    {
        log_values(Level::DEBUG, message.text(), message.KINDS, to_vararg(values)...);
    }

    // Writes a line that compose() made.
    void write(Level wanted, Line& line) const;

  private:
    void log_values(Level wanted, const char* message, Kinds kinds, ...) const;
};

// Adds the current time, as in "2026-11-24T03:44:53.120Z", RFC 3339.
void add_time(Line& line);

void compose_values(Line& line, Level level, const char* message, Kinds kinds, ...);
// Formats a message as text or JSON, without writing it.
template <typename... Values> void compose(Line& line, Level level, Message<Values...> message, Values... values)
{
    compose_values(line, level, message.text(), message.KINDS, to_vararg(values)...);
}

// The time at which retry_messages() writes messages that found no room, and reports how many were lost.
inline sys::Deadline next_message_retry; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
void retry_messages();
// To be called before foster exits. Waits up to a tenth of a second for a partly written line, and reports the number
// of lost messages if there is room.
void finish_messages();

// Sets a second descriptor for the message of an error that ends foster; -1: none.
void set_error_log(int fd);

// Selects JSON objects or text as the format of messages.
void set_json(bool json);
bool is_json();

// Sets the name at the beginning of each message, at most 15 bytes. The default is "foster".
void set_program(std::string_view name);

// The exit code for foster's own failures: 125, unless the personality has another one.
int failure_code();
void set_failure_code(int code);

inline constexpr int USAGE = -1; // in place of a code: failure_code(), and a second line that points to the help
[[noreturn]] void exit_with(int code, const char* message, Kinds kinds, ...);
// The way out of set-up after a failure: logs "foster: error: <text>" and exits with this code.
template <typename... Values> [[noreturn]] void fail(int code, Message<Values...> message, Values... values)
{
    exit_with(code, message.text(), message.KINDS, to_vararg(values)...);
}
// As fail(), with failure_code() and a second line that points to --help.
template <typename... Values> [[noreturn]] void fail_usage(Message<Values...> message, Values... values)
{
    exit_with(USAGE, message.text(), message.KINDS, to_vararg(values)...);
}

// For set-up only: returns the value, or ends foster with "cannot <doing>: <reason>".
[[noreturn]] void fail_doing(const char* doing, int error);
template <typename T> T must(sys::Result<T> result, const char* doing)
{
    if (!result) {
        fail_doing(doing, result.error);
    }
    return static_cast<T&&>(result.value);
}

} // namespace foster::log
