// The command line, FOSTER_OPTIONS and the peers' variables, as words that end with a null byte: "@NAME=VALUE" is a
// variable, all others are arguments, from argv[0] on. They give options within their limits, or one message and the
// exit code for bad usage.
#include "harness.hpp"

#include "log/log.hpp"
#include "options/parser.hpp"

#include <algorithm>

namespace
{

using foster::Options;
using fuzz::expect;

// An array as main() gets it, whose words may be changed.
class Words
{
  public:
    void add(std::string word) { words_.push_back(std::move(word)); }
    char** array()
    {
        pointers_.clear();
        for (auto& word : words_) {
            pointers_.push_back(word.data());
        }
        pointers_.push_back(nullptr);
        return pointers_.data();
    }
    // Whether this is the end of a word.
    bool holds(const char* text) const
    {
        return std::ranges::any_of(words_, [text](const std::string& word) {
            return text >= word.data() && text <= word.data() + word.size();
        });
    }

  private:
    std::vector<std::string> words_;
    std::vector<char*> pointers_;
};

bool is_signal(int signal)
{
    return signal >= 0 && signal <= foster::sys::LAST_SIGNAL;
}

void check_options(const Options& options, const Words& arguments, const Words& variables)
{
    const auto is_given = [&](const char* text) { return arguments.holds(text) || variables.holds(text); };
    constexpr foster::sys::Nanoseconds MAX_TIME = 600'000'000'000'000'000; // ten million minutes
    expect(options.mode <= foster::Mode::LICENSE && options.zombies <= foster::Zombies::REAP);
    expect(std::ranges::all_of(options.rewrites, is_signal));
    expect(options.rewrites[SIGKILL] == SIGKILL && options.rewrites[SIGSTOP] == SIGSTOP);
    expect(is_signal(options.parent_death) && is_signal(options.tether));
    for (const auto time : {options.stop_timeout, options.zombie_age}) {
        expect(time >= 0 && time <= MAX_TIME);
    }
    expect(options.grace >= -1 && options.grace <= MAX_TIME && options.zombie_age > 0);
    for (const auto& delay : options.delays) {
        expect(is_signal(delay.signal) && delay.time >= 0 && delay.time <= MAX_TIME);
        expect(delay.signal == 0 || std::ranges::count(options.delays, delay.signal, &foster::Delay::signal) == 1);
    }
    expect(options.warn_pids >= 0 && options.warn_pids <= 100 && options.neglecter >= 0);
    expect(options.assignment_count <= options.assignments.size());
    for (std::size_t index = 0; index < options.assignment_count; ++index) {
        expect(is_given(options.assignments[index]));
    }
    for (const char* const text : {options.user, options.directory, options.install_as}) {
        expect(text == nullptr || is_given(text));
    }
    expect(foster::prints_text(options.mode) || options.mode != foster::Mode::RUN || arguments.holds(*options.command));
}

void parse(Words& arguments, Words& variables)
{
    foster::Environment environment(variables.array());
    const char* const own = environment.find("FOSTER_OPTIONS");
    std::string before = own == nullptr ? "" : own;
    char** const words = arguments.array();
    foster::prepare_messages(words, environment);
    std::ranges::replace_if(
        before, [](char byte) { return byte == '\t' || byte == '\n'; }, ' ');
    expect(own == nullptr || before == own);
    Options options = foster::parse_options(words, environment);
    expect(environment.find("FOSTER_OPTIONS") == nullptr);
    check_options(options, arguments, variables);
    for (std::size_t index = 0; index < options.assignment_count; ++index) {
        environment.put(options.assignments[index]);
    }
    for (std::size_t index = 0; index < options.assignment_count; ++index) {
        const std::string assignment = options.assignments[index];
        expect(environment.find(assignment.substr(0, assignment.find('='))) != nullptr);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::reset();
    Words arguments;
    Words variables;
    for (fuzz::Input input(data, size); !input.is_empty();) {
        const auto word = input.text();
        word.starts_with('@') ? variables.add(word.substr(1)) : arguments.add(word);
    }
    const auto code = fuzz::exit_code_of([&] { parse(arguments, variables); });
    if (code) {
        const std::size_t lines = foster::log::is_json() ? 1 : 2;
        expect(*code == foster::log::failure_code() && (*code == 1 || *code == 125));
        expect(fuzz::world.lines.size() == lines);
    } else {
        expect(fuzz::world.lines.empty());
    }
    return 0;
}
