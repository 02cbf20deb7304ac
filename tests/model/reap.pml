/* The signal and reap protocol of src/supervisor/{supervisor,reaper,leftovers}.cpp and src/signals/signal_source.cpp.
 * Each step names its function. tests/model/run.sh has spin search all interleavings of 3 pids, FORKS and SIGNALS.
 * Proved: a zombie of foster's does not stay, and foster never blocks for ever while there is one; the status is that
 * of the child, not of a later process with its pid; no pid is signalled after it was reaped, no stranger that has got
 * a leftover's pid, and not the child after its SIGCHLD was handled; --wait-all ends when the last leftover is gone,
 * --grace in any case, neither before. With -DBREAK=RULE one rule does not hold, and spin finds what it is for.
 * Bounds: MAX_WAITS is 1 instead of 256, a batch has 2 signals instead of 16. A deadline may pass at any time, and
 * passes in the end; killed processes exit in the end; the processes that --wait-all waits for exit.
 * Left out: the lengths of times, real-time signals, --delay, the terminal, neglected zombies, rt_sigtimedwait,
 * failures (EPERM, no /proc, no pidfd, a kernel before 6.10), which processes are older than the child, and signals to
 * process groups, whose numbers may be reused, too. */
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
bool killed[N], term, cont, is_same, is_same_fd; /* since it was listed, since its pidfd was opened: pid n */
bool go; /* for foster's next system call; until then the others run */
/* foster, and its options. A deadline is held until its clock lets it pass. */
bool pid1, wait_all, grace, has_children = true, child_status, stopping;
bool sweep_pending, sweep_held, search_held, kill_held, stop_timeout, stop_held;
chan batch = [BATCH] of { mtype, byte }; byte hint = NONE, n; mtype phase = RUNNING;
/* For the properties only. */
bool is_original = true /* CHILD is foster's child still */, noticed, searching, ended;
#define when(condition, steps) if :: condition -> steps :: else fi
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

inline raise_chld(what, who) { when(chld == FREE, chld = what; chld_of = who) } /* SIGCHLDs coalesce */
inline free(who) {
  state[who] = FREE; parent[who] = 0; killed[who] = false; is_same = is_same && who != n;
  is_same_fd = is_same_fd && who != n }
inline adopt(who, from) {
  when(state[who] != FREE && parent[who] == from, parent[who] = FOSTER;
    when(state[who] == ZOMBIE, raise_chld(CHLD, who))) }
inline exit(who) {
  adopt(0, who); adopt(1, who); adopt(2, who); killed[who] = false;
  if
  :: parent[who] == OUTSIDE -> free(who)
  :: parent[who] != OUTSIDE -> state[who] = ZOMBIE; when(parent[who] == FOSTER, raise_chld(CHLD, who))
  :: parent[who] != OUTSIDE && !(who == CHILD && is_original) -> free(who) /* CLONE_AUTOREAP: no SIGCHLD */
  fi }
inline fork(from, who) { when(state[who] == FREE, forks--; state[who] = ALIVE; parent[who] = from) }

active proctype world() { /* does nothing more at any time */
  byte i, j;
  do
  :: atomic { !ended && forks > 0 -> select (i : 0 .. N - 1); select (j : 0 .. N - 1);
      when(is_leftover(i) && !killed[i], fork(i, j)); i = 0; j = 0 }
  :: atomic { !ended && forks > 0 && !searching -> select (i : 0 .. N - 1); fork(OUTSIDE, i); i = 0 }
  :: atomic { !ended -> select (i : 0 .. N - 1); when(state[i] == ALIVE, exit(i)); i = 0 }
  :: atomic { !ended -> select (i : 0 .. N - 1); when(state[i] == ZOMBIE && parent[i] < N, free(i)); i = 0 }
  :: atomic { !ended && signals > 0 -> signals--;
      if :: term = true :: cont = true :: raise_chld(SENT_CHLD, NONE) :: is_own(1) -> raise_chld(CHLD, 1) fi }
  :: !ended && cont -> cont = false /* taken away by a SIGSTOP */
  od }

/* One process each, so that under spin's weak fairness each deadline passes in the end, and killed processes exit. */
active proctype scheduler() { do :: atomic { !go -> go = true } od }
active proctype sweep_clock() { do :: atomic { sweep_held || stop_held -> if :: sweep_held -> sweep_held = false
  :: stop_held -> stop_held = false fi } od }
active proctype search_clock() { do :: atomic { search_held -> search_held = false } od }
active proctype kill_clock() { do :: atomic { kill_held -> kill_held = false } od }
active proctype killer() { byte i;
  do :: atomic { any(is_killed) -> if :: killed[0] :: killed[1] -> i = 1 :: killed[2] -> i = 2 fi; exit(i); i = 0 } od }

inline call() { go = false; go } /* before each system call */
inline record(who) { /* Reaper::record */
  free(who); has_children = true;
  when(who == CHILD && (!child_status || BREAK == STATUS_OF_REUSED_PID),
    assert(is_original); child_status = true; is_original = false; noticed = false) }
inline reap(who) { call(); when(is_own_zombie(who), record(who)) } /* Reaper::reap: wait4(pid) */
inline reap_all() { /* Reaper::reap_all, reap_any: wait4(-1) finds the oldest, which is the child */
  call(); sweep_pending = any(is_own_zombie) && BREAK != UNFINISHED_SWEEP_DROPPED;
  if
  :: is_own_zombie(0) -> record(0)
  :: !is_child_zombie && is_own_zombie(1) -> record(1)
  :: !is_child_zombie && is_own_zombie(2) -> record(2)
  :: else -> has_children = any(is_own)
  fi }
inline finish() { /* Reaper::finish */
  sweep_pending = true; do :: sweep_pending && sweeps < 4 -> reap_all(); sweeps++ :: else -> break od; sweeps = 0 }
inline reap_child_if_noticed() { when(sweep_pending && !child_status, reap(CHILD)) }
inline sweep_if_due() { /* Reaper::sweep_if_due, measure_sweep */
  when(sweep_pending && hint != NONE, reap(hint); hint = NONE);
  if
  :: sweep_pending && !sweep_held -> reap_all(); if :: !sweep_pending -> sweep_held = true :: true fi
  :: sweep_pending && sweep_held -> sweep_pending = BREAK != HELD_SWEEP_DROPPED; reap_child_if_noticed()
  :: else
  fi }
inline kill_one(who) { killed[who] = state[who] == ALIVE }
inline open_pidfd() { call(); is_same_fd = state[n] != FREE }
inline signal_all(kills) { /* Leftovers::signal_all, kill_all */
  if
  :: pid1 -> call(); when(kills, kill_one(0); kill_one(1); kill_one(2)) /* kill(-1) */
  :: else ->
    do
    :: n < N -> call(); is_same = is_leftover(n); is_by_start = !is_own(n); /* Descendants::next */
      when(is_same, /* send */
        when(BREAK != PIDFD_AFTER_CHECK, open_pidfd());
        call(); is_alive = state[n] == ALIVE && (is_by_start -> is_same : is_own(n)); /* Process::is_alive */
        when(is_alive && BREAK == PIDFD_AFTER_CHECK, open_pidfd());
        when(is_alive, call()); /* pidfd_send_signal */
        when(is_alive && is_same_fd && state[n] == ALIVE,
          assert(is_leftover(n)); killed[n] = killed[n] || kills));
      n++; is_same = false; is_same_fd = false; is_by_start = false; is_alive = false
    :: else -> break
    od; n = 0
  fi }
inline deliver(stops) { /* Supervisor::deliver, decide, Child::forward, Leftovers::forward */
  if
  :: child_status && is_awaited && BREAK != SIGNAL_AFTER_EXIT ->
    kills = stops && phase == GRACE && stopping; starts_grace = stops && phase == WAITING && grace;
    stopping = stopping || stops; when(kills, phase = KILLING); signal_all(kills); when(starts_grace, phase = GRACE);
    kill_held = kill_held || starts_grace || kills; kills = false; starts_grace = false
  :: child_status && !is_awaited && BREAK != SIGNAL_AFTER_EXIT
  :: else -> call(); assert(is_original && !noticed); stopping = stopping || stops;
    if :: stops && !stop_timeout -> stop_timeout = true; stop_held = true :: true fi
  fi }
inline search_if_due() { /* Leftovers::search_if_due */
  when(!has_children && !pid1, phase = NOT_AWAITED);
  when(is_awaited && !search_held,
    sweep_pending = sweep_pending || BREAK != NO_SWEEP_WITH_SEARCH;
    is_found = has_children; searching = true;
    do :: !is_found && n < N && BREAK != NO_LOOK_FOR_LEFTOVERS -> call(); is_found = is_leftover(n); n++
    :: else -> break od; n = 0;
    when(!is_found, finish(); is_found = has_children && BREAK != NO_SECOND_LOOK);
    if :: is_found -> searching = false :: else -> phase = NOT_AWAITED fi; search_held = true; is_found = false) }
inline read_batch() { /* SignalSource::read_batch; the kernel takes the lowest number first */
  is_pending || (is_time_over && BREAK != READ_BEFORE_PPOLL);
  if :: BREAK == READ_BLOCKS_AFTER_PPOLL && is_pending -> call(); is_pending :: else -> call() fi;
  do
  :: len(batch) < BATCH && term -> batch ! TERM, NONE; term = false; call()
  :: len(batch) < BATCH && !term && chld != FREE -> batch ! chld, chld_of; chld = FREE; chld_of = 0; call()
  :: len(batch) < BATCH && !term && chld == FREE && cont -> batch ! CONT, NONE; cont = false; call()
  :: else -> break
  od }
inline handle() { /* Supervisor::handle, classify */
  batch ? received, from;
  if
  :: received == CHLD -> noticed = noticed || is_child_zombie; hint = from; /* Reaper::notice */
    sweep_pending = sweep_pending || BREAK != NO_SWEEP_AFTER_HINT
  :: else -> deliver(received == TERM);
    sweep_pending = sweep_pending || (received == SENT_CHLD && BREAK != NO_SWEEP_AFTER_SENT_SIGCHLD)
  fi; received = FREE; from = 0 }
inline wait_and_handle() { /* Supervisor::wait_and_handle, SignalSource::next */
  assert(chld != FREE || len(batch) > 0 || sweep_pending || is_awaited || !any(is_own_zombie));
  when(len(batch) == 0, read_batch());
  when(len(batch) > 0, handle());
  if
  :: len(batch) > 0 -> when(BREAK != NO_LOOK_IN_BATCH, reap_child_if_noticed())
  :: else -> sweep_if_due(); /* Supervisor::run_due_work, kill_child_if_due */
    when(stop_timeout && !stop_held && !child_status,
      stop_timeout = false; call(); assert(is_original); killed[CHILD] = state[CHILD] == ALIVE)
  fi }
active proctype foster() {
  bool is_by_start, is_alive, is_found, kills, starts_grace; byte sweeps, from; mtype received = FREE;
  atomic {
    if :: pid1 = true :: true fi; if :: wait_all = true :: true fi; if :: grace = true :: true fi;
    state[CHILD] = ALIVE; parent[CHILD] = FOSTER;
    if :: true :: state[1] = ALIVE; parent[1] = FOSTER :: state[1] = ZOMBIE; parent[1] = FOSTER fi;
    sweep_pending = state[1] == ZOMBIE && BREAK != NO_SWEEP_AT_START; /* Reaper's constructor */
    do /* Supervisor::run, wait_for_leftovers */
    :: phase != NOT_AWAITED -> wait_and_handle();
      if
      :: phase == RUNNING && child_status -> stop_timeout = false; stop_held = false; finish();
        phase = ((grace || wait_all) && (pid1 || has_children) -> WAITING : NOT_AWAITED); /* Leftovers::begin */
        when(is_awaited && grace && (stopping || !wait_all), signal_all(false); phase = GRACE; kill_held = true)
      :: is_kill_due -> /* Leftovers::run_due_work, begin_killing, kill_again */
        when(phase == GRACE || BREAK != ONE_KILL, phase = KILLING; signal_all(true)); kill_held = true
      :: else
      fi; when(is_awaited, search_if_due())
    :: else -> break
    od; finish();
    assert(child_status && !((wait_all || grace) && (any(is_leftover) || any(is_own_zombie))));
    ended = true } }
#define is_reaped(i) (is_own_zombie(i) -> <> (!is_own_zombie(i) || ended))
ltl zombies { [] (is_reaped(0) && is_reaped(1) && is_reaped(2)) }
ltl wait_all_ends { (<> [] !any(is_leftover)) -> <> ended }
ltl grace_ends { [] (!is_original && grace && !wait_all -> <> ended) }
