// stuck-stderr COMMAND...: runs COMMAND with a standard error that is a full pipe which nobody reads.
#include "workload.hpp"

#include <fcntl.h>

int main(int /*count*/, char** arguments)
{
    int ends[2];
    if (pipe(ends) != 0 || fcntl(ends[1], F_SETFL, O_NONBLOCK) != 0) {
        die("pipe");
    }
    const char filler[4096]{};
    while (write(ends[1], filler, sizeof filler) > 0) {
    }
    fcntl(ends[1], F_SETFL, 0);
    dup2(ends[1], STDERR_FILENO);
    exec_rest(arguments + 1);
}
