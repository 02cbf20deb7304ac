// A fuzzer of what foster-runtime reads, libFuzzer. Any text at all: no crash, and what is edited is JSON still, whose
// process is under foster, so that a second look leaves it alone. That nothing else changes is seen to by the edit
// itself, which only inserts.
#include "runtime/plan.hpp"
#include "runtime/json.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace
{

void expect(bool holds)
{
    if (!holds) {
        std::abort();
    }
}

// Every value of a document, by the way in which the plan goes through it.
std::size_t count_values(foster::json::Value parent)
{
    std::size_t count = 1;
    for (foster::json::Children children(parent); children.next();) {
        expect(children.value().data() >= parent.data());
        expect(children.value().data() + children.value().size() < parent.data() + parent.size());
        expect(!foster::json::is_object(parent) || foster::json::is_string(children.key()));
        count += count_values(children.value());
    }
    return count;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace foster;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto value = json::parse(text);
    expect(value.empty() || count_values(value) <= size);
    const auto plan = runtime::plan_for(text);
    expect(!plan.is_wanted || (plan.problem == nullptr && json::is_object(value)));
    if (!plan.is_wanted) {
        return 0;
    }
    auto edited = text;
    constexpr const char* MOUNT = R"(,{"destination":"/dev/.foster"})";
    constexpr const char* WORDS = R"("/dev/.foster","--",)";
    const bool words_are_last = plan.args_at > plan.mounts_at;
    edited.insert(words_are_last ? plan.args_at : plan.mounts_at, words_are_last ? WORDS : MOUNT);
    edited.insert(words_are_last ? plan.mounts_at : plan.args_at, words_are_last ? MOUNT : WORDS);
    const auto process = json::member(json::parse(edited), "process").value;
    json::Children words(json::member(process, "args").value);
    expect(words.next() && json::equals(words.value(), runtime::INIT_PATH));
    const auto again = runtime::plan_for(edited);
    expect(!again.is_wanted && again.problem == nullptr);
    return 0;
}
