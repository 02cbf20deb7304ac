#include "sys/output.hpp"

#include "sys/kernel.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace foster::sys
{
namespace
{

constexpr std::size_t DIGITS = 20; // of the longest 64-bit number, with its sign

// The one global: every failing path of set-up needs it, and it is known before most of them.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
int code_of_failure = 125;

// How many bytes the UTF-8 character at the beginning of a text has, RFC 3629; 0: there is none.
std::size_t size_of_character(std::string_view text)
{
    const auto byte = [text](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U; };
    const unsigned first = byte(0);
    const std::size_t size = first < 0x80   ? 1
                             : first < 0xc2 ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
    for (std::size_t at = 1; at < size; ++at) {
        if ((byte(at) & 0xc0U) != 0x80) {
            return 0;
        }
    }
    // Not the shortest form, a surrogate, or beyond Unicode.
    const bool is_forbidden = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) >= 0xa0) ||
                              (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) >= 0x90);
    return is_forbidden ? 0 : size;
}

// All signals are blocked: whoever reads standard error must not be able to hold foster up for ever.
void write_error(Line& line)
{
    constexpr Nanoseconds PATIENCE = 1'000'000'000;
    (void)write_within(PATIENCE, STDERR_FILENO, line.finished());
}

// However long a word is that is to blame, the line has room for what is wrong with it.
void add_error(Line& line, Pieces pieces)
{
    constexpr std::size_t LONGEST = 200;
    line.add("foster: error: ");
    for (const auto& piece : pieces) {
        if (piece.text.size() > LONGEST) {
            line.add({std::string_view(piece.text.data(), LONGEST), "..."});
        } else {
            line.add(piece);
        }
    }
}

} // namespace

void Line::put(char byte)
{
    if (size_ < bytes_.size() - 1) {
        const auto value = static_cast<unsigned char>(byte);
        bytes_[size_++] = value < ' ' || value == 0x7f ? '?' : byte;
    }
}

void Line::add(const Piece& piece)
{
    for (const char byte : piece.text) {
        put(byte);
    }
    if (!piece.is_number) {
        return;
    }
    std::array<char, DIGITS> digits;
    auto rest =
        piece.number < 0 ? 0 - static_cast<std::uint64_t>(piece.number) : static_cast<std::uint64_t>(piece.number);
    auto at = DIGITS;
    do {
        digits[--at] = static_cast<char>('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (piece.number < 0) {
        digits[--at] = '-';
    }
    add(Piece(std::string_view(digits.data() + at, DIGITS - at)));
}

void Line::add(Pieces pieces)
{
    for (const auto& piece : pieces) {
        add(piece);
    }
}

void Line::add_json(std::string_view text)
{
    put('"');
    while (!text.empty()) {
        const auto size = size_of_character(text);
        const char first = text.front();
        if (size == 0) {
            add("\\ufffd");
        } else if (first == '"' || first == '\\') {
            put('\\');
            put(first);
        } else if (static_cast<unsigned char>(first) < ' ') {
            constexpr const char* HEX = "0123456789abcdef";
            add({"\\u00", std::string_view(HEX + first / 16, 1), std::string_view(HEX + first % 16, 1)});
        } else {
            add(std::string_view(text.data(), size));
        }
        text.remove_prefix(std::max(size, std::size_t{1}));
    }
    put('"');
}

std::string_view Line::finished()
{
    bytes_[size_] = '\n';
    return {bytes_.data(), size_ + 1};
}

char* Line::c_string()
{
    bytes_[size_] = '\0';
    return bytes_.data();
}

void Messages::say(Level wanted, Pieces pieces) const
{
    if (!shows(wanted)) {
        return;
    }
    Line line;
    line.add("foster: ");
    if (wanted == Level::WARNING) {
        line.add("warning: ");
    }
    line.add(pieces);
    // Foster must not wait for whoever reads its messages: one that finds no room is lost.
    (void)write_within(0, STDERR_FILENO, line.finished());
}

void Messages::cannot(Pieces doing, int error, std::string_view remedy) const
{
    if (!shows(Level::WARNING)) {
        return;
    }
    Line line;
    line.add(doing);
    warning({"cannot ", line.text(), ": ", std::strerror(error), remedy});
}

int failure_code()
{
    return code_of_failure;
}

void set_failure_code(int code)
{
    code_of_failure = code;
}

void fail(int code, Pieces pieces)
{
    Line line;
    add_error(line, pieces);
    write_error(line);
    ::_exit(code);
}

void fail_usage(Pieces pieces)
{
    Line line;
    add_error(line, pieces);
    write_error(line);
    Line second;
    second.add("foster: see 'foster --help'");
    write_error(second);
    ::_exit(failure_code());
}

void fail_doing(const char* doing, int error)
{
    fail(failure_code(), {"cannot ", doing, ": ", std::strerror(error)});
}

} // namespace foster::sys
