// stuck-exec DIR COUNT: neglects COUNT children, and has a thread in an execve that never ends: of a file in a file
// system (FUSE, mounted at DIR in a mount namespace of its own, for which it has to be root) that never answers. Prints
// READY when that is so, "got N" for each of SIGHUP and SIGUSR1, and exits with 7 at SIGTERM.
#include "workload.hpp"

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <thread>

namespace
{

void say(const char* text)
{
    if (write(STDOUT_FILENO, text, strlen(text)) < 0) {
        die("write");
    }
}

fuse_attr attributes(std::uint64_t node)
{
    fuse_attr attributes{};
    attributes.ino = node;
    attributes.nlink = 1;
    attributes.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0755;
    attributes.size = 4096;
    return attributes;
}

void answer(int device, std::uint64_t request, int error, const void* body, std::size_t size)
{
    fuse_out_header header{static_cast<std::uint32_t>(sizeof header + size), error, request};
    const iovec parts[]{{&header, sizeof header}, {const_cast<void*>(body), size}};
    if (writev(device, parts, 2) < 0) {
        die("fuse");
    }
}

// Answers all but a read.
[[noreturn]] void serve(int device)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alignas(8) static char buffer[1 << 17];
    while (read(device, buffer, sizeof buffer) > 0) {
        fuse_in_header header{};
        memcpy(&header, buffer, sizeof header);
        if (header.opcode == FUSE_INIT) {
            fuse_init_out out{};
            out.major = FUSE_KERNEL_VERSION;
            out.minor = FUSE_KERNEL_MINOR_VERSION;
            out.max_write = 4096;
            answer(device, header.unique, 0, &out, sizeof out);
        } else if (header.opcode == FUSE_LOOKUP) {
            fuse_entry_out out{};
            out.nodeid = 2;
            out.attr = attributes(2);
            answer(device, header.unique, 0, &out, sizeof out);
        } else if (header.opcode == FUSE_GETATTR) {
            fuse_attr_out out{};
            out.attr = attributes(header.nodeid);
            answer(device, header.unique, 0, &out, sizeof out);
        } else if (header.opcode == FUSE_OPEN) {
            const fuse_open_out out{};
            answer(device, header.unique, 0, &out, sizeof out);
        } else if (header.opcode == FUSE_READ) {
            say("READY\n");
        } else if (header.opcode != FUSE_FORGET && header.opcode != FUSE_INTERRUPT) {
            answer(device, header.unique, -ENOSYS, nullptr, 0);
        }
    }
    pause();
    _exit(0);
}

} // namespace

int main(int /*count*/, char** arguments)
{
    const char* const dir = arguments[1];
    for (int left = std::atoi(arguments[2]); left > 0; --left) {
        if (fork() == 0) {
            _exit(3);
        }
    }
    signal(SIGHUP, [](int) { say("got 1\n"); });
    signal(SIGUSR1, [](int) { say("got 10\n"); });
    signal(SIGTERM, [](int) { _exit(7); });
    const int device = open("/dev/fuse", O_RDWR);
    const auto data = "fd=" + std::to_string(device) + ",rootmode=40000,user_id=0,group_id=0";
    if (device < 0 || unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("stuck", dir, "fuse", 0, data.c_str()) != 0) {
        die("mount");
    }
    if (fork() == 0) {
        serve(device);
    }
    close(device);
    const auto program = std::string(dir) + "/program";
    std::thread([program] {
        set_signal_mask(ALL_SIGNALS);
        execl(program.c_str(), "program", nullptr);
        die("exec");
    }).detach();
    for (;;) {
        pause();
    }
}
