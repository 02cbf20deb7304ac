// JSON, RFC 8259, read where it stands: a value is the part of the text that it takes up. Nothing is copied, nothing is changed.
#pragma once

#include <cstddef>
#include <string_view>

namespace foster::json
{

// Of a text that parse() has accepted, without blanks around it. Empty: there is none.
using Value = std::string_view;

// The one value that a whole text holds; empty: it is no JSON, or is nested more than 64 deep.
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

// Hands out what an object or an array holds, in its order; nothing for any other value.
class Children
{
  public:
    explicit Children(Value parent);
    // Whether there was one more.
    bool next();
    Value key() const { return key_; } // a string; of an object's members alone
    Value value() const { return value_; }

  private:
    Value rest_;
    bool are_members_;
    Value key_;
    Value value_;
};

// Whether a string, its escapes undone, is this text of ASCII letters.
bool equals(Value string, std::string_view text);
// Whether what follows its last slash is.
bool base_name_equals(Value path, std::string_view name);

struct Member {
    Value value; // empty: there is none
    // No: the object has several that a reader could take for it, for some readers do not mind the case, and of two readers one takes the
    // first and one the last.
    bool is_clear = true;
};
Member member(Value object, std::string_view name);

} // namespace foster::json
