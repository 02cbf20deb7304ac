// foster-runtime's command line, as words that end with a null byte. The real runtime gets all words in their order but
// foster-runtime's own, which come before the command.
#include "harness.hpp"

#include "log/log.hpp"
#include "runtime/command_line.hpp"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using fuzz::expect;
    fuzz::reset();
    std::vector<std::string> words;
    for (fuzz::Input input(data, size); !input.is_empty();) {
        words.push_back(input.text());
    }
    std::vector<char*> array;
    for (auto& word : words) {
        array.push_back(word.data());
    }
    array.push_back(nullptr);
    const auto before = array;
    const auto code = fuzz::exit_code_of([&] {
        const auto line = foster::runtime::parse_command_line(array.data());
        expect(line.arguments == array.data() + 1 && line.invoked_as == before[0]);
        auto next = before.begin() + 1;
        bool is_after_command = line.command == nullptr;
        for (char** kept = line.arguments; *kept != nullptr; ++kept) {
            const auto found = std::find(next, before.end() - 1, *kept);
            expect(*kept != line.real_runtime && *kept != line.init);
            expect(found != before.end() - 1 && (!is_after_command || line.command == nullptr || found == next));
            is_after_command = is_after_command || *kept == line.command;
            next = found + 1;
        }
        expect(is_after_command && line.bundle != nullptr && line.config != nullptr && *line.bundle != '\0');
        expect(line.init == nullptr || *line.init == '/');
        expect(line.real_runtime == nullptr || *line.real_runtime != '\0');
    });
    expect(code ? *code == 125 && fuzz::world.lines.size() == 1 : fuzz::world.lines.empty());
    return 0;
}
