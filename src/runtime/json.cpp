#include "runtime/json.hpp"

#include "sys/text.hpp"

namespace foster::json
{
namespace
{

constexpr int MAX_DEPTH = 64;

bool is_digit(int byte)
{
    return byte >= '0' && byte <= '9';
}

// Reads a text. Each skip_...() moves to the position after the named element. It returns false if the element is not
// there.
class Reader
{
  public:
    explicit Reader(std::string_view text) : text_(text) {}

    std::size_t at() const { return at_; }
    bool is_at_end() const { return at_ == text_.size(); }

    void skip_blanks()
    {
        while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') {
            ++at_;
        }
    }

    bool take(char wanted)
    {
        const bool is_there = peek() == wanted;
        at_ += is_there ? 1 : 0;
        return is_there;
    }

    bool skip_string()
    {
        if (!take('"')) {
            return false;
        }
        while (peek() >= ' ' && peek() != '"') {
            if (peek() != '\\') {
                ++at_;
            } else if (!skip_escape()) {
                return false;
            }
        }
        return take('"');
    }

    bool skip_value(int depth = 0)
    {
        switch (peek()) {
        case '{':
        case '[':
            return depth < MAX_DEPTH && skip_elements(depth + 1, take('{'));
        case '"':
            return skip_string();
        case 't':
            return skip_word("true");
        case 'f':
            return skip_word("false");
        case 'n':
            return skip_word("null");
        default:
            return skip_number();
        }
    }

  private:
    // Returns -1 at the end.
    int peek() const { return is_at_end() ? -1 : static_cast<unsigned char>(text_[at_]); }

    // Skips the members of an object after its opening brace, or a whole array.
    bool skip_elements(int depth, bool are_members)
    {
        const char end = are_members ? '}' : ']';
        if (!are_members) {
            ++at_;
        }
        skip_blanks();
        if (take(end)) {
            return true;
        }
        do {
            skip_blanks();
            if (are_members && !skip_key()) {
                return false;
            }
            if (!skip_value(depth)) {
                return false;
            }
            skip_blanks();
        } while (take(','));
        return take(end);
    }

    bool skip_key()
    {
        if (!skip_string()) {
            return false;
        }
        skip_blanks();
        const bool is_one = take(':');
        skip_blanks();
        return is_one;
    }

    bool skip_escape()
    {
        ++at_;
        if (take('u')) {
            for (int digits = 0; digits < 4; ++digits, ++at_) {
                if (sys::parse_hex_digit(peek()) < 0) {
                    return false;
                }
            }
            return true;
        }
        const bool is_known = !is_at_end() && std::string_view("\"\\/bfnrt").find(text_[at_]) != std::string_view::npos;
        at_ += is_known ? 1 : 0;
        return is_known;
    }

    bool skip_word(std::string_view word)
    {
        const bool is_there = sys::after(text_, at_).starts_with(word);
        at_ += is_there ? word.size() : 0;
        return is_there;
    }

    bool skip_digits()
    {
        const auto start = at_;
        while (is_digit(peek())) {
            ++at_;
        }
        return at_ != start;
    }

    bool skip_number()
    {
        (void)take('-');
        if (!take('0') && !skip_digits()) {
            return false;
        }
        if (take('.') && !skip_digits()) {
            return false;
        }
        if (take('e') || take('E')) {
            if (!take('+')) {
                (void)take('-');
            }
            return skip_digits();
        }
        return true;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

std::string_view first(std::string_view text, std::size_t size)
{
    return {text.data(), size};
}

} // namespace

Value parse(std::string_view text)
{
    Reader reader(text);
    reader.skip_blanks();
    const auto start = reader.at();
    const bool is_value = reader.skip_value();
    const auto end = reader.at();
    reader.skip_blanks();
    return is_value && reader.is_at_end() ? first(sys::after(text, start), end - start) : Value();
}

Children::Children(Value parent) : rest_(parent), are_members_(is_object(parent))
{
    if (is_object(parent) || is_array(parent)) {
        rest_.remove_prefix(1);
    } else {
        rest_ = {};
    }
}

bool Children::next()
{
    Reader reader(rest_);
    reader.skip_blanks();
    const auto key_start = reader.at();
    if (are_members_) {
        if (!reader.skip_string()) {
            return false; // at the closing brace
        }
        key_ = first(sys::after(rest_, key_start), reader.at() - key_start);
        reader.skip_blanks();
        (void)reader.take(':');
        reader.skip_blanks();
    }
    const auto start = reader.at();
    if (!reader.skip_value()) {
        return false; // at the closing bracket
    }
    value_ = first(sys::after(rest_, start), reader.at() - start);
    reader.skip_blanks();
    (void)reader.take(',');
    rest_.remove_prefix(reader.at());
    return true;
}

} // namespace foster::json
