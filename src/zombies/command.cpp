#include "zombies/command.hpp"

#include "log/duration.hpp"
#include "sys/clock.hpp"
#include "sys/files.hpp"
#include "sys/memory.hpp"
#include "sys/procfs.hpp"
#include "zombies/monitor.hpp"
#include "zombies/remote_wait.hpp"

#include <sys/auxv.h>
#include <unistd.h>

namespace foster
{
namespace
{

constexpr std::size_t MAX_ZOMBIES = 32768;

// The reason why this zombie cannot be reaped, as far as it is visible without an attempt.
Blocker precheck(const Zombie& zombie)
{
    if (zombie.threads_live) {
        return {"its leader has ended, but threads of it live on"};
    }
    if (sys::number_in_status(zombie.pid, "TracerPid") > 0) {
        return {"it is being traced itself"};
    }
    const auto parent = sys::read_stat(zombie.parent);
    if (zombie.parent != 0 && (!parent || parent.value.has_exited())) {
        return {"its parent has ended, too: it is about to be adopted"};
    }
    return RemoteWait::precheck(zombie.parent, false);
}

sys::Nanoseconds age_of(const Zombie& zombie)
{
    const auto tick = 1'000'000'000 / ::getauxval(AT_CLKTCK);
    return sys::boottime_now() - static_cast<sys::Nanoseconds>(zombie.start * tick);
}

void pad(log::Line& line, std::size_t column)
{
    do {
        line.add(" ");
    } while (line.size() < column);
}

void print(std::string_view line)
{
    log::must(sys::write_all(STDOUT_FILENO, line), "write to standard output");
}

constexpr char HEADER[] = "PID      NAME             STARTED      PARENT                   REMEDY\n";
constexpr std::size_t NAME_COLUMN = std::string_view(HEADER).find("NAME");
constexpr std::size_t STARTED_COLUMN = std::string_view(HEADER).find("STARTED");
constexpr std::size_t PARENT_COLUMN = std::string_view(HEADER).find("PARENT");
constexpr std::size_t REMEDY_COLUMN = std::string_view(HEADER).find("REMEDY");

void print_row(const Zombie& zombie)
{
    log::Line line;
    line.add("{}", zombie.pid);
    pad(line, NAME_COLUMN);
    line.add("{}", zombie.name());
    pad(line, STARTED_COLUMN);
    log::add_duration(line, age_of(zombie));
    line.add(" ago");
    pad(line, PARENT_COLUMN);
    line.add("{}[{}]", sys::ProcessName(zombie.parent).text(), zombie.parent);
    pad(line, REMEDY_COLUMN);
    if (const auto blocker = precheck(zombie)) {
        line.add("none: ");
        add_blocker(line, zombie.parent, blocker);
    } else {
        line.add("foster --reap-zombies={}", zombie.parent);
    }
    print(line.finished());
}

void print_object(const Zombie& zombie)
{
    const auto parent = sys::read_stat(zombie.parent);
    const auto blocker = precheck(zombie);
    log::Line reason;
    if (blocker) {
        add_blocker(reason, zombie.parent, blocker);
    }
    log::Line line;
    line.begin_object();
    line.add_members("{pid}{name}{started_ms_ago}{parent}{parent_name}{parent_alive}{obstacle}", zombie.pid,
                     zombie.name(), age_of(zombie) / 1'000'000, zombie.parent, sys::ProcessName(zombie.parent).text(),
                     parent && !parent.value.has_exited(), blocker ? reason.c_string() : nullptr);
    line.end_object();
    print(line.finished());
}

void list_zombies()
{
    if (!log::is_json()) {
        print(HEADER);
    }
    void* memory = log::must(sys::map_memory(MAX_ZOMBIES * sizeof(Zombie)), "map memory");
    for (const auto& zombie : find_zombies({static_cast<Zombie*>(memory), MAX_ZOMBIES}, {})) {
        log::is_json() ? print_object(zombie) : print_row(zombie);
    }
}

} // namespace

int run_zombie_command(const Options& options)
{
    if (const char* problem = sys::procfs_problem()) {
        log::fail(log::failure_code(), "start-failed|cannot look for zombies: {reason}", problem);
    }
    if (options.mode == Mode::LIST_ZOMBIES) {
        list_zombies();
        return 0;
    }
    if (options.neglecter != 0 && !sys::read_stat(options.neglecter)) {
        log::fail(log::failure_code(), "bad-usage|no such process: {word}", options.neglecter);
    }
    const log::Messages messages{options.level == log::Level::WARNING ? log::Level::INFO : options.level};
    return ZombieMonitor(options, messages).reap_once() ? 1 : 0;
}

} // namespace foster
