// A JSON parser, RFC 8259, that copies and changes nothing: a value is a part of the text.
#pragma once

#include <cstddef>
#include <string_view>

namespace foster::json
{

// A value in a text that parse() has accepted, without blanks around it; empty: none.
using Value = std::string_view;

// Returns the value that the whole text consists of; empty: the text is not JSON, or it is nested more than 64 deep.
Value parse(std::string_view text);

inline bool is_object(Value value)
{
    return value.starts_with('{');
}
inline bool is_array(Value value)
{
    return value.starts_with('[');
}
inline bool is_string(Value value)
{
    return value.starts_with('"');
}
inline bool is_null(Value value)
{
    return value.starts_with('n');
}

// Iterates over the members of an object or the elements of an array, in their order. Any other value has none.
class Children
{
  public:
    explicit Children(Value parent);
    // Returns false if there is no further one.
    bool next();
    Value key() const { return key_; } // a string; only for members of an object
    Value value() const { return value_; }

  private:
    Value rest_;
    bool are_members_;
    Value key_;
    Value value_;
};

// Whether a string, after its escapes are decoded, equals this text of ASCII letters.
bool equals(Value string, std::string_view text);
// The same for the part of the string after its last slash.
bool base_name_equals(Value path, std::string_view name);

struct Member {
    Value value; // empty: there is no such member
    // False: several members could be meant by the name. Some readers ignore case, and of two equal names, some readers
    // take the first and some the last.
    bool is_unambiguous = true;
};
Member member(Value object, std::string_view name);

} // namespace foster::json
