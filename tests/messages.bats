#!/usr/bin/env bats
load helpers

@test "--verbose tells what is spawned, forwarded and reaped" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" -v sh -c '"$WORKLOADS/orphans" 1; exec "$WORKLOADS/record-signals" 1'
    wait_until eval "[[ \$(grep -c READY $OUT) == 2 ]]"
    wait_until grep -q "reaped orphan" "$ERR"
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

# Starts foster in a mode with a standard error of a kind that takes no more.
start_stuck() {
  DRAIN=$BATS_TEST_TMPDIR/drain.$1.${2// /.}
  mkfifo "$DRAIN"
  # shellcheck disable=SC2086 # two words for some
  start_in "$1" "$WORKLOADS/stuck-stderr" $2 "$DRAIN" "${@:3}"
}

# Has what stands in standard error's way read.
drain() {
  : >"$DRAIN"
}

STUCK=(pipe fifo socket 'terminal 0' 'terminal 1' 'terminal 5' 'terminal 40' 'terminal 100')

# bats test_tags=exact
@test "a standard error that nobody reads does not stop foster: signals are forwarded, the child is reaped" {
  for mode in "${MODES[@]}"; do
    for kind in "${STUCK[@]}"; do
      echo "as $mode, $kind"
      start_stuck "$mode" "$kind" "$FOSTER" -vw sh -c '"$WORKLOADS/orphans" 3; exec "$WORKLOADS/record-signals" 2'
      wait_ready
      local before
      before=$(now)
      kill -HUP "$INIT"
      wait_until grep -qx 1 "$OUT"
      expect [ $(($(now) - before)) -lt 1000 ] # one message takes a tenth of it at most
      kill -TERM "$INIT"
      finish
      expect_status 0
    done
  done
}

@test "messages that found no room are counted, which is told as soon as there is some, in whole lines" {
  for mode in "${MODES[@]}"; do
    for kind in "${STUCK[@]}"; do
      echo "as $mode, $kind"
      start_stuck "$mode" "$kind" "$FOSTER" -v "$WORKLOADS/record-signals" 200
      wait_ready
      local sent=5
      for count in {1..5}; do
        kill -HUP "$INIT"
        wait_until eval "[[ \$(grep -cx 1 '$OUT') = $count ]]"
      done
      drain
      wait_until grep -q x "$DRAIN.out" # what was in the way
      # The first ones may come too early, but the last one finds room.
      until grep -q 'forwarded SIGUSR1' "$DRAIN.out"; do
        kill -USR1 "$INIT"
        wait_until eval "[[ \$(grep -cx 10 '$OUT') = $((++sent - 5)) ]]"
        ((sent < 100))
      done
      # All that was to be told: the spawn and each signal.
      local lost told
      lost=$(grep -Eo 'foster: warning: [0-9]+ messages? found no room on standard error' "$DRAIN.out" | grep -Eo '[0-9]+' | paste -sd+)
      told=$(grep -Eo 'foster: (spawned|forwarded SIG)' "$DRAIN.out" | wc -l)
      expect [ $((lost + told)) = $((1 + sent)) ]
      kill -KILL "$(child_of "$INIT" record-signals)"
      finish
      expect_status 137
    done
  done
}

@test "the count of lost messages is told without another message, and no helper stays as a zombie" {
  for mode in "${MODES[@]}"; do
    for kind in pipe socket 'terminal 0' 'terminal 40'; do
      echo "as $mode, $kind"
      start_stuck "$mode" "$kind" "$FOSTER" -v "$WORKLOADS/record-signals" 9
      wait_ready
      for count in {1..5}; do
        kill -HUP "$INIT"
        wait_until eval "[[ \$(grep -cx 1 '$OUT') = $count ]]"
      done
      drain
      wait_until grep -Eq 'foster: warning: [0-9]+ messages? found no room on standard error' "$DRAIN.out"
      wait_until has_no_zombies "$INIT"
      kill -KILL "$(child_of "$INIT" record-signals)"
      finish
      expect_status 137
    done
  done
}

# bats test_tags=exact
@test "after a second of messages to a file, the last one is written and its helper reaped at once" {
  for mode in "${MODES[@]}"; do
    # shellcheck disable=SC2016 # the child expands it
    start_in "$mode" "$FOSTER" -w sh -c 'end=$(($(date +%s%N) / 1000000 + 1500))
      while [ "$(($(date +%s%N) / 1000000))" -lt "$end" ]; do "$WORKLOADS/orphans" 30 >/dev/null; done
      exec "$WORKLOADS/record-signals" 2'
    wait_ready
    local before
    before=$(now)
    wait_until has_no_zombies "$INIT"
    expect [ $(($(now) - before)) -lt 500 ]
    kill -KILL "$(child_of "$INIT" record-signals)"
    finish
    expect_status 137
  done
}

# bats test_tags=alone
@test "thousands of messages to a file hold up neither signals nor reaping, and none of them is lost" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" -w sh -c '"$WORKLOADS/orphans" 2000; exec "$WORKLOADS/record-signals" 2'
    wait_ready
    local before
    before=$(now)
    kill -HUP "$INIT"
    wait_until grep -qx 1 "$OUT"
    expect [ $(($(now) - before)) -lt 1000 ]
    wait_until has_no_zombies "$INIT"
    kill -TERM "$INIT"
    finish
    expect_status 0
    expect [ "$(grep -c 'reaped orphan' "$ERR")" = 2000 ]
  done
}

# In a mode, with a standard error of a kind.
ends_stuck() {
  local drain=$BATS_TEST_TMPDIR/$1.${2// /.}
  mkfifo "$drain"
  # shellcheck disable=SC2086 # two words for some
  run -127 run_in "$1" "$WORKLOADS/stuck-stderr" $2 "$drain" "$FOSTER" no-such-command
  rm -f "$drain.stuck"
  # shellcheck disable=SC2086 # two words for some
  run -125 run_in "$1" "$WORKLOADS/stuck-stderr" $2 "$drain" "$FOSTER" --no-such-option
}

@test "an error that ends foster ends it, too, where nobody reads standard error" {
  local running=() one
  for mode in "${MODES[@]}"; do
    for kind in "${STUCK[@]}"; do
      ends_stuck "$mode" "$kind" 3>&- &
      running+=("$! $mode, $kind")
    done
  done
  unset mode kind
  for one in "${running[@]}"; do
    wait "${one%% *}" || { echo "as ${one#* }" && return 1; }
  done
}

@test "a file system that is frozen does not stop foster: neither standard error nor a termination log on it" {
  requires_root
  local image=$BATS_TEST_TMPDIR/image dir=$BATS_TEST_TMPDIR/frozen
  truncate -s 4M "$image"
  mkfs.ext4 -q "$image"
  mkdir "$dir"
  mount -o loop "$image" "$dir" || skip 'requires a loop device'
  touch "$dir/log"
  exec 5>>"$dir/err"
  fsfreeze --freeze "$dir"
  # Whatever happens, it is thawed.
  run frozen "$dir"
  fsfreeze --unfreeze "$dir"
  exec 5>&-
  wait_until umount "$dir"
  expect_status 0
}

# As PID 1 the kernel itself keeps foster until the helper's write has ended: what is seen there is that the loop goes
# on.
frozen() {
  timeout 20 "$FOSTER" -v sh -c 'exit 7' 2>&5 || expect [ $? = 7 ] || return
  for log in log new; do
    timeout 20 "$FOSTER" --termination-log="$1/$log" sh -c 'exit 7' 2>"$1.err" || expect [ $? = 7 ] || return
    expect [ "$(cat "$1.err")" = "foster: warning: cannot write the termination log '$1/$log': No answer in time" ] || return
  done
  "${NAMESPACE[@]}" -- "$FOSTER" -v "$WORKLOADS/record-signals" 2 >"$1.out" 2>&5 3>&- &
  local started=$!
  OUT=$1.out wait_ready || return
  kill -HUP "$(pgrep -P "$started")"
  wait_until grep -qx 1 "$1.out" || return
  kill -TERM "$(pgrep -P "$started")"
  wait_until grep -qx 15 "$1.out"
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
