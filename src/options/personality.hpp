// Personalities: what the name that foster is invoked by changes.
#pragma once

namespace foster
{

// prefix: the names of the peer's own environment variables begin with it; empty: it has none.
struct Personality {
    char name[16];
    char prefix[12];
    bool is_tini;        // the version line that `docker info` parses
    bool owns_session;   // --setsid and --group, until --single-child undoes both
    bool stops_with_job; // SIGTSTP, SIGTTIN and SIGTTOU also stop foster
    bool pauses;         // --pause
    int foster_failed;   // the exit code, also for bad usage
    int cannot_execute;
    int not_found;
};

// Returns the personality for argv[0], which may contain a directory; the name may be a symbolic link or a hard link.
// Any other name is plain foster.
const Personality& personality_of(const char* invoked_as);

} // namespace foster
