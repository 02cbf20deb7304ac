#!/usr/bin/env bats
load helpers

# All that can be forwarded.
SIGNALS=({1..8} {10..18} {20..64})

@test "every signal but KILL and STOP reaches the child, a sent SIGCHLD and 32 to 64 too" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" "$WORKLOADS/record-signals" ${#SIGNALS[@]}
    wait_ready
    for signal in "${SIGNALS[@]}"; do
      "$WORKLOADS/send-signals" "$INIT" "$signal"
      wait_until grep -qx "$signal" "$OUT"
    done
    finish
    expect_status 0
  done
}

@test "dumb-init: a real-time signal is not beyond any table" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" -v "$WORKLOADS/record-signals" 2
    wait_ready
    "$WORKLOADS/send-signals" "$INIT" 64 34
    finish
    expect_status 0
    grep -q 'forwarded SIGRTMIN+30 to ' "$ERR"
    grep -q 'forwarded SIGRTMIN to ' "$ERR"
  done
}

@test "real-time signals arrive each and in order, with their values and their sender" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" "$WORKLOADS/record-signals" 100
    wait_ready
    kill -STOP "$INIT"
    wait_until is_stopped "$INIT"
    local sender queued
    mapfile -t queued < <(printf '40=0x%x\n' {1001..1099})
    sender=$("$WORKLOADS/send-signals" "$INIT" "${queued[@]}")
    kill -CONT "$INIT"
    finish
    expect_status 0
    # A sender outside the PID namespace has the pid 0 in it; the CONT is one of the hundred.
    [[ $mode == subreaper ]] || sender=0
    diff <(printf "40 value 0x%x from $sender uid $(id -u)\n" {1001..1099}) <(grep '^40' "$OUT")
  done
}

@test "a queued standard signal keeps its value and its sender" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" "$WORKLOADS/record-signals" 1
    wait_ready
    local sender
    sender=$("$WORKLOADS/send-signals" "$INIT" 10=0xfedcba9876543210)
    finish
    [[ $mode == subreaper ]] || sender=0
    grep -qx "10 value 0xfedcba9876543210 from $sender uid $(id -u)" "$OUT"
  done
}

@test "a sent SIGCHLD is forwarded, and the sweep is still owed: the kernel's own may be merged into it" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" sh -c "(sleep 1000 &); exec $WORKLOADS/record-signals 2"
    wait_ready
    local orphan
    orphan=$(child_of "$INIT" sleep)
    kill -STOP "$INIT"
    wait_until is_stopped "$INIT"
    "$WORKLOADS/send-signals" "$INIT" 17
    kill -KILL "$orphan"
    wait_until is_zombie "$orphan"
    kill -CONT "$INIT"
    wait_until is_gone "$orphan"
    wait_until grep -qx 17 "$OUT"
    finish
    expect_status 0
  done
}

@test "tini: a forward that the kernel refuses does not end foster; it is told with the remedy" {
  requires_root
  local dir
  dir=$(mktemp -d /tmp/foster.XXXXXX)
  chmod 755 "$dir"
  install -m 755 "$FOSTER" "$dir/foster"
  install -m 4755 "$WORKLOADS/record-signals" "$dir/sudo"
  for mode in "${MODES[@]}"; do
    start_in "$mode" setpriv --reuid 54321 --regid 54321 --clear-groups -- "$dir/foster" "$dir/sudo" 1 setuid
    wait_ready
    local child
    child=$(child_of "$INIT")
    kill -TERM "$INIT"
    wait_until grep -q 'foster: warning: cannot forward SIGTERM to sudo\[[0-9]*\]: Operation not permitted' "$ERR"
    grep -q '(foster runs as uid 54321, the process as uid 0); run foster as root or give it CAP_KILL$' "$ERR"
    expect [ "$(state_of "$INIT")" = S ]
    kill -USR1 "$child"
    finish
    expect_status 0
    grep -qx 10 "$OUT"
  done
  rm -r "$dir"
}

@test "100 SIGTERMs sent at random moments of start-up are none of them lost" {
  for mode in "${MODES[@]}"; do
    "$WORKLOADS/signal-at-start" "$mode" 100 "$FOSTER" "$WORKLOADS/record-signals" 1 >"$BATS_TEST_TMPDIR/out"
    diff <(echo '100 times 0') <(grep times "$BATS_TEST_TMPDIR/out")
    expect [ "$(grep -cx 15 "$BATS_TEST_TMPDIR/out")" = 100 ]
  done
}

@test "dumb-init -c: no signal is sent to a pid that has been reaped" {
  # The child ends and a signal behind SIGCHLD in the kernel's order comes while foster is stopped: it reads both at once.
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" sh -c 'echo READY; exec sleep 1000'
    wait_ready
    local child
    child=$(child_of "$INIT")
    strace -o "$BATS_TEST_TMPDIR/trace" -e trace=kill,wait4,rt_sigqueueinfo -p "$INIT" 2>"$BATS_TEST_TMPDIR/strace" 3>&- &
    local strace=$!
    wait_until grep -q attached "$BATS_TEST_TMPDIR/strace"
    kill -STOP "$INIT"
    wait_until grep -q 'stopped by SIGSTOP' "$BATS_TEST_TMPDIR/trace"
    kill -KILL "$child"
    wait_until is_zombie "$child"
    "$WORKLOADS/send-signals" "$INIT" 30 40 41=7
    kill -CONT "$INIT"
    finish
    wait "$strace" || true
    expect_status 137
    grep -q 'wait4.*WIFSIGNALED' "$BATS_TEST_TMPDIR/trace"
    run sed -n '/WIFSIGNALED/,${/kill(\|rt_sigqueueinfo(/p}' "$BATS_TEST_TMPDIR/trace"
    [[ -z $output ]]
  done
}

@test "--group forwards to the child's whole process group, --single-child to the child alone" {
  for mode in "${MODES[@]}"; do
    local script='"$1" 1 & "$1" 1; wait'
    start_in "$mode" "$FOSTER" -g sh -c "trap : USR1; $script" sh "$WORKLOADS/record-signals"
    wait_until eval "[[ \$(grep -c READY $OUT) == 2 ]]"
    kill -USR1 "$INIT"
    finish
    expect [ "$(grep -cx 10 "$OUT")" = 2 ]
    start_in "$mode" "$FOSTER" -g -c sh -c "trap : USR1; $script" sh "$WORKLOADS/record-signals"
    wait_until eval "[[ \$(grep -c READY $OUT) == 2 ]]"
    kill -USR1 "$INIT"
    kill -USR2 "$INIT"
    finish
    expect_status 140
    run ! grep -x 10 "$OUT"
  done
}

@test "gVisor: --group still reaches a child that could not be given a group, or has left it" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$WORKLOADS/deny" setpgid=EPERM -- "$FOSTER" -g "$WORKLOADS/record-signals" 2
    wait_ready
    kill -USR1 "$INIT"
    wait_until grep -qx 10 "$OUT"
    "$WORKLOADS/send-signals" "$INIT" 35
    finish
    expect_status 0
  done
}

@test "a signal that foster brings upon itself is not the child's: SIGPIPE from a closed standard error" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" bash -c 'exec 2> >(:); wait $!; exec "$FOSTER" -v "$WORKLOADS/record-signals" 2'
    wait_ready
    kill -USR1 "$INIT"
    wait_until grep -qx 10 "$OUT"
    kill -USR2 "$INIT"
    finish
    expect_status 0
    diff <(printf '%s\n' READY 10 12) "$OUT"
  done
}
