// orphans COUNT [alive]: makes COUNT orphans. They exit at once with 3; "alive" makes them stay. Prints READY when its
// parent has adopted the living ones, or has no zombie left.
#include "workload.hpp"

#include <cstring>
#include <ctime>
#include <dirent.h>
#include <sys/wait.h>

namespace {

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

} // namespace

int main(int count, char** arguments)
{
    const int wanted = atoi(arguments[1]);
    const bool alive = count > 2;
    for (int made = 0; made < wanted; made += BATCH) {
        make_batch(wanted - made < BATCH ? wanted - made : BATCH, alive);
    }
    const timespec nap{0, 5'000'000};
    for (int tries = 0; tries < 2000; ++tries) {
        if (alive ? count_children(getppid(), false) > wanted : count_children(getppid(), true) == 0) {
            puts("READY");
            fflush(stdout);
            if (alive) {
                pause();
            }
            return 0;
        }
        nanosleep(&nap, nullptr);
    }
    fprintf(stderr, "orphans: %d zombies left\n", count_children(getppid(), true));
    return 98;
}
