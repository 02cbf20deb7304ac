// Format strings. The compiler checks that fields and values fit.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace foster::log
{

// A number, or nothing if it is unknown.
using OptionalNumber = std::optional<std::int64_t>;
inline constexpr auto UNKNOWN = std::numeric_limits<std::int64_t>::min();

// An errno value, printed as its text.
struct Error {
    int number;
};

// A field of a format string: {} and {name} are printed in the text, {!name} only as a member of a JSON object.
struct Field {
    std::string_view name; // empty: printed in the text only
    bool is_member_only;
};

// Removes the field at the beginning of the text and returns it. The text must begin with '{' and contain a '}'.
constexpr Field take_field(std::string_view& text)
{
    const auto end = text.find('}');
    std::string_view name(text.data() + 1, end - 1);
    text.remove_prefix(end + 1);
    const bool is_member_only = name.starts_with('!');
    name.remove_prefix(is_member_only ? 1 : 0);
    return {name, is_member_only};
}

// "name"_is = value marks a value for the field of this name. The compiler then checks that it is at the right
// position.
template <std::size_t SIZE> struct FieldName {
    char text[SIZE];
    consteval FieldName(const char (&name)[SIZE])
    {
        for (std::size_t at = 0; at < SIZE; ++at) {
            text[at] = name[at];
        }
    }
};
template <FieldName NAME, typename Value> struct Named {
    Value value;
};
template <FieldName NAME> struct NamedField {
    template <typename Value> constexpr Named<NAME, Value> operator=(Value value) const { return {value}; } // NOLINT
};
template <FieldName NAME> consteval NamedField<NAME> operator""_is()
{
    return {};
}

// The kind of a value, which says how to print it. Kinds holds a list of them, four bits each.
enum class Kind : std::uint8_t { NONE, STRING, VIEW, BOOL, NUMBER, OPTIONAL_NUMBER, ERROR };
using Kinds = std::uint64_t;
inline constexpr int BITS_OF_KIND = 4;
inline constexpr std::size_t MAX_VALUES = sizeof(Kinds) * 8 / BITS_OF_KIND - 1;
// The four bits that are left: the fields are to become members of a JSON object.
inline constexpr Kinds AS_MEMBERS = Kinds{1} << (MAX_VALUES * BITS_OF_KIND);

template <typename Value> inline constexpr Kind KIND = [] {
    if constexpr (std::same_as<Value, bool>) {
        return Kind::BOOL;
    } else if constexpr (std::integral<Value>) {
        return Kind::NUMBER;
    } else if constexpr (std::same_as<Value, OptionalNumber>) {
        return Kind::OPTIONAL_NUMBER;
    } else if constexpr (std::same_as<Value, Error>) {
        return Kind::ERROR;
    } else if constexpr (std::convertible_to<Value, const char*>) {
        return Kind::STRING;
    } else if constexpr (std::same_as<Value, std::string_view>) {
        return Kind::VIEW;
    } else {
        return Kind::NONE; // no field can print it
    }
}();
template <FieldName NAME, typename Value> inline constexpr Kind KIND<Named<NAME, Value>> = KIND<Value>;

template <typename... Values> consteval Kinds kinds_of()
{
    Kinds kinds = 0;
    int shift = 0;
    ((kinds |= static_cast<Kinds>(KIND<Values>) << std::exchange(shift, shift + BITS_OF_KIND)), ...);
    return kinds;
}

// The field name that the value was marked with; empty: it was not marked.
template <typename Value> inline constexpr std::string_view NAME_OF{};
template <FieldName NAME, typename Value>
inline constexpr std::string_view NAME_OF<Named<NAME, Value>>{&NAME.text[0], sizeof NAME.text - 1};

// Called if a format string is wrong. Not constexpr, so that the compiler's error names the function.
inline void the_values_do_not_fit_the_fields() {}
inline void a_field_is_not_closed_or_its_name_is_not_of_lower_case_letters() {}
inline void a_message_begins_with_its_event_and_a_bar() {}
inline void a_field_has_a_name_that_every_message_has() {}
inline void two_fields_have_one_name() {}

constexpr bool is_name(std::string_view text, char joint)
{
    return std::ranges::all_of(text,
                               [joint](char letter) { return (letter >= 'a' && letter <= 'z') || letter == joint; });
}

// A format string with as many fields as there are values.
template <typename... Values> class FormatString
{
  public:
    consteval FormatString(const char* text) : text_(text) { check(text); }

    constexpr const char* text() const { return text_; }
    static constexpr Kinds KINDS = kinds_of<Values...>();

  protected:
    static consteval void check(std::string_view text)
    {
        static_assert(sizeof...(Values) <= MAX_VALUES, "more values than Kinds has room for");
        static_assert(((KIND<Values> != Kind::NONE) && ...), "no field can print a value of this type");
        constexpr std::string_view NAMES[] = {NAME_OF<Values>..., ""};
        std::size_t fields = 0;
        while (!text.empty()) {
            if (text.front() != '{') {
                text.remove_prefix(1);
                continue;
            }
            if (text.find('}') == std::string_view::npos) {
                a_field_is_not_closed_or_its_name_is_not_of_lower_case_letters();
            }
            const auto field = take_field(text);
            if (!is_name(field.name, '_') || (field.is_member_only && field.name.empty())) {
                a_field_is_not_closed_or_its_name_is_not_of_lower_case_letters();
            }
            if (fields == sizeof...(Values) || (!NAMES[fields].empty() && NAMES[fields] != field.name)) {
                the_values_do_not_fit_the_fields();
            }
            ++fields;
        }
        if (fields != sizeof...(Values)) {
            the_values_do_not_fit_the_fields();
        }
    }

  private:
    const char* text_;
};

// "event|text with {fields}". The text is the message. As JSON, the event and the named fields are members of the
// object.
template <typename... Values> class MessageString : public FormatString<Values...>
{
  public:
    consteval MessageString(const char* text) : FormatString<Values...>(text)
    {
        const std::string_view whole(text);
        const auto bar = whole.find('|');
        if (bar == std::string_view::npos || bar == 0 || bar + 1 == whole.size() ||
            !is_name(std::string_view(text, bar), '-')) {
            a_message_begins_with_its_event_and_a_bar();
        }
        check_names(whole);
    }

  private:
    static consteval void check_names(std::string_view text)
    {
        std::string_view names[4 + MAX_VALUES]{"time", "level", "event", "message"};
        std::size_t count = 4;
        for (auto at = text.find('{'); at != std::string_view::npos; at = text.find('{')) {
            text.remove_prefix(at);
            const auto field = take_field(text);
            for (std::size_t index = 0; index < count; ++index) {
                if (!field.name.empty() && field.name == names[index]) {
                    index < 4 ? a_field_has_a_name_that_every_message_has() : two_fields_have_one_name();
                }
            }
            if (!field.name.empty()) {
                names[count++] = field.name;
            }
        }
    }
};
template <typename... Values> using Message = MessageString<std::type_identity_t<Values>...>;

// Converts a value to a type that can be passed through "...".
template <std::integral Number> std::int64_t to_vararg(Number value)
{
    return static_cast<std::int64_t>(value);
}
inline std::int64_t to_vararg(OptionalNumber value)
{
    return value.value_or(UNKNOWN);
}
inline std::int64_t to_vararg(Error value)
{
    return value.number;
}
inline const char* to_vararg(const char* value)
{
    return value;
}
struct Text { // a string_view that can be passed through "..."
    const char* data;
    std::size_t size;
};
inline Text to_vararg(std::string_view value)
{
    return {value.data(), value.size()};
}
template <FieldName NAME, typename Value> auto to_vararg(const Named<NAME, Value>& named)
{
    return to_vararg(named.value);
}

} // namespace foster::log
