// foster-runtime: an OCI runtime that stands before a real one and puts what that runs under foster.
//
// Whatever is odd about a container, it starts: what is not understood is left as it is, and the real runtime has the last word.
#include "log/log.hpp"
#include "runtime/bundle.hpp"
#include "runtime/command_line.hpp"
#include "runtime/real_runtime.hpp"
#include "sys/files.hpp"
#include "sys/stack.hpp"

#include <unistd.h>

namespace
{

constexpr std::string_view HELP =
    "Usage: foster-runtime [--foster-OPTION]... [ARGUMENT]...\n"
    "Be an OCI runtime: put the process of a container that is created under foster, then\n"
    "become the real runtime with the same arguments. Linked to the name foster-runc or\n"
    "foster-crun it stands before that one, else before the first of runc, crun in PATH.\n\n"
    "  --foster-runtime=PATH       the real runtime\n"
    "  --foster-init=PATH          foster itself (foster beside this program)\n"
    "  --foster-options=OPTIONS    options for foster, parted by blanks; repeatable\n"
    "  --foster-help               print this and exit\n\n"
    "Exit status: the real runtime's; 125 where there is none, or for a bad --foster-OPTION.\n";

int run(char** arguments, char** variables)
{
    using namespace foster;

    log::set_program("foster-runtime");
    const auto line = runtime::read_command_line(arguments);
    if (line.asks_for_help) {
        log::must(sys::write_all(STDOUT_FILENO, HELP), "write to standard output");
        return 0;
    }
    if (line.makes_container()) {
        runtime::put_under_foster(line);
    }
    runtime::become_real_runtime(line, variables);
}

} // namespace

int main(int /*count*/, char** arguments, char** variables)
{
    return foster::sys::run_with_room(run, arguments, variables);
}
