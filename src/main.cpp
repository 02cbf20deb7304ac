// foster: the init that a container, a pod or an agent runs under.
//
// Two phases. Before the spawn any failure ends foster with one line. After it nothing does but the child's own end.
#include "child/child.hpp"
#include "install.hpp"
#include "options/options.hpp"
#include "signals/signal_name.hpp"
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
    const Options options = read_options(arguments, environment);
    if (options.print != Print::NOTHING) {
        inherited.restore(); // whoever does not read on may interrupt it
        return print_text(options);
    }
    if (options.install_as != nullptr) {
        return install(options);
    }
    if (options.once != Once::NOTHING) {
        return do_once(options);
    }
    const sys::Messages messages{options.level};
    adopt_orphans(messages);
    Earlier earlier(options, messages);
    watch_parent(options.parent_death, messages);
    auto terminal = options.own_session ? Terminal() : Terminal::find(options.no_terminal);
    LastWord last_word(options, messages);
    const auto child = Child::spawn(options, inherited, terminal, environment, messages);

    // From here on foster must not die.
    Supervisor supervisor(options, messages, std::move(terminal), child, earlier, last_word);
    supervisor.release_inherited();
    return supervisor.run();
}

} // namespace
} // namespace foster

int main(int /*count*/, char** arguments, char** variables)
{
    return foster::sys::run_with_room(foster::run, arguments, variables);
}
