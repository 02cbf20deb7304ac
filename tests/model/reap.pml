/* The signal and reap protocol of src/supervisor/{supervisor,reaper,leftovers}.cpp and src/signals/signal_source.cpp.
 * Each step names its function. tests/model/run.sh checks it: all interleavings with 3 pids, FORKS and SIGNALS.
 *
 * Proved: foster reaps each zombie of its own in the end, and does not block for ever while there is one (zombies, an
 * assertion); it ends with the child's status, not with that of a later process of the same pid; it signals no pid
 * after it was reaped, and no stranger that has got a leftover's pid; a signal that comes with or after the child's
 * SIGCHLD goes to the leftovers; --wait-all ends when the last leftover is gone, --grace in any case, and not before.
 * -DBREAK=RULE leaves one rule out, and spin finds what it is for.
 *
 * Bounds: MAX_WAITS is 1 instead of 256, a batch has 2 signals instead of 16. A deadline may pass at any time, and
 * passes in the end; killed processes exit in the end, and all that --wait-all waits for, if they are to end it.
 * Left out: real-time signals (they queue as any), --delay, the terminal, neglected zombies, rt_sigtimedwait, failures
 * (EPERM, no /proc, no pidfd, kernels before 6.10, whose read may block), processes that are older than the child, apart
 * from being reaped, kill(2) of process groups (a group's number may be reused, too), and the length of time. */
#ifndef BREAK
#define BREAK NOTHING
#endif
#define N 3 /* pids */
#define CHILD 0
#define FOSTER 3  /* as a parent */
#define OUTSIDE 4 /* as a parent: of what `docker exec` starts, and of strangers where foster is not PID 1 */
#define NONE 5
#define BATCH 2

mtype = { FREE, ALIVE, ZOMBIE, TERM, CHLD, SENT_CHLD, CONT, RUNNING, NOT_AWAITED, WAITING, GRACE, KILLING };
mtype:rule = { NOTHING, NO_SWEEP_AT_START, NO_SWEEP_AFTER_HINT, NO_SWEEP_AFTER_SENT_SIGCHLD, HELD_SWEEP_DROPPED,
  UNFINISHED_SWEEP_DROPPED, NO_SWEEP_DEADLINE, READ_BEFORE_PPOLL, READ_BLOCKS_AFTER_PPOLL, NO_LOOK_IN_BATCH,
  SIGNAL_AFTER_EXIT, STATUS_OF_REUSED_PID, NO_SWEEP_WITH_SEARCH, NO_LOOK_FOR_LEFTOVERS, NO_SECOND_LOOK, ONE_KILL,
  PIDFD_AFTER_CHECK };

/* The kernel, and the signals that are pending for foster. */
mtype state[N] = FREE, chld = FREE;
byte parent[N], chld_of, forks = FORKS, signals = SIGNALS;
bool killed[N], term, cont, is_same /* no other process has got pid n since it was listed */, is_same_fd /* ... opened */;
bool go; /* for foster's next system call; until then the others run */
/* foster, and its options. A deadline is held until its clock lets it pass. */
bool pid1, wait_all, grace, has_children = true, child_status, stopping;
bool sweep_pending, sweep_held, search_held, kill_held, stop_timeout, stop_held;
chan batch = [BATCH] of { mtype, byte };
byte hint = NONE, n;
mtype phase = RUNNING;
/* For the properties only. */
bool is_original = true /* CHILD is foster's child still */, noticed, searching, ended;

#define any(is) (is(0) || is(1) || is(2))
#define is_own(i) (state[i] != FREE && parent[i] == FOSTER)
#define is_own_zombie(i) (state[i] == ZOMBIE && parent[i] == FOSTER)
#define is_child_zombie (is_original && state[CHILD] == ZOMBIE)
#define is_leftover(i) (state[i] == ALIVE && (pid1 || parent[i] != OUTSIDE))
#define is_killed(i) killed[i]
#define is_awaited (phase == WAITING || phase == GRACE || phase == KILLING)
#define is_kill_due ((phase == GRACE || phase == KILLING) && !kill_held)
#define is_pending (term || cont || chld != FREE)
#define is_time_over ((sweep_pending && !sweep_held && BREAK != NO_SWEEP_DEADLINE) || (stop_timeout && !stop_held) || \
  (is_awaited && !search_held) || is_kill_due) /* Supervisor::deadline, Leftovers::deadline */

inline raise_chld(what, who) { if :: chld == FREE -> chld = what; chld_of = who :: else fi } /* SIGCHLDs coalesce */
inline free(who) {
  state[who] = FREE; parent[who] = 0; killed[who] = false;
  is_same = is_same && who != n; is_same_fd = is_same_fd && who != n
}
inline adopt(who, from) {
  if
  :: state[who] != FREE && parent[who] == from -> parent[who] = FOSTER;
    if :: state[who] == ZOMBIE -> raise_chld(CHLD, who) :: else fi
  :: else
  fi
}
inline exit(who) {
  adopt(0, who); adopt(1, who); adopt(2, who); killed[who] = false;
  if
  :: parent[who] == OUTSIDE -> free(who)
  :: parent[who] != OUTSIDE -> state[who] = ZOMBIE; if :: parent[who] == FOSTER -> raise_chld(CHLD, who) :: else fi
  :: parent[who] != OUTSIDE && !(who == CHILD && is_original) -> free(who) /* CLONE_AUTOREAP: no SIGCHLD */
  fi
}
inline fork(from, who) { if :: state[who] == FREE -> forks--; state[who] = ALIVE; parent[who] = from :: else fi }

active proctype world() { /* does nothing more at any time */
  byte i, j;
  do
  :: atomic { !ended && forks > 0 -> select (i : 0 .. N - 1); select (j : 0 .. N - 1);
      if :: is_leftover(i) && !killed[i] -> fork(i, j) :: else fi; i = 0; j = 0 }
  :: atomic { !ended && forks > 0 && !searching -> select (i : 0 .. N - 1); fork(OUTSIDE, i); i = 0 }
  :: atomic { !ended -> select (i : 0 .. N - 1); if :: state[i] == ALIVE -> exit(i) :: else fi; i = 0 }
  :: atomic { !ended -> select (i : 0 .. N - 1); /* its parent waits for it */
      if :: state[i] == ZOMBIE && parent[i] < N -> free(i) :: else fi; i = 0 }
  :: atomic { !ended && signals > 0 -> signals--;
      if :: term = true :: cont = true :: raise_chld(SENT_CHLD, NONE) :: is_own(1) -> raise_chld(CHLD, 1) /* stopped */ fi }
  :: !ended && cont -> cont = false /* taken away by a SIGSTOP */
  od
}

/* One process each, so that under spin's weak fairness each deadline passes in the end, and killed processes exit. */
active proctype scheduler() { do :: atomic { !go -> go = true } od }
active proctype sweep_clock() { do :: atomic { sweep_held -> sweep_held = false } :: atomic { stop_held -> stop_held = false } od }
active proctype search_clock() { do :: atomic { search_held -> search_held = false } od }
active proctype kill_clock() { do :: atomic { kill_held -> kill_held = false } od }
active proctype killer() {
  byte i;
  do :: atomic { any(is_killed) -> if :: killed[0] :: killed[1] -> i = 1 :: killed[2] -> i = 2 fi; exit(i); i = 0 } od
}

inline call() { go = false; go } /* before each system call */
inline record(who) { /* Reaper::record */
  free(who); has_children = true;
  if
  :: who == CHILD && (!child_status || BREAK == STATUS_OF_REUSED_PID) ->
    assert(is_original); child_status = true; is_original = false; noticed = false
  :: else
  fi
}
inline reap(who) { call(); if :: is_own_zombie(who) -> record(who) :: else fi } /* Reaper::reap: wait4(pid) */
inline reap_all() { /* Reaper::reap_all, reap_any: wait4(-1) finds the oldest, which is the child */
  call();
  if
  :: is_own_zombie(0) -> record(0); sweep_pending = BREAK != UNFINISHED_SWEEP_DROPPED
  :: !is_child_zombie && is_own_zombie(1) -> record(1); sweep_pending = BREAK != UNFINISHED_SWEEP_DROPPED
  :: !is_child_zombie && is_own_zombie(2) -> record(2); sweep_pending = BREAK != UNFINISHED_SWEEP_DROPPED
  :: else -> sweep_pending = false; has_children = any(is_own)
  fi
}
inline finish() { /* Reaper::finish */
  sweep_pending = true; do :: sweep_pending && sweeps < 4 -> reap_all(); sweeps++ :: else -> break od; sweeps = 0
}
inline reap_child_if_noticed() { if :: sweep_pending && !child_status -> reap(CHILD) :: else fi }
inline sweep_if_due() { /* Reaper::sweep_if_due, measure_sweep */
  if
  :: sweep_pending ->
    if :: hint != NONE -> reap(hint); hint = NONE :: else fi;
    if
    :: !sweep_held -> reap_all(); if :: !sweep_pending -> sweep_held = true :: true fi
    :: else -> sweep_pending = BREAK != HELD_SWEEP_DROPPED; reap_child_if_noticed()
    fi
  :: else
  fi
}
inline open_pidfd() { call(); no_fd = state[n] == FREE; is_same_fd = !no_fd }
inline signal_all(kills) { /* Leftovers::signal_all, kill_all */
  if
  :: pid1 -> call(); /* kill(-1) */
    killed[0] = kills && state[0] == ALIVE; killed[1] = kills && state[1] == ALIVE; killed[2] = kills && state[2] == ALIVE
  :: else ->
    do
    :: n < N -> call(); is_same = is_leftover(n); is_by_start = !is_own(n); /* Descendants::next */
      if
      :: is_same -> /* Leftovers' send */
        if :: BREAK != PIDFD_AFTER_CHECK -> open_pidfd() :: else fi;
        call(); is_alive = state[n] == ALIVE && (is_by_start -> is_same : is_own(n)); /* Process::is_alive */
        if :: is_alive && BREAK == PIDFD_AFTER_CHECK -> open_pidfd() :: else fi;
        if :: is_alive -> call() :: else fi; /* pidfd_send_signal, without a pidfd kill */
        if
        :: is_alive && (is_same_fd || no_fd) && state[n] == ALIVE ->
          assert(is_leftover(n)); killed[n] = killed[n] || kills
        :: else
        fi
      :: else
      fi; n++; is_same = false; is_same_fd = false; no_fd = false; is_by_start = false; is_alive = false
    :: else -> break
    od; n = 0
  fi
}
inline deliver(stops) { /* Supervisor::deliver, decide, Child::forward, Leftovers::forward */
  if
  :: child_status && is_awaited && BREAK != SIGNAL_AFTER_EXIT ->
    kills = stops && phase == GRACE && stopping; starts_grace = stops && phase == WAITING && grace;
    stopping = stopping || stops;
    if :: kills -> phase = KILLING :: else fi;
    signal_all(kills);
    if :: starts_grace -> phase = GRACE; kill_held = true :: kills -> kill_held = true :: else fi;
    kills = false; starts_grace = false
  :: child_status && !is_awaited && BREAK != SIGNAL_AFTER_EXIT
  :: else -> call(); assert(is_original && !noticed); stopping = stopping || stops;
    if :: stops && !stop_timeout -> stop_timeout = true; stop_held = true :: true fi
  fi
}
inline search_if_due() { /* Leftovers::search_if_due */
  if
  :: !has_children && !pid1 -> phase = NOT_AWAITED
  :: (has_children || pid1) && !search_held ->
    sweep_pending = sweep_pending || BREAK != NO_SWEEP_WITH_SEARCH;
    is_found = has_children; searching = true;
    do
    :: !is_found && n < N && BREAK != NO_LOOK_FOR_LEFTOVERS -> call(); is_found = is_leftover(n); n++
    :: else -> break
    od; n = 0;
    if :: !is_found -> finish(); is_found = has_children && BREAK != NO_SECOND_LOOK :: else fi;
    if :: is_found -> searching = false :: else -> phase = NOT_AWAITED fi; search_held = true; is_found = false
  :: else
  fi
}
inline wait_and_handle() { /* Supervisor::wait_and_handle */
  if
  :: len(batch) == 0 -> /* SignalSource::next, read_batch */
    assert(chld != FREE || sweep_pending || is_awaited || !any(is_own_zombie));
    is_pending || (is_time_over && BREAK != READ_BEFORE_PPOLL);
    if :: BREAK == READ_BLOCKS_AFTER_PPOLL && is_pending -> call(); is_pending :: else -> call() fi;
    do
    :: is_pending && len(batch) < BATCH -> /* the kernel takes the lowest number first */
      if
      :: term -> batch ! TERM, NONE; term = false
      :: !term && chld != FREE -> batch ! chld, chld_of; chld = FREE; chld_of = 0
      :: !term && chld == FREE -> batch ! CONT, NONE; cont = false
      fi; call()
    :: else -> break
    od
  :: else
  fi;
  if
  :: len(batch) > 0 -> batch ? received, from; /* Supervisor::handle, classify */
    if
    :: received == CHLD -> noticed = noticed || is_child_zombie; /* Reaper::notice */
      hint = from; sweep_pending = sweep_pending || BREAK != NO_SWEEP_AFTER_HINT
    :: else -> deliver(received == TERM);
      sweep_pending = sweep_pending || (received == SENT_CHLD && BREAK != NO_SWEEP_AFTER_SENT_SIGCHLD)
    fi; received = FREE; from = 0
  :: else
  fi;
  if
  :: len(batch) > 0 -> if :: BREAK != NO_LOOK_IN_BATCH -> reap_child_if_noticed() :: else fi
  :: else -> sweep_if_due(); /* Supervisor::run_due_work, kill_child_if_due */
    if
    :: stop_timeout && !stop_held && !child_status -> stop_timeout = false; call();
      assert(is_original); killed[CHILD] = state[CHILD] == ALIVE
    :: else
    fi
  fi
}

active proctype foster() {
  bool no_fd, is_by_start, is_alive, is_found, kills, starts_grace; byte sweeps, from; mtype received = FREE;
  atomic {
    if :: pid1 = true :: true fi; if :: wait_all = true :: true fi; if :: grace = true :: true fi;
    state[CHILD] = ALIVE; parent[CHILD] = FOSTER;
    if
    :: true
    :: state[1] = ALIVE; parent[1] = FOSTER
    :: state[1] = ZOMBIE; parent[1] = FOSTER; sweep_pending = BREAK != NO_SWEEP_AT_START /* Reaper's constructor */
    fi;
    do /* Supervisor::run, wait_for_leftovers */
    :: phase != NOT_AWAITED -> wait_and_handle();
      if
      :: phase == RUNNING && child_status -> stop_timeout = false; stop_held = false; finish();
        if /* Leftovers::begin */
        :: (!grace && !wait_all) || (!pid1 && !has_children) -> phase = NOT_AWAITED
        :: else -> phase = WAITING;
          if :: grace && (stopping || !wait_all) -> signal_all(false); phase = GRACE; kill_held = true :: else fi
        fi
      :: is_kill_due -> /* Leftovers::run_due_work, begin_killing, kill_again */
        if :: phase == GRACE || BREAK != ONE_KILL -> phase = KILLING; signal_all(true) :: else fi; kill_held = true
      :: else
      fi;
      if :: is_awaited -> search_if_due() :: else fi
    :: else -> break
    od;
    finish();
    assert(child_status && !((wait_all || grace) && (any(is_leftover) || any(is_own_zombie))));
    ended = true
  }
}

#define is_reaped(i) (is_own_zombie(i) -> <> (!is_own_zombie(i) || ended))
ltl zombies { [] (is_reaped(0) && is_reaped(1) && is_reaped(2)) }
ltl wait_all_ends { (<> [] !any(is_leftover)) -> <> ended }
ltl grace_ends { [] (!is_original && grace && !wait_all -> <> ended) }
