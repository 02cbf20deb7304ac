#include "signals.hpp"

#include "sys/output.hpp"

#include <algorithm>
#include <csignal>

namespace foster
{
namespace
{

constexpr int FIRST_REAL_TIME = 34;

// Indexed by number, signal(7); arrays and not pointers, which a position-independent program would have to relocate.
constexpr auto NAMES = std::to_array<std::array<char, 8>>({
    {""},     {"HUP"},  {"INT"},  {"QUIT"}, {"ILL"},    {"TRAP"},   {"ABRT"},  {"BUS"},  {"FPE"},  {"KILL"}, {"USR1"},
    {"SEGV"}, {"USR2"}, {"PIPE"}, {"ALRM"}, {"TERM"},   {"STKFLT"}, {"CHLD"},  {"CONT"}, {"STOP"}, {"TSTP"}, {"TTIN"},
    {"TTOU"}, {"URG"},  {"XCPU"}, {"XFSZ"}, {"VTALRM"}, {"PROF"},   {"WINCH"}, {"IO"},   {"PWR"},  {"SYS"},
});

} // namespace

SignalName::SignalName(int signal)
{
    sys::Line line;
    if (signal > 0 && static_cast<std::size_t>(signal) < NAMES.size()) {
        line.add({"SIG", NAMES[static_cast<std::size_t>(signal)].data()});
    } else if (signal < FIRST_REAL_TIME) {
        line.add(signal);
    } else if (signal == FIRST_REAL_TIME) {
        line.add("SIGRTMIN");
    } else {
        line.add({"SIGRTMIN+", signal - FIRST_REAL_TIME});
    }
    const auto text = line.text();
    size_ = std::min(text.size(), bytes_.size());
    std::copy_n(text.begin(), size_, bytes_.begin());
}

InheritedSignals::InheritedSignals()
    : mask_(sys::must(sys::set_signal_mask(sys::ALL_SIGNALS), "block signals")),
      sigchld_ignored_(sys::must(sys::ignore_sigchld(false), "stop ignoring SIGCHLD"))
{
}

void InheritedSignals::restore() const
{
    // Both calls have worked with the same arguments in the constructor.
    if (sigchld_ignored_) {
        (void)sys::ignore_sigchld(true);
    }
    (void)sys::set_signal_mask(mask_);
}

sys::Fd open_signals()
{
    return sys::must(sys::signalfd(sys::ALL_SIGNALS), "open a signalfd");
}

Fate fate_of(const signalfd_siginfo& received, pid_t self)
{
    if (received.ssi_signo == SIGCHLD && received.ssi_code >= CLD_EXITED && received.ssi_code <= CLD_CONTINUED) {
        return Fate::REAP;
    }
    // Raised by a system call of our own, as SIGPIPE is when nobody reads our messages: none of the child's business.
    if (received.ssi_code == SI_USER && received.ssi_pid == static_cast<std::uint32_t>(self)) {
        return Fate::DROP;
    }
    return Fate::FORWARD;
}

} // namespace foster
