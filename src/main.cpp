// foster: the init that a container, a pod or an agent runs under.
//
// Two phases. Before the spawn any failure ends foster with one line. After it nothing does but the child's own end.
#include "child.hpp"
#include "options.hpp"
#include "reaper.hpp"
#include "signals.hpp"
#include "supervisor.hpp"

int main(int /*count*/, char** arguments, char** environment)
{
    using namespace foster;

    const InheritedSignals inherited;
    const Options options = read_options(arguments, environment);
    if (options.print != nullptr) {
        return print_text(options);
    }
    const sys::Messages messages{options.level};
    adopt_orphans(messages);
    auto signals = open_signals();
    const Child child = Child::spawn(options, inherited, environment, messages);

    // From here on foster must not die.
    Supervisor supervisor(std::move(signals), child, options.warn_reaped, messages);
    supervisor.release_inherited(options.command);
    return supervisor.run();
}
