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
    # shellcheck disable=SC2016 # for the shell inside
    run -7 run_in "$mode" sh -c 'exec "$@" <&- >&- 2>&-' sh \
      "$FOSTER" -vv -w --zombies=report --grace=1s -- sh -c '(:) & exit 7'
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

# bats test_tags=alone
@test "20,000 orphans live at once (with sanitizers 2,000): one that exits beside them is reaped, signals are forwarded, and --grace ends them all" {
  local batches=100
  is_static || batches=10
  # Where they are found in /proc.
  # shellcheck disable=SC2016 # for perl
  start_in subreaper "$FOSTER" "--termination-log=$BATS_TEST_TMPDIR/log" --grace=10s -- perl -e '
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
