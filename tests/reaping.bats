#!/usr/bin/env bats
load helpers

@test "foster adopts orphans and reaps them, without being asked to be a subreaper" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" sh -c 'sh -c "sleep 1000 & echo READY"; exec sleep 1000'
    wait_ready
    local orphan
    # READY comes before the orphan's parent has ended, and before the child has become a sleep of its own.
    wait_until eval '[[ $(pgrep -c -x sleep -P "$INIT") == 2 ]]'
    orphan=$(child_of "$INIT" sleep | while read -r pid; do
      [[ $(ps -o pgid= -p "$pid") -eq $pid ]] || echo "$pid"
    done)
    expect [ -n "$orphan" ]
    kill -KILL "$orphan"
    wait_until is_gone "$orphan"
    kill "$INIT"
    finish
    expect_status 143
  done
}

# bats test_tags=alone
@test "a storm of 20,000 orphans leaves no zombie" {
  for mode in "${MODES[@]}"; do
    run -0 run_in "$mode" "$FOSTER" "$WORKLOADS/orphans" 20000
    [[ $output == READY ]]
  done
}

# bats test_tags=alone
@test "a storm of orphans beside 2,000 living ones leaves no zombie" {
  for mode in "${MODES[@]}"; do
    run -0 run_in "$mode" "$FOSTER" "$WORKLOADS/orphans" 5000 2000
    [[ $output == READY ]]
  done
}

# bats test_tags=alone
@test "processes that die as fast as they are reaped, beside many living orphans, hold up neither signals nor the end" {
  local start
  start=$(now)
  run -5 run_in pid1 "$FOSTER" "$WORKLOADS/endless-orphans" 4000 12
  expect [ $(($(now) - start)) -le 20000 ] # they go on dying for 30 s
}

@test "zombies that were there before foster are reaped" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$WORKLOADS/inherit" zombie 3 -- "$FOSTER" "$WORKLOADS/record-signals" 1
    wait_ready
    wait_until has_no_zombies "$INIT"
    kill "$INIT"
    finish
    expect_status 0
  done
}

@test "catatonit, pid1-rs: two deaths that coalesce into one SIGCHLD do not hang: the child's is seen" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" sh -c '(sleep 1000 &); echo READY; exec tail -f /dev/null'
    wait_ready
    local child orphan
    wait_until child_of "$INIT" tail
    child=$(child_of "$INIT" tail)
    orphan=$(child_of "$INIT" sleep)
    kill -STOP "$INIT"
    wait_until is_stopped "$INIT"
    kill -KILL "$orphan"
    wait_until is_zombie "$orphan"
    kill -TERM "$child"
    wait_until is_zombie "$child"
    kill -CONT "$INIT"
    finish
    expect_status 143
  done
}

@test "many deaths that coalesce into one SIGCHLD leave no zombie" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" sh -c '(for i in 1 2 3 4 5; do sleep 1000 & done); echo READY; exec tail -f /dev/null'
    wait_ready
    wait_until eval "[[ \$(pgrep -c -P $INIT -x sleep) == 5 ]]"
    kill -STOP "$INIT"
    wait_until is_stopped "$INIT"
    pgrep -P "$INIT" -x sleep | xargs kill -KILL
    wait_until eval "[[ \$(ps -o stat= --ppid $INIT | grep -c Z) == 5 ]]"
    kill -CONT "$INIT"
    wait_until has_no_zombies "$INIT"
    kill "$INIT"
    finish
    expect_status 143
  done
}

# bats test_tags=alone
@test "zombies that are there when the child ends are reaped before foster ends" {
  # Foster is stopped, so an orphan and the child are both zombies when it looks; strace tells whom it waited for.
  start_in subreaper "$FOSTER" sh -c '(for i in $(seq 600); do sleep 1000 & done); echo READY; exec tail -f /dev/null'
  wait_ready
  wait_until child_of "$INIT" tail
  wait_until eval '[[ $(pgrep -c -P "$INIT" -x sleep) == 600 ]]'
  local child orphans
  child=$(child_of "$INIT" tail)
  mapfile -t orphans < <(child_of "$INIT" sleep)
  kill -STOP "$INIT"
  wait_until is_stopped "$INIT"
  trace_process "$INIT" -e trace=wait4
  kill -KILL "$child"
  wait_until is_zombie "$child"
  kill -KILL "${orphans[@]}"
  wait_until eval '[[ $(pgrep -c -P "$INIT" -r Z) == 601 ]]'
  kill -CONT "$INIT"
  finish
  expect_status 137
  wait_until grep -q exited "$TRACE"
  diff <(printf '%s\n' "$child" "${orphans[@]}" | sort) <(sed -nE 's/.*wait4\(.*\) = ([1-9][0-9]*)$/\1/p' "$TRACE" | sort)
}

@test "--warn-reaped names the orphan: name, pid, exit code or signal" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" -w sh -c '(sleep 1000 &); "$WORKLOADS/orphans" 1; exec tail -f /dev/null'
    wait_ready
    wait_until grep -q '^foster: warning: reaped orphan orphans\[[0-9]*\] exited with 3$' "$ERR"
    kill -TERM "$(child_of "$INIT" sleep)"
    wait_until grep -q '^foster: warning: reaped orphan sleep\[[0-9]*\] killed by SIGTERM$' "$ERR"
    kill "$INIT"
    finish
    expect_status 143
    expect [ "$(wc -l <"$ERR")" = 2 ]
  done
}

@test "without --warn-reaped foster reaps without a word" {
  for mode in "${MODES[@]}"; do
    run -0 run_in "$mode" "$FOSTER" "$WORKLOADS/orphans" 10
    [[ $output == READY ]]
  done
}
