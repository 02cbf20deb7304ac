#!/usr/bin/env bats
# foster under each limit that a process can be put under: it reaps, forwards and exits as ever. The stack has a file of
# its own, stack_limit.bats.
load helpers

# Whether foster reaps orphans, forwards signals, a queued one with its value, too, and exits with the child's status.
# "$@": what puts the limit on, and foster with its options. The child has the limit taken off where it can.
works_under() {
  local mode=$1
  shift
  # shellcheck disable=SC2016 # for the shell inside
  start_in "$mode" "$@" sh -c '"$WORKLOADS/orphans" 20 && exec "$WORKLOADS/record-signals" 2'
  wait_until eval '[[ $(grep -c READY "$OUT") == 2 ]]'
  "$WORKLOADS/send-signals" "$INIT" 10 34=0x7
  finish
  expect_status 0
  grep -qx 10 "$OUT"
  grep -q '^34 value 0x7 ' "$OUT"
  run -7 run_in "$mode" "$@" sh -c 'exit 7'
}

@test "no descriptor but the standard ones can be opened" {
  requires_static
  for mode in "${MODES[@]}"; do
    start_in "$mode" prlimit --nofile=3 "$FOSTER" -v "$WORKLOADS/record-signals" 2
    wait_ready
    "$WORKLOADS/send-signals" "$INIT" 10 34=0x7
    finish
    expect_status 0
    grep -q '^34 value 0x7 ' "$OUT"
    works_under "$mode" prlimit --nofile=8 "$FOSTER" --grace=100ms
  done
}

@test "standard input, output and error are closed" {
  for mode in "${MODES[@]}"; do
    for words in '' '-vv -w --zombies=report --grace=1s'; do
      # shellcheck disable=SC2016,SC2086 # for the shell inside; several words
      run -7 run_in "$mode" sh -c 'exec "$@" <&- >&- 2>&-' sh "$FOSTER" $words -- sh -c '(:) & exit 7'
    done
  done
}

@test "there is hardly an address space left" {
  requires_static
  for mode in "${MODES[@]}"; do
    works_under "$mode" prlimit --as=16000000 "$FOSTER" --zombies=report --zombie-age=10s --delay HUP:1s
    works_under "$mode" prlimit --data=2000000 "$FOSTER" --log=json -v
  done
}

@test "no byte can be written to a file: messages are lost, nothing else" {
  for mode in "${MODES[@]}"; do
    run -7 run_in "$mode" prlimit --fsize=0 "$FOSTER" -v --termination-log="$BATS_TEST_TMPDIR/log" -- sh -c 'exit 7'
    # shellcheck disable=SC2016 # for the shell inside
    run -7 run_in "$mode" prlimit --fsize=0 sh -c 'exec "$@" 2>"$0"' "$BATS_TEST_TMPDIR/file" "$FOSTER" -v -- sh -c '(:) & exit 7'
    # The SIGXFSZ that foster gets for each of its messages is not for the child.
    # shellcheck disable=SC2016 # for the shell inside
    start_in "$mode" prlimit --fsize=0:unlimited "$FOSTER" -v sh -c 'ulimit -S -f unlimited; exec "$WORKLOADS/record-signals" 2'
    wait_ready
    kill -USR1 "$INIT"
    wait_until grep -qx 10 "$OUT"
    kill -USR2 "$INIT"
    finish
    expect_status 0
    expect [ "$(<"$OUT")" = $'READY\n10\n12' ]
    expect [ ! -s "$ERR" ]
  done
}

@test "no further process can be made: foster writes its messages without a helper" {
  make_cgroup pids
  for mode in "${MODES[@]}"; do
    # As many as there are: the shell that is foster then, and its child.
    # shellcheck disable=SC2016 # for the shell inside
    start_in "$mode" sh -c 'echo 2 >"$0/pids.max" && echo 0 >"$0/cgroup.procs" && exec "$@"' "$CGROUP" \
      "$FOSTER" -v "$WORKLOADS/record-signals" 2
    wait_ready
    "$WORKLOADS/send-signals" "$INIT" 10 34=0x7
    finish
    expect_status 0
    grep -q 'forwarded SIGUSR1 to ' "$ERR"
    grep -q 'record-signals.* exited with 0 after' "$ERR"
  done
}

@test "foster is stopped when it starts, and stopped and continued again and again" {
  for mode in "${MODES[@]}"; do
    # PID 1 cannot stop itself.
    # shellcheck disable=SC2016 # for the shell inside
    start_in "$mode" bash -c '[[ $$ == 1 ]] || kill -STOP $$; exec "$FOSTER" --rewrite CONT:none "$WORKLOADS/record-signals" 19'
    [[ $mode == pid1 ]] || wait_until is_stopped "$INIT"
    kill -CONT "$INIT"
    wait_ready
    local number
    for number in {40..58}; do
      kill -STOP "$INIT"
      wait_until is_stopped "$INIT"
      kill -"$number" "$INIT"
      kill -CONT "$INIT"
      wait_until grep -qx "$number" "$OUT"
    done
    finish
    expect_status 0
  done
}

@test "fifty of them, each one the child of the one before: a signal goes through all, and the status comes back" {
  for mode in "${MODES[@]}"; do
    local all=() count
    for ((count = 0; count < 50; ++count)); do
      all+=("$FOSTER")
    done
    works_under "$mode" "${all[@]}"
  done
}

@test "arguments and environment are as large as execve takes them" {
  local words=() long
  long=$(printf '%0130000d' 0)
  for ((count = 0; count < 14; ++count)); do
    words+=("$long")
  done
  for mode in "${MODES[@]}"; do
    # shellcheck disable=SC2016 # for the shell inside
    run -0 run_in "$mode" "$FOSTER" --env "LONG=$long" sh -c 'printf "%s" "$LONG$*" | wc -c' sh "${words[@]}"
    expect [ "$output" = $((15 * 130000 + 13)) ]
  done
}

# Starts foster, with these options, in a memory cgroup of version 1 whose OOM killer is off: whatever in it wants a
# page beyond the limit sleeps until there is one. Its child is not in it: on SIGUSR2 that makes 50 orphans. All
# messages go to a pipe, for a file needs pages, too.
start_in_memory_cgroup() {
  local mode=$1
  shift
  [[ -e $CGROUP/memory.oom_control ]] || skip 'requires cgroups of version 1 with the controller memory'
  echo 8M >"$CGROUP/memory.limit_in_bytes"
  echo 1 >"$CGROUP/memory.oom_control"
  # shellcheck disable=SC2016 # for the shells inside
  start_in "$mode" bash -c 'echo 0 >"$CGROUP/cgroup.procs"; exec "$@" 2> >(echo 0 >"$CGROUP/../cgroup.procs"; exec cat >&2)' \
    bash "$FOSTER" "$@" -- bash -c 'echo 0 >"$CGROUP/../cgroup.procs"; trap "\"\$WORKLOADS/orphans\" 50; echo ORPHANS" USR2
      trap "echo USR1" USR1; trap "exit 7" TERM; echo STARTED; while :; do read -r -t 0.1 <> <(:); done'
  wait_until grep -q STARTED "$OUT"
  wait_until has_freed_memory "$INIT"
  wait_until is_asleep "$INIT"
}

# Whether foster has given back what only its set-up needs, a moment after its start.
has_freed_memory() {
  (($(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$1/status") < 60))
}

# Until a process sleeps because it gets no page: $HOG.
fill_memory_cgroup() {
  # shellcheck disable=SC2016 # for the shell inside
  sh -c 'echo 0 >"$CGROUP/cgroup.procs"; exec tail /dev/zero' 3>&- &
  HOG=$!
  wait_until grep -qx 'under_oom 1' "$CGROUP/memory.oom_control"
  wait_until eval '[[ $(state_of "$HOG") == D ]]'
}

empty_memory_cgroup() {
  kill -KILL "$HOG"
  wait "$HOG" || true
}

# Page faults of foster, minor and major, and its resident memory.
memory_of() {
  awk '{ print $10, $12 }' "/proc/$1/stat"
  awk '$1 == "Rss:" { print $2 }' "/proc/$1/smaps_rollup"
}

@test "a memory cgroup is full: foster forwards, reaps and exits without a new page" {
  requires_static # a sanitizer takes more
  make_cgroup memory
  export CGROUP
  for mode in "${MODES[@]}"; do
    start_in_memory_cgroup "$mode"
    fill_memory_cgroup
    local before
    before=$(memory_of "$INIT")
    kill -USR1 "$INIT"
    wait_until grep -qx USR1 "$OUT"
    kill -USR2 "$INIT"
    wait_until grep -qx ORPHANS "$OUT"
    wait_until has_no_zombies "$INIT"
    wait_until is_asleep "$INIT"
    expect [ "$(memory_of "$INIT")" = "$before" ]
    grep -qx 'under_oom 1' "$CGROUP/memory.oom_control"
    kill "$INIT"
    finish
    expect_status 7
    empty_memory_cgroup
  done
}

@test "a memory cgroup is full, and messages need memory: the OOM killer ends the largest process, and foster goes on" {
  requires_static # a sanitizer takes more
  make_cgroup memory
  export CGROUP
  for mode in "${MODES[@]}"; do
    start_in_memory_cgroup "$mode" -v
    fill_memory_cgroup
    # Its messages are lost, or it sleeps until there is a page.
    kill -USR1 "$INIT"
    kill -USR2 "$INIT"
    echo 0 >"$CGROUP/memory.oom_control"
    wait_until has_ended "$HOG"
    wait "$HOG" || true
    wait_until grep -qx USR1 "$OUT"
    wait_until grep -qx ORPHANS "$OUT"
    wait_until has_no_zombies "$INIT"
    kill "$INIT"
    finish
    expect_status 7
    wait_until grep -q 'exited with 7 after' "$ERR" # by way of the pipe
  done
}

# Makes a cgroup with the freezer.
make_freezer() {
  [[ ! -d /sys/fs/cgroup/freezer ]] || { make_cgroup freezer; return; }
  make_cgroup pids # version 2: each cgroup has one
}

# freeze 0|1: thaws or freezes what is in the cgroup.
freeze() {
  local words=(THAWED FROZEN)
  if [[ -e $CGROUP/freezer.state ]]; then
    echo "${words[$1]}" >"$CGROUP/freezer.state"
    wait_until grep -qx "${words[$1]}" "$CGROUP/freezer.state"
  else
    echo "$1" >"$CGROUP/cgroup.freeze"
    wait_until grep -qx "frozen $1" "$CGROUP/cgroup.events"
  fi
}

@test "frozen with the child, and thawed: no signal is lost, no zombie left, what is due comes" {
  make_freezer
  local number refused
  for mode in "${MODES[@]}"; do
    for refused in '' 'signalfd=EPERM'; do
      # shellcheck disable=SC2086,SC2016 # no or one word; for the shell inside
      start_in "$mode" "$WORKLOADS/deny" $refused -- "$FOSTER" --delay HUP:100ms \
        sh -c '(sleep 1000 & sleep 1000 & sleep 1000 &); exec "$WORKLOADS/record-signals" 21'
      wait_ready
      local child signals=()
      child=$(child_of "$INIT" record-signals)
      wait_until eval '[[ $(pgrep -c -P "$INIT" -x sleep) == 3 ]]'
      echo "$INIT" >"$CGROUP/cgroup.procs"
      echo "$child" >"$CGROUP/cgroup.procs"
      kill -HUP "$INIT" # is due while all is frozen
      freeze 1
      for number in {40..58}; do
        signals+=("$number=0x$number")
      done
      "$WORKLOADS/send-signals" "$INIT" "${signals[@]}"
      pgrep -P "$INIT" -x sleep | xargs kill
      wait_until is_past $(($(now) + 120))
      freeze 0
      wait_until has_no_zombies "$INIT"
      wait_until grep -qx 1 "$OUT"
      kill -USR1 "$INIT"
      finish
      expect_status 0
      diff <(for number in {40..58}; do echo "$number value 0x$number"; done) <(sed -n 's/ from .*//p' "$OUT")
      expect [ ! -s "$ERR" ]
    done
  done
}

@test "the child is frozen alone: foster sleeps, and --stop-timeout comes" {
  make_freezer
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" --stop-timeout=300ms sh -c '(sleep 1000 &); trap "exit 7" TERM; echo READY
      while :; do sleep 0.05; done'
    wait_ready
    local child naps
    child=$(child_of "$INIT" sh)
    echo "$child" >"$CGROUP/cgroup.procs"
    freeze 1
    kill "$INIT"
    kill "$INIT"
    wait_until grep -q 'has not ended in time: killing it' "$ERR"
    # Where a frozen process can be killed, version 2, it is gone.
    if [[ -e $CGROUP/freezer.state ]]; then
      wait_until is_asleep "$INIT"
      naps=$(voluntary_switches_of "$INIT")
      kill "$(pgrep -P "$INIT" -x sleep)"
      wait_until has_no_zombies "$INIT"
      kill "$INIT"
      wait_until has_slept_again "$INIT" "$naps" 2
      expect [ $(($(voluntary_switches_of "$INIT") - naps)) -lt 10 ]
    fi
    freeze 0
    finish
    expect_status 137
    expect [ "$(wc -l <"$ERR")" = 1 ]
  done
}

@test "no clock that can be set is read: --delay, --stop-timeout, --grace, the age of zombies, and the run time" {
  requires_x86_64
  local trace=$BATS_TEST_TMPDIR/trace foster
  # shellcheck disable=SC2016 # for the shell inside
  start_in subreaper strace -f -b execve -o "$trace" \
    -e trace=clock_gettime,clock_nanosleep,gettimeofday,time,nanosleep,timer_create,timerfd_create,setitimer \
    "$FOSTER" -v --delay USR1:50ms --stop-timeout=100ms --grace=100ms --zombies=reap --zombie-age=50ms -- \
    sh -c 'trap "" TERM; trap "echo USR1" USR1; "$WORKLOADS/neglect" 3 nanosleep 60 & while :; do sleep 0.05; done'
  wait_until grep -q 'reaped 3 zombies' "$ERR"
  foster=$(child_of "$INIT" "${FOSTER##*/}")
  kill -USR1 "$foster"
  wait_until grep -qx USR1 "$OUT"
  kill "$foster"
  finish
  expect_status 137
  expect_in ' killed by SIGKILL after ' "$(tail -n 1 "$ERR")"
  expect [ "$(grep -c 'clock_gettime(CLOCK_MONOTONIC, ' "$trace")" -gt 5 ]
  run ! grep -v -e '(CLOCK_MONOTONIC, ' -e '(CLOCK_THREAD_CPUTIME_ID, ' -e resumed -e '[-+]\{3\}' "$trace"
}

# bats test_tags=alone
@test "20,000 orphans live at once (with sanitizers 2,000): one that exits beside them is reaped, signals are forwarded, and --grace ends them all" {
  local batches=100
  is_static || batches=10
  # Where they are found in /proc.
  # shellcheck disable=SC2016 # for perl
  start_in subreaper "$FOSTER" "--termination-log=$BATS_TEST_TMPDIR/log" --grace=10m -- perl -e '
    $| = 1; $SIG{USR1} = sub { exit 7 };
    for (1 .. shift) { if (fork == 0) { for (1 .. 200) { if (fork == 0) { sleep 1000; exit } } exit } wait }
    if (fork == 0) { exit 0 if fork; $0 = "last"; exit 3 } wait; print "READY\n"; sleep 1 while 1' $batches
  wait_until grep -q READY "$OUT"
  wait_until has_no_zombies "$INIT"
  kill -USR1 "$INIT"
  finish
  expect_status 7
  grep -q "orphans reaped: 1; leftovers ended: $((batches * 200))$" "$BATS_TEST_TMPDIR/log"
}
