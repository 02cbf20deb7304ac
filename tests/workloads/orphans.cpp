// orphans COUNT [ALIVE]: makes COUNT orphans that exit at once with 3, beside ALIVE that stay until it ends. Prints
// READY when its parent, which adopts them, has no zombie left.
#include "workload.hpp"

#include <csignal>
#include <ctime>
#include <dirent.h>
#include <sys/wait.h>

namespace
{

constexpr int BATCH = 100;

void make_batch(int count, bool alive)
{
    const pid_t middle = fork();
    if (middle < 0) {
        die("fork");
    }
    if (middle > 0) {
        waitpid(middle, nullptr, 0);
        return;
    }
    for (int made = 0; made < count; ++made) {
        const pid_t orphan = fork();
        if (orphan < 0) {
            die("fork");
        }
        if (orphan == 0) {
            if (alive) {
                pause();
            }
            _exit(3);
        }
    }
    _exit(0);
}

// How many children of parent are, or are not, zombies.
int count_children(pid_t parent, bool zombies)
{
    int found = 0;
    DIR* processes = opendir("/proc");
    while (const dirent* entry = readdir(processes)) {
        char path[300];
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        FILE* file = entry->d_name[0] >= '0' && entry->d_name[0] <= '9' ? fopen(path, "r") : nullptr;
        if (file == nullptr) {
            continue;
        }
        char state = 0;
        pid_t its_parent = 0;
        if (fscanf(file, "%*d (%*[^)]) %c %d", &state, &its_parent) == 2 && its_parent == parent) {
            found += (state == 'Z') == zombies;
        }
        fclose(file);
    }
    closedir(processes);
    return found;
}

void make_orphans(int wanted, bool alive)
{
    for (int made = 0; made < wanted; made += BATCH) {
        make_batch(wanted - made < BATCH ? wanted - made : BATCH, alive);
    }
}

// Within 10 s.
template <typename Condition> void wait_for(Condition holds)
{
    const timespec nap{0, 5'000'000};
    for (int tries = 0; !holds(); ++tries) {
        if (tries > 2000) {
            fprintf(stderr, "orphans: %d zombies left\n", count_children(getppid(), true));
            exit(98);
        }
        nanosleep(&nap, nullptr);
    }
}

} // namespace

int main(int count, char** arguments)
{
    const int alive = count > 2 ? atoi(arguments[2]) : 0;
    make_orphans(alive, true);
    wait_for([alive] { return count_children(getppid(), false) > alive; });
    make_orphans(atoi(arguments[1]), false);
    wait_for([] { return count_children(getppid(), true) == 0; });
    puts("READY");
    if (alive > 0) {
        signal(SIGTERM, SIG_IGN);
        kill(0, SIGTERM);
    }
    return 0;
}
