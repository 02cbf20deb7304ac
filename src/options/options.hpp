// The settings that come from the command line, FOSTER_OPTIONS and the name that foster is invoked by: data only.
#pragma once

#include "log/log.hpp"

#include "options/personality.hpp"
#include "signals/signal_name.hpp"
#include "sys/clock.hpp"
#include "sys/signals.hpp"

#include <array>
#include <cstdint>
#include <sys/types.h>

namespace foster
{

// What foster does: it runs a command, or only reaps (PAUSE), or does one task and exits (LIST_ZOMBIES, REAP_ZOMBIES,
// INSTALL), or prints a text and exits.
// If several are given, the one that is later in this list counts, and the last of those that print a text.
enum class Mode : std::uint8_t { RUN, PAUSE, REAP_ZOMBIES, LIST_ZOMBIES, INSTALL, HELP, VERSION, LICENSE };
constexpr bool prints_text(Mode mode)
{
    return mode >= Mode::HELP;
}

// What foster does about neglected zombies. Each mode includes the ones before it.
enum class Zombies : std::uint8_t { LEAVE, REPORT, NUDGE, REAP };

// An array in which each element is its own index.
template <std::size_t SIZE> constexpr std::array<std::uint8_t, SIZE> identity()
{
    std::array<std::uint8_t, SIZE> numbers{};
    for (std::size_t number = 0; number < SIZE; ++number) {
        numbers[number] = static_cast<std::uint8_t>(number);
    }
    return numbers;
}

// --delay: a signal that is forwarded only after a time.
struct Delay {
    int signal = 0; // 0: none
    sys::Nanoseconds time = 0;
};

struct Options {
    const Personality* personality;
    bool group = false;       // forward to the child's process group, not to the child alone
    bool same_group = false;  // leave the child in foster's own process group
    bool own_session = false; // run the child in a session of its own
    bool no_terminal = false; // leave the terminal to foster's own process group
    bool warn_reaped = false; // log every reaped orphan
    log::Level level = log::Level::WARNING;
    Mode mode = Mode::RUN;
    const char* install_as = nullptr; // --install: a file or a directory
    pid_t neglecter = 0;              // --reap-zombies: the parent's pid; 0: all parents
    Zombies zombies = Zombies::LEAVE;
    sys::Nanoseconds zombie_age = 0;                                           // 0: the default
    sys::SignalMask stop_signals = sys::bit_of(SIGTERM) | sys::bit_of(SIGINT); // when received or when forwarded
    sys::Nanoseconds stop_timeout = 0; // from the first stop request to SIGKILL; 0: no SIGKILL
    sys::Nanoseconds grace = -1;       // from SIGTERM to SIGKILL for the leftovers; below 0: they get neither
    bool wait_all = false;             // wait for the leftovers
    bool mirror_signal = false;        // die by the signal that killed the child
    bool harden = false;               // give up the privileges that foster does not need
    int warn_pids = 0;                 // warn at this percentage of the cgroup's PID limit; 0: never
    const char* termination_log = nullptr;
    int parent_death = 0; // signal that foster gets when its parent dies
    int tether = 0;       // signal that the child gets when foster dies
    const char* user = nullptr;
    const char* directory = nullptr;
    std::size_t assignment_count = 0;
    char** command = nullptr; // the child's arguments, terminated by a null pointer
    // Last, as what is near the beginning of the object has shorter instructions.
    std::array<std::uint8_t, sys::LAST_SIGNAL + 1> rewrites = identity<sys::LAST_SIGNAL + 1>(); // 0: dropped
    std::array<std::uint8_t, 256> exit_codes = identity<256>();
    std::array<Delay, 8> delays{};       // those in use come first
    std::array<char*, 64> assignments{}; // --env
};

} // namespace foster
