// What the command line, FOSTER_OPTIONS and the name that foster is called by ask for: data only.
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

// What foster is to do: run a command; or nothing, and reap; or what is done once, now, instead; or print a text.
enum class Mode : std::uint8_t { RUN, PAUSE, LIST_ZOMBIES, REAP_ZOMBIES, INSTALL, HELP, VERSION, LICENSE };
constexpr bool prints_text(Mode mode)
{
    return mode >= Mode::HELP;
}

// What becomes of zombies whose parent lives and does not wait for them. Each one does what stands before it, too.
enum class Zombies : std::uint8_t { LEAVE, REPORT, NUDGE, REAP };

// A table of numbers in which each one stands for itself.
template <std::size_t SIZE> constexpr std::array<std::uint8_t, SIZE> identity()
{
    std::array<std::uint8_t, SIZE> numbers{};
    for (std::size_t number = 0; number < SIZE; ++number) {
        numbers[number] = static_cast<std::uint8_t>(number);
    }
    return numbers;
}

// A signal that is forwarded only after a time.
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
    bool warn_reaped = false; // name every orphan that is reaped
    log::Level level = log::Level::WARNING;
    Mode mode = Mode::RUN;
    const char* install_as = nullptr; // the file or the directory of --install
    pid_t neglecter = 0;              // of --reap-zombies; 0: all of them
    Zombies zombies = Zombies::LEAVE;
    sys::Nanoseconds zombie_age = 0;                                                            // 0: what is usual
    std::array<std::uint8_t, sys::LAST_SIGNAL + 1> rewrites = identity<sys::LAST_SIGNAL + 1>(); // 0: dropped
    std::array<std::uint8_t, 256> exit_codes = identity<256>();
    std::array<Delay, 8> delays{};                                             // the first ones
    sys::SignalMask stop_signals = sys::bit_of(SIGTERM) | sys::bit_of(SIGINT); // received or forwarded
    sys::Nanoseconds stop_timeout = 0; // from the first request to stop to SIGKILL; 0: for ever
    sys::Nanoseconds grace = -1;       // of the leftovers between SIGTERM and SIGKILL; below 0: they get neither
    bool wait_all = false;             // for the leftovers
    bool mirror_signal = false;        // end by the signal that killed the child
    int warn_pids = 0;                 // per cent of the cgroup's PID limit; 0: never
    const char* termination_log = nullptr;
    int parent_death = 0; // signal that foster gets when its parent dies
    int tether = 0;       // signal that the child gets when foster dies
    const char* user = nullptr;
    const char* directory = nullptr;
    std::array<char*, 64> assignments{}; // of --env
    std::size_t assignment_count = 0;
    char** command = nullptr; // the child's argument list, ended by a null pointer
};

} // namespace foster
