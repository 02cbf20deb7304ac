// A line of output with a fixed size, which needs no heap.
#pragma once

#include "log/format.hpp"

#include <array>
#include <cstdarg>
#include <type_traits>

namespace foster::log
{

// Text that does not fit is cut off, and each string after 200 bytes. A byte that could control a terminal or start a
// second line is printed as '?', because anyone can choose process names and command lines.
class Line
{
  public:
    template <typename... Values> void add(FormatString<std::type_identity_t<Values>...> pattern, Values... values)
    {
        add_values(pattern.text(), pattern.KINDS, to_vararg(values)...);
    }
    void add_list(const char* pattern, Kinds kinds, std::va_list values);
    // A JSON object, RFC 8259. Its members are the named fields of the patterns. A null pointer is printed as null. A
    // string is cut off after 300 bytes, so that there is room for the members after it.
    void begin_object() { put('{'); }
    template <typename... Values>
    void add_members(FormatString<std::type_identity_t<Values>...> pattern, Values... values)
    {
        add_values(pattern.text(), pattern.KINDS | AS_MEMBERS, to_vararg(values)...);
    }
    void end_object() { put('}'); }
    // A JSON string, of at most 300 bytes.
    void add_json(std::string_view text);

    void clear() { size_ = 0; }
    std::size_t size() const { return size_; }
    std::string_view text() const { return {bytes_.data(), size_}; }
    char* c_string();
    // Returns the line with a newline, for which there is always room.
    std::string_view finished();

  private:
    struct Value;
    void add_value(const Value& value);
    void add_member(std::string_view name, const Value& value);
    void add_values(const char* pattern, Kinds kinds, ...);
    void add_number(std::int64_t number);
    void add_reason(int error);
    void add_text(std::string_view text);
    void put(char byte);

    std::size_t size_ = 0;
    std::array<char, 1536> bytes_;
};

} // namespace foster::log
