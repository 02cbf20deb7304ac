#include "supervisor.hpp"

#include "sys/kernel.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace foster
{
namespace
{

constexpr std::size_t MOST_SIGNALS = 16; // read at a time
constexpr int FIRST_OTHER_FD = STDERR_FILENO + 1;
constexpr sys::Nanoseconds NAP = 50'000'000;

} // namespace

void Supervisor::release_inherited(char** command)
{
    if (const auto left = sys::chdir("/"); !left) {
        messages_.cannot({"leave the working directory, which stays busy"}, left.error);
    }
    release_descriptors();
    for (; *command != nullptr; ++command) {
        std::memset(*command, 0, std::strlen(*command));
    }
}

void Supervisor::release_descriptors()
{
    // The signalfd takes the first number above the standard ones; all behind it goes.
    if (const auto moved = sys::dup_onto(signals_.number(), FIRST_OTHER_FD); !moved) {
        messages_.cannot({"close inherited descriptors, which stay open"}, moved.error);
        return;
    }
    if (signals_.number() != FIRST_OTHER_FD) {
        signals_ = sys::Fd(FIRST_OTHER_FD);
    }
    if (const auto closed = sys::close_from(FIRST_OTHER_FD + 1); !closed) {
        messages_.cannot({"close inherited descriptors, which stay open"}, closed.error);
    }
    // Standard input and output may be pipes whose other end waits for the last holder to go.
    const auto null = sys::open("/dev/null", O_RDWR);
    for (int fd = STDIN_FILENO; fd <= STDOUT_FILENO; ++fd) {
        if (!null || !sys::dup_onto(null.value.number(), fd)) {
            sys::close(fd);
        }
    }
}

int Supervisor::run()
{
    sys::release_unused_stack();
    while (!reaper_.child_status()) {
        wait_for_signals();
        reaper_.sweep_if_due();
    }
    // Leave no zombie to whoever adopts them next.
    reaper_.sweep();
    return exit_code_of(*reaper_.child_status());
}

void Supervisor::wait_for_signals()
{
    if (const auto deadline = reaper_.deadline(); deadline != 0) {
        const auto left = deadline - sys::monotonic_now();
        if (left <= 0) {
            return;
        }
        const auto readable = sys::wait_readable(signals_.number(), left);
        if (!readable && readable.error != EINTR) {
            reaper_.sweep(); // a sandbox without ppoll: pay for the sweep now rather than spin
            return;
        }
        if (!readable.value) {
            return;
        }
    }
    std::array<signalfd_siginfo, MOST_SIGNALS> records;
    const auto count = sys::read_signals(signals_.number(), records);
    if (!count) {
        survive_read_failure(count.error);
        return;
    }
    for (const auto& received : std::span(records).first(count.value)) {
        handle(received);
        // The pid may belong to anyone from now on (the bug of `dumb-init -c`).
        if (reaper_.child_status()) {
            return;
        }
    }
}

void Supervisor::handle(const signalfd_siginfo& received)
{
    switch (fate_of(received, self_)) {
    case Fate::REAP:
        reaper_.notice(static_cast<pid_t>(received.ssi_pid));
        return;
    case Fate::FORWARD:
        child_.forward(received);
        // The kernel's own SIGCHLD may have been merged into a sent one.
        if (received.ssi_signo == SIGCHLD) {
            reaper_.owe_sweep();
        }
        return;
    case Fate::DROP:
        return;
    }
}

// A signalfd that cannot be read should not happen, but is no reason to lose the child's exit status.
void Supervisor::survive_read_failure(int error)
{
    if (error == EINTR || error == EAGAIN) {
        return;
    }
    if (!reading_failed_) {
        messages_.cannot({"read signals, which are no longer forwarded"}, error);
        reading_failed_ = true;
    }
    (void)sys::wait_readable(-1, NAP);
    reaper_.owe_sweep();
}

} // namespace foster
