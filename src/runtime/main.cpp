// The foster-runtime program: an OCI runtime that puts the process of a container under foster, and then executes the
// real runtime.
// A container always starts: if foster-runtime does not understand its config.json, the file stays unchanged, and the
// real runtime decides what to do.
#include "log/log.hpp"
#include "runtime/bundle.hpp"
#include "runtime/command_line.hpp"
#include "runtime/real_runtime.hpp"
#include "sys/files.hpp"
#include "sys/stack.hpp"

#include <unistd.h>

namespace
{

constexpr std::string_view HELP = "Usage: foster-runtime [--foster-OPTION]... [ARGUMENT]...\n"
                                  "An OCI runtime: put the process of a new container under foster, then execute\n"
                                  "the real runtime with the same arguments.\n"
                                  "  --foster-runtime=PATH     the real runtime (runc, else crun, of PATH; called\n"
                                  "                            foster-NAME: NAME)\n"
                                  "  --foster-init=PATH        foster itself (foster beside this program)\n"
                                  "  --foster-options=OPTIONS  options for foster, separated by blanks; repeatable\n"
                                  "  --foster-help             print this and exit\n"
                                  "Exit status: the real runtime's; 125 if there is none or an option is bad.\n"
                                  "More: man foster-runtime\n";

int run(char** arguments, char** variables)
{
    using namespace foster;

    log::set_program("foster-runtime");
    const auto line = runtime::parse_command_line(arguments);
    if (line.asks_for_help) {
        log::must(sys::write_all(STDOUT_FILENO, HELP), "write to standard output");
        return 0;
    }
    if (line.makes_container()) {
        runtime::put_under_foster(line);
    }
    runtime::exec_real_runtime(line, variables);
}

} // namespace

int main(int /*count*/, char** arguments, char** variables)
{
    return foster::sys::run_with_enough_stack(run, arguments, variables);
}
