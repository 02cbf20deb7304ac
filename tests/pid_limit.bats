#!/usr/bin/env bats
load helpers

warnings() {
  grep -c 'warning: [0-9]* of the 20 PIDs that the cgroup may have are in use$' "$ERR" || true
}

orphan() {
  local before
  before=$(grep -c 'reaped orphan' "$ERR") || true
  kill -HUP "$INIT"
  wait_until eval "[[ \$(grep -c 'reaped orphan' '$ERR') -gt $before ]]"
}

# Again and again for 300 ms: foster looks at most ten times a second.
for_a_while() {
  local end=$(($(now) + 300))
  until (($(now) > end)); do
    "$@"
  done
}

change() {
  : >"$OUT"
  kill -"$1" "$INIT"
  wait_until grep -qx "$2" "$OUT"
}

@test "--warn-pids warns before the cgroup's limit of PIDs is hit, when an orphan is reaped, again only when it has been below" {
  make_cgroup pids
  echo 20 >"$CGROUP/pids.max"
  for mode in "${MODES[@]}"; do
    # The workload makes an orphan at SIGHUP, ten sleepers at SIGUSR1, and ends them at SIGUSR2.
    # shellcheck disable=SC2016 # for the shells inside
    start_in "$mode" sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$CGROUP" "$FOSTER" -w --warn-pids=60 -- perl -e '
      $| = 1;
      $SIG{HUP} = sub { if (fork == 0) { exit if fork; exit } wait };
      $SIG{USR1} = sub { for (1 .. 12) { $pid = fork; sleep 1000 if !$pid; push @all, $pid } print "MANY\n" };
      $SIG{USR2} = sub { kill KILL => @all; waitpid $_, 0 for @all; @all = (); print "FEW\n" };
      print "READY\n"; sleep 1 while 1'
    wait_ready
    for_a_while orphan
    expect [ "$(warnings)" = 0 ]
    change USR1 MANY
    wait_until eval 'orphan && [[ $(warnings) == 1 ]]'
    for_a_while orphan
    expect [ "$(warnings)" = 1 ]
    change USR2 FEW
    for_a_while orphan
    expect [ "$(warnings)" = 1 ]
    change USR1 MANY
    wait_until eval 'orphan && [[ $(warnings) == 2 ]]'
    change USR2 FEW
    kill -KILL "$(child_of "$INIT")"
    finish
  done
}

@test "--warn-pids looks when the zombies are looked for, too" {
  make_cgroup pids
  echo 20 >"$CGROUP/pids.max"
  for mode in "${MODES[@]}"; do
    # shellcheck disable=SC2016 # for the shell inside
    start_in "$mode" sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$CGROUP" "$FOSTER" --zombies=report --zombie-age=100ms --warn-pids=60 -- perl -e '
      $| = 1; for (1 .. 12) { fork or sleep 1000 } print "READY\n"; sleep 1000'
    wait_ready
    wait_until eval '[[ $(warnings) == 1 ]]'
    kill -KILL -- -"$(child_of "$INIT")"
    finish
    expect_status 137
  done
}
