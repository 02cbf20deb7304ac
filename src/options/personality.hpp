// What the name that foster is invoked by changes.
#pragma once

namespace foster
{

// The names of a peer's own environment variables begin with its prefix; empty: it has none.
struct Personality {
    char name[16];
    char prefix[12];
    bool is_tini;        // the version line that `docker info` parses
    bool owns_session;   // --setsid and --group, until --single-child undoes both
    bool stops_with_job; // TSTP, TTIN and TTOU stop foster itself, too
    bool pauses;         // --pause
    int foster_failed;   // also for bad usage
    int cannot_execute;
    int not_found;
};

// The personality of an invoked name (argv[0]): a path, a symbolic link or a hard link alike. Plain foster for any other name.
const Personality& personality_of(const char* invoked_as);

} // namespace foster
