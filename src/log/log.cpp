#include "log/log.hpp"

#include "sys/clock.hpp"

#include "log/line_writer.hpp"
#include "sys/text.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <sys/types.h>

namespace foster::log
{
namespace
{

// The only global variable of the program: every failure in set-up needs it, and its content is known before most of
// set-up.
struct {
    int failure_code = 125;
    int error_log = -1;
    bool json = false;
    int lost = 0; // messages that found no room and are not reported yet
    LineWriter writer{STDERR_FILENO};
    int retry_interval = 0; // nanoseconds
    pid_t retried = 0;      // the helper that was busy at the last retry
    std::array<char, 16> program{"foster"};
} output; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

void add_two_digits(Line& line, const char* before, std::int64_t number)
{
    line.add("{}{}{}", before, number / 10, number % 10);
}

void compose_list(Line& line, Level level, const char* message, Kinds kinds, std::va_list values)
{
    static constexpr char LEVELS[][8] = {"error", "warning", "info", "debug"};
    const char* const name = &LEVELS[static_cast<std::size_t>(level)][0];
    const char* const pattern = sys::end_at(message, '|') + 1;
    if (!output.json) {
        line.add("{}: ", output.program.data());
        if (level <= Level::WARNING) {
            line.add("{}: ", name);
        }
        line.add_list(pattern, kinds, values);
        return;
    }
    Line part;
    add_time(part);
    line.begin_object();
    line.add_members("{time}{level}{event}", part.text(), name,
                     std::string_view(message, static_cast<std::size_t>(pattern - message - 1)));
    std::va_list again;
    va_copy(again, values);
    line.add_list(pattern, kinds | AS_MEMBERS, again);
    va_end(again);
    part.clear();
    part.add_list(pattern, kinds, values);
    line.add_members("{message}", part.text());
    line.end_object();
}

// Not inlined, because the line takes much of the stack.
[[gnu::noinline]] bool report_lost()
{
    Line line;
    compose(line, Level::WARNING, "messages-lost|{messages} message{} found no room on standard error", output.lost,
            output.lost == 1 ? "" : "s");
    const bool is_written = static_cast<bool>(output.writer.write(line.finished()));
    output.lost = is_written ? 0 : output.lost;
    return is_written;
}

constexpr int FIRST_RETRY = 10'000'000;
constexpr int MAX_RETRY = 1'000'000'000;

bool has_unwritten()
{
    return output.lost != 0 || output.writer.has_unwritten();
}

void retry_in(int interval)
{
    output.retry_interval = std::min(interval, MAX_RETRY);
    next_message_retry = sys::Deadline::in(output.retry_interval);
}

// Never blocks: while all signals are blocked, a stalled reader of standard error must not stall foster.
void write_message(std::string_view line, sys::Nanoseconds at_most)
{
    const bool is_written = (output.lost == 0 || report_lost()) && output.writer.write(line, at_most);
    output.lost += is_written ? 0 : 1;
    if (!next_message_retry.is_set() && has_unwritten()) {
        retry_in(FIRST_RETRY);
    }
}

constexpr sys::Nanoseconds TIMEOUT = 1'000'000'000; // for the reader of an error that ends foster

void write_error(const char* message, Kinds kinds, std::va_list values)
{
    Line line;
    compose_list(line, Level::ERROR, message, kinds, values);
    write_message(line.finished(), TIMEOUT);
    output.writer.finish();
    LineWriter log(output.error_log);
    (void)log.write(line.finished(), TIMEOUT);
    log.finish();
}

} // namespace

// Years are counted from March, so that a leap day is the last day of a year. Correct until 2100.
void add_time(Line& line)
{
    constexpr int FOUR_YEARS = 1461;
    constexpr int MARCH_1968 = -671; // the day number of 1 March 1968, counted from 1970
    constexpr int FIVE_MONTHS = 153;
    const auto now = sys::realtime_now() / 1'000'000;
    const auto day = now / 86'400'000 - MARCH_1968;
    const auto cycle = day % FOUR_YEARS;
    const auto year = std::min(cycle / 365, std::int64_t{3});
    const auto day_of_year = cycle - year * 365;
    const auto month = (day_of_year * 5 + 2) / FIVE_MONTHS; // 0: March
    line.add("{}", 1968 + day / FOUR_YEARS * 4 + year + month / 10);
    add_two_digits(line, "-", (month + 2) % 12 + 1);
    add_two_digits(line, "-", day_of_year - (month * FIVE_MONTHS + 2) / 5 + 1);
    add_two_digits(line, "T", now / 3'600'000 % 24);
    add_two_digits(line, ":", now / 60'000 % 60);
    add_two_digits(line, ":", now / 1000 % 60);
    add_two_digits(line, ".", now / 10 % 100);
    line.add("{}Z", now % 10);
}

void Messages::log_values(Level wanted, const char* message, Kinds kinds, ...) const
{
    if (!shows(wanted)) {
        return;
    }
    std::va_list values;
    va_start(values, kinds);
    Line line;
    compose_list(line, wanted, message, kinds, values);
    va_end(values);
    write(wanted, line);
}

void compose_values(Line& line, Level level, const char* message, Kinds kinds, ...)
{
    std::va_list values;
    va_start(values, kinds);
    compose_list(line, level, message, kinds, values);
    va_end(values);
}

void Messages::write(Level wanted, Line& line) const
{
    if (shows(wanted)) {
        write_message(line.finished(), 0);
    }
}

void retry_messages()
{
    if (!next_message_retry.is_over()) {
        return;
    }
    next_message_retry = {};
    output.writer.retry();
    if (output.retry_interval == MAX_RETRY) {
        output.writer.resume_helper();
    }
    if ((output.lost != 0 && !report_lost()) || has_unwritten()) {
        // After a new helper the interval begins anew: lines are being written, only faster than one helper can.
        const bool is_new = output.retried != output.writer.helper();
        output.retried = output.writer.helper();
        retry_in(is_new ? FIRST_RETRY : 2 * output.retry_interval);
    }
}

void finish_messages()
{
    output.writer.finish();
    if (output.lost != 0) {
        (void)report_lost();
    }
}

void set_program(std::string_view name)
{
    *std::ranges::copy(name, output.program.begin()).out = '\0';
}

void set_error_log(int fd)
{
    output.error_log = fd;
}

void set_json(bool json)
{
    output.json = json;
}

bool is_json()
{
    return output.json;
}

int failure_code()
{
    return output.failure_code;
}

void set_failure_code(int code)
{
    output.failure_code = code;
}

void exit_with(int code, const char* message, Kinds kinds, ...)
{
    std::va_list values;
    va_start(values, kinds);
    write_error(message, kinds, values);
    va_end(values);
    if (code == USAGE && !output.json) {
        constexpr std::string_view HINT = "foster: see 'foster --help'\n";
        write_message(HINT, TIMEOUT);
    }
    ::_exit(code == USAGE ? failure_code() : code);
}

void fail_doing(const char* doing, int error)
{
    fail(failure_code(), "start-failed|cannot {doing}: {reason}", doing, Error{error});
}

} // namespace foster::log
