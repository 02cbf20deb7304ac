// A line that is put together without a heap.
#pragma once

#include "log/format.hpp"

#include <array>
#include <cstdarg>
#include <type_traits>

namespace foster::log
{

// What does not fit is cut off, of one string what is beyond 200 bytes. A byte that could steer a terminal or forge a second line
// becomes '?': process names and command lines come from anyone.
class Line
{
  public:
    template <typename... Values> void add(FormatString<std::type_identity_t<Values>...> pattern, Values... values)
    {
        add_values(pattern.text(), pattern.KINDS, to_vararg(values)...);
    }
    void add_list(const char* pattern, Kinds kinds, std::va_list values, bool as_members);
    // A JSON object, RFC 8259, whose members are the named fields of patterns. A null pointer is null. A string is cut off where
    // it has 300 bytes, so that what follows it fits.
    void begin_object() { put('{'); }
    template <typename... Values>
    void add_members(FormatString<std::type_identity_t<Values>...> pattern, Values... values)
    {
        add_member_values(pattern.text(), pattern.KINDS, to_vararg(values)...);
    }
    void end_object() { put('}'); }

    void clear() { size_ = 0; }
    std::size_t size() const { return size_; }
    std::string_view text() const { return {bytes_.data(), size_}; }
    char* c_string();
    // The line with its newline, which always fits.
    std::string_view finished();

  private:
    struct Value;
    void add_value(const Value& value);
    void add_member(std::string_view name, const Value& value);
    void add_values(const char* pattern, Kinds kinds, ...);
    void add_member_values(const char* pattern, Kinds kinds, ...);
    void add_number(std::int64_t number);
    void add_reason(int error);
    void add_text(std::string_view text);
    void add_json(std::string_view text);
    void put(char byte);

    std::array<char, 1536> bytes_;
    std::size_t size_ = 0;
};

} // namespace foster::log
