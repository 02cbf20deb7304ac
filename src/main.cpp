// The foster program: the init that a container, a pod or an agent runs under.
// There are two phases. Before the spawn, any failure ends foster with one line on standard error. After the spawn,
// foster ends only after the child has exited: no failure ends it.
#include "child/child.hpp"
#include "install.hpp"
#include "options/help.hpp"
#include "options/parser.hpp"
#include "signals/inherited_signals.hpp"
#include "signals/signal_source.hpp"
#include "supervisor/harden.hpp"
#include "supervisor/parentage.hpp"
#include "supervisor/reaper.hpp"
#include "supervisor/supervisor.hpp"
#include "sys/stack.hpp"
#include "zombies/command.hpp"

namespace foster
{
namespace
{

int run(char** arguments, char** variables)
{
    Environment environment(variables);
    prepare_messages(arguments, environment);
    const InheritedSignals inherited;
    const Options options = parse_options(arguments, environment);
    if (prints_text(options.mode)) {
        inherited.restore(); // SIGINT works again, e.g. while nobody reads the pipe
        return print_text(options);
    }
    if (options.mode == Mode::INSTALL) {
        return install(options);
    }
    if (options.mode >= Mode::REAP_ZOMBIES) {
        return run_zombie_command(options);
    }
    const log::Messages messages{options.level};
    set_parentage(options.parent_death, messages);
    InheritedChildren inherited_children(options, messages);
    auto terminal = options.own_session ? Terminal() : Terminal::find(options.no_terminal);
    ExitReport exit_report(options, messages);
    const auto child = Child::spawn(options, inherited, terminal, environment, messages);

    // From here on foster must not exit before the child has exited.
    SignalSource signals(messages); // last, so that it takes no descriptor that a step before could need
    Supervisor supervisor(options, messages, signals, std::move(terminal), child, inherited_children, exit_report);
    supervisor.release_inherited();
    harden(options, messages);
    return supervisor.run();
}

} // namespace
} // namespace foster

int main(int /*count*/, char** arguments, char** variables)
{
    return foster::sys::run_with_enough_stack(foster::run, arguments, variables);
}
