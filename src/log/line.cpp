#include "log/line.hpp"

#include "log/errno_text.hpp"
#include "sys/text.hpp"

#include <algorithm>
#include <cstring>

namespace foster::log
{
namespace
{

constexpr std::size_t MAX_STRING = 200;
constexpr std::size_t MAX_MEMBER = 300;

// Returns the size in bytes of the UTF-8 character at the beginning of the text, RFC 3629; 0: there is no valid one.
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
    // Excludes overlong forms, surrogates, and numbers beyond Unicode.
    const unsigned both = first << 8 | byte(1);
    const bool is_forbidden =
        both - 0xe080 < 0x20 || both - 0xeda0 < 0x20 || both - 0xf080 < 0x10 || both - 0xf490 < 0x30;
    return is_forbidden ? 0 : size;
}

} // namespace

// A value for a field.
struct Line::Value {
    Kind kind;
    std::int64_t number;
    std::string_view string;
};

void Line::put(char byte)
{
    if (size_ < bytes_.size() - 1) {
        bytes_[size_++] = byte;
    }
}

void Line::add_values(const char* pattern, Kinds kinds, ...)
{
    std::va_list values;
    va_start(values, kinds);
    add_list(pattern, kinds, values);
    va_end(values);
}

void Line::add_list(const char* pattern, Kinds kinds, std::va_list values)
{
    const bool as_members = (kinds & AS_MEMBERS) != 0;
    for (std::string_view rest(pattern); !rest.empty();) {
        if (rest.front() != '{') {
            if (!as_members) {
                put(rest.front());
            }
            rest.remove_prefix(1);
            continue;
        }
        const auto field = take_field(rest);
        Value value{static_cast<Kind>(kinds & 0xf), 0, {}};
        kinds >>= BITS_OF_KIND;
        if (value.kind == Kind::STRING) {
            const char* const string = va_arg(values, const char*);
            value.string = string == nullptr ? std::string_view() : string;
        } else if (value.kind == Kind::VIEW) {
            const auto text = va_arg(values, Text);
            value.string = {text.data, text.size};
        } else {
            value.number = va_arg(values, std::int64_t);
        }
        if (as_members && !field.name.empty()) {
            add_member(field.name, value);
        } else if (!as_members && !field.is_member_only) {
            add_value(value);
        }
    }
}

void Line::add_value(const Value& value)
{
    switch (value.kind) {
    case Kind::OPTIONAL_NUMBER:
        value.number == UNKNOWN ? add_text("unknown") : add_number(value.number);
        return;
    case Kind::NUMBER:
        add_number(value.number);
        return;
    case Kind::BOOL:
        add_text(value.number != 0 ? "true" : "false");
        return;
    case Kind::ERROR:
        add_reason(static_cast<int>(value.number));
        return;
    default:
        add_text(value.string);
    }
}

void Line::add_member(std::string_view name, const Value& value)
{
    if (bytes_[size_ - 1] != '{') {
        put(',');
    }
    add("\"{}\":", name);
    const bool is_string = value.kind == Kind::STRING || value.kind == Kind::VIEW;
    if ((is_string && value.string.data() == nullptr) ||
        (value.kind == Kind::OPTIONAL_NUMBER && value.number == UNKNOWN)) {
        add_text("null");
    } else if (is_string) {
        add_json(value.string);
    } else if (value.kind == Kind::ERROR) {
        put('"');
        add_value(value);
        put('"');
    } else {
        add_value(value);
    }
}

void Line::add_number(std::int64_t number)
{
    sys::Digits digits;
    for (const char digit : sys::decimal(number, digits)) {
        put(digit);
    }
}

void Line::add_reason(int error)
{
    const auto reason = errno_text(error);
    if (reason.empty()) {
        add("error {}", error);
    } else {
        add_text(reason);
    }
}

void Line::add_text(std::string_view text)
{
    unsigned before = 0;
    for (const char byte : std::string_view(text.data(), std::min(text.size(), MAX_STRING))) {
        const unsigned value = static_cast<unsigned char>(byte);
        const bool is_c1 = before == 0xc2 && value - 0x80 < 0x20; // U+0080 to U+009F, also control characters
        put(value < ' ' || value == 0x7f || is_c1 ? '?' : byte);
        before = value;
    }
    if (text.size() > MAX_STRING) {
        add("...");
    }
}

void Line::add_json(std::string_view text)
{
    put('"');
    const auto end = std::min(size_ + MAX_MEMBER, bytes_.size() - std::strlen("ffffff\"}\n"));
    while (!text.empty() && size_ < end) {
        const auto size = size_of_character(text);
        const char first = text.front();
        // U+0080 to U+009F are control characters, too. In UTF-8 they are 0xc2 and a second byte that is the number
        // itself. All other characters of several bytes begin with a byte above 0xc2, or have a second byte above 0x9f.
        const unsigned code = static_cast<unsigned char>(size == 2 && first == '\xc2' ? text[1] : first);
        if (size == 0) {
            add("\\ufffd");
        } else if (first == '"' || first == '\\') {
            put('\\');
            put(first);
        } else if (code < ' ' || (code >= 0x7f && code < 0xa0)) {
            constexpr const char* HEX = "0123456789abcdef";
            add("\\u00");
            put(HEX[code / 16]);
            put(HEX[code % 16]);
        } else {
            std::for_each_n(text.begin(), size, [this](char byte) { put(byte); });
        }
        text.remove_prefix(std::max(size, std::size_t{1}));
    }
    put('"');
}

char* Line::c_string()
{
    bytes_[size_] = '\0';
    return bytes_.data();
}

std::string_view Line::finished()
{
    bytes_[size_] = '\n';
    return {bytes_.data(), size_ + 1};
}

} // namespace foster::log
