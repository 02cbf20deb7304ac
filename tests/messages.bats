#!/usr/bin/env bats
load helpers

@test "--verbose tells what is spawned, forwarded and reaped" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" -v sh -c '"$WORKLOADS/orphans" 1; exec "$WORKLOADS/record-signals" 1'
    wait_until eval "[[ \$(grep -c READY $OUT) == 2 ]]"
    kill -HUP "$INIT"
    finish
    expect_status 0
    [[ $(sed 's/\[[0-9]*\]/[N]/; s/after .*/after.../' "$ERR") == 'foster: spawned sh[N]
foster: reaped orphan orphans[N] exited with 3
foster: forwarded SIGHUP to record-signals[N]
foster: child record-signals[N] exited with 0
foster: record-signals[N] exited with 0 after...' ]]
  done
}

@test "foster is silent unless something is wrong, and --quiet silences warnings too" {
  for mode in "${MODES[@]}"; do
    run -3 run_in "$mode" "$FOSTER" sh -c 'exit 3'
    expect [ -z "$output" ]
    run -3 run_in "$mode" "$WORKLOADS/deny" chdir=EPERM -- "$FOSTER" sh -c 'exit 3'
    expect [ "${#lines[@]}" = 1 ]
    run -3 run_in "$mode" "$WORKLOADS/deny" chdir=EPERM -- "$FOSTER" -q sh -c 'exit 3'
    expect [ -z "$output" ]
    run -127 run_in "$mode" "$FOSTER" -q no-such-command
    expect [ "${#lines[@]}" = 1 ]
  done
}

@test "a name made of control bytes cannot forge a message" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" -w sh -c 'cp "$WORKLOADS/orphans" "$0"; "$0" 1; exec sleep 1000' "$BATS_TEST_TMPDIR/"$'a\nfoster:\e[1m'
    wait_ready
    wait_until grep -q '^foster: warning: reaped orphan a?foster:?\[1m\[[0-9]*\] exited with 3$' "$ERR"
    kill "$INIT"
    finish
    expect [ "$(wc -l <"$ERR")" = 1 ]
  done
}

@test "a standard error that nobody reads does not stop foster" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$WORKLOADS/stuck-stderr" "$FOSTER" -vw "$WORKLOADS/record-signals" 2
    wait_ready
    kill -HUP "$INIT"
    wait_until grep -qx 1 "$OUT"
    kill -TERM "$INIT"
    finish
    expect_status 0
  done
}

@test "a closed standard error does not stop foster, nor do its messages land in a file of the workload's" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$WORKLOADS/inherit" close 2 -- "$FOSTER" -v "$WORKLOADS/record-signals" 1
    wait_ready
    kill -HUP "$INIT"
    finish
    expect_status 0
    diff <(printf 'READY\n1\n') "$OUT"
  done
}
