// start-up RUNS COMMAND WORD... [@ COMMAND WORD...]...: runs the commands in turns, RUNS times each. Prints a line for
// each: the median time from its start to its end in nanoseconds.
#include "../workloads/workload.hpp"

#include <algorithm>
#include <string_view>
#include <sys/wait.h>
#include <vector>

namespace
{

long long run(char** command)
{
    const long long start = monotonic_now();
    const pid_t pid = vfork();
    if (pid == 0) {
        execv(*command, command);
        _exit(127);
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        die(*command);
    }
    return monotonic_now() - start;
}

} // namespace

int main(int /*count*/, char** arguments)
{
    const int runs = atoi(arguments[1]);
    std::vector<char**> commands{arguments + 2};
    for (char** word = arguments + 2; *word != nullptr; ++word) {
        if (std::string_view(*word) == "@") {
            *word = nullptr;
            commands.push_back(word + 1);
        }
    }
    std::vector<std::vector<long long>> times(commands.size());
    for (int done = 0; done < runs; ++done) {
        for (std::size_t index = 0; index < commands.size(); ++index) {
            times[index].push_back(run(commands[index]));
        }
    }
    for (auto& of_command : times) {
        std::nth_element(of_command.begin(), of_command.begin() + runs / 2, of_command.end());
        printf("%lld\n", of_command[static_cast<std::size_t>(runs) / 2]);
    }
    return 0;
}
