// stuck-stderr KIND DRAIN COMMAND...: runs COMMAND with a standard error that takes no more, and that nobody reads.
// KIND:
//   pipe, fifo, socket
//   terminal ROOM: a pseudo-terminal with room for about so many bytes
// A child of it holds the other end. When somebody opens the FIFO DRAIN for writing, it reads all that comes, to the
// file DRAIN.out.
#include "workload.hpp"

#include <csignal>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace
{

struct Ends {
    int reader = -1;
    int writer = -1;
};

Ends open_terminal()
{
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
        die("terminal");
    }
    const int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    return {master, slave};
}

Ends open_ends(std::string_view kind, const std::string& drain)
{
    int ends[2]{-1, -1};
    if (kind == "terminal") {
        return open_terminal();
    }
    if (kind == "fifo") {
        const auto path = drain + ".stuck";
        mkfifo(path.c_str(), 0600);
        ends[0] = open(path.c_str(), O_RDONLY | O_NONBLOCK);
        ends[1] = open(path.c_str(), O_WRONLY);
        fcntl(ends[0], F_SETFL, 0);
    } else if ((kind == "pipe" ? pipe(ends) : socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) != 0) {
        die("pipe or socket");
    }
    return {ends[0], ends[1]};
}

// Until it takes no more, or no more than so many bytes. Returns how many it has taken.
long fill(int fd, long at_most)
{
    fcntl(fd, F_SETFL, O_NONBLOCK);
    long filled = 0;
    while (filled < at_most && write(fd, "x", 1) == 1) {
        ++filled;
    }
    fcntl(fd, F_SETFL, 0);
    return filled;
}

[[noreturn]] void hold(int reader, const std::string& drain, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(0); // it has ended before
    }
    signal(SIGTERM, SIG_IGN);
    (void)open(drain.c_str(), O_RDONLY); // until somebody opens it for writing
    const int out = open((drain + ".out").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    char bytes[4096];
    for (;;) {
        const auto size = read(reader, bytes, sizeof bytes);
        if (size <= 0 || write(out, bytes, static_cast<std::size_t>(size)) != size) {
            pause();
        }
    }
}

} // namespace

int main(int /*count*/, char** arguments)
{
    const std::string_view kind = *++arguments;
    const bool has_room = kind == "terminal";
    const long room = has_room ? std::atol(*++arguments) : 0;
    const std::string drain = *++arguments;
    constexpr long ALL = 10'000'000;
    const auto ends = open_ends(kind, drain);
    // A second one is filled to learn how much there is.
    const long most = has_room ? fill(open_terminal().writer, ALL) - room : ALL;
    fill(ends.writer, most);
    const pid_t self = getpid();
    if (fork() == 0) {
        close(ends.writer);
        hold(ends.reader, drain, self);
    }
    close(ends.reader);
    dup2(ends.writer, STDERR_FILENO);
    close(ends.writer);
    exec_rest(arguments + 1);
}
