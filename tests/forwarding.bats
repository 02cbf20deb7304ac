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
    local sender queued uid
    uid=$(id -u)
    mapfile -t queued < <(printf '40=0x%x\n' {1001..1099})
    sender=$("$WORKLOADS/send-signals" "$INIT" "${queued[@]}")
    kill -CONT "$INIT"
    finish
    expect_status 0
    # A sender outside the PID namespace has the pid 0 in it; the CONT is one of the hundred.
    [[ $mode == subreaper ]] || sender=0 uid=0
    diff <(printf "40 value 0x%x from $sender uid $uid\n" {1001..1099}) <(grep '^40' "$OUT")
  done
}

# Starts foster with a child that records COUNT signals, has room for a hundred queued ones, and is stopped. SIGCONT is
# not forwarded, so that foster can be stopped and continued without the child.
start_stopped_child() {
  local mode=$1 count=$2
  shift 2
  start_in "$mode" "$FOSTER" --rewrite CONT:0 "$@" -- sh -c 'prlimit --pid $$ --sigpending=100:100
    (sleep 1001 &)
    exec "$WORKLOADS/record-signals" '"$count"
  wait_ready
  CHILD=$(child_of "$INIT" record-signals)
  kill -STOP "$CHILD"
  wait_until is_stopped "$CHILD"
}

# Sends foster signals 40 with the values 1 to COUNT, which it reads together.
queue() {
  local queued
  mapfile -t queued < <(seq -f '40=%.0f' "$1")
  kill -STOP "$INIT"
  wait_until is_stopped "$INIT"
  SENDER=$("$WORKLOADS/send-signals" "$INIT" "${queued[@]}")
  kill -CONT "$INIT"
}

# The soft limit of signals that may be queued to foster.
queue_limit() {
  awk '/^Max pending signals/ { print $4 }' "/proc/$INIT/limits"
}

holds_signals() {
  [[ $(queue_limit) == 0 ]]
}

is_pending_for_child() {
  local pending
  pending=$(sed -n 's/^ShdPnd:\t//p' "/proc/$CHILD/status")
  ((0x$pending >> ($1 - 1) & 1))
}

@test "real-time signals for which the child's queue has no room wait for it, in order and with their values; all else goes on" {
  for mode in "${MODES[@]}"; do
    start_stopped_child "$mode" 1003
    local limit orphan uid
    limit=$(queue_limit)
    uid=$(id -u)
    orphan=$(pgrep -P "$INIT" -f 'sleep 1001')
    queue 1000
    wait_until holds_signals
    # As from the child itself, without foster.
    run "$WORKLOADS/send-signals" "$INIT" 40=1
    expect_in 'Resource temporarily unavailable' "$output"
    kill -41 "$INIT" # by kill(2) they coalesce
    kill -41 "$INIT"
    kill -TERM "$INIT"
    wait_until is_pending_for_child 15
    kill "$orphan"
    wait_until is_gone "$orphan"
    # It tries again ten times a second, not a hundred times.
    local before end
    end=$(($(now) + 500))
    before=$(voluntary_switches_of "$INIT")
    wait_until is_past "$end"
    expect [ "$(($(voluntary_switches_of "$INIT") - before))" -le $((10 + ($(now) - end + 500) / 100)) ]
    kill -CONT "$CHILD"
    finish
    expect_status 0
    [[ $mode == subreaper ]] || SENDER=0 uid=0
    diff <(printf "40 value 0x%x from $SENDER uid $uid\n" {1..1000}) <(grep '^40' "$OUT")
    expect [ "$(grep -vc '^40' "$OUT")" = 4 ] # READY, 15, 18, 41
    expect [ "$limit" != 0 ]
  done
}

@test "when the child has taken what was held, signals can be queued to foster again" {
  for mode in "${MODES[@]}"; do
    start_stopped_child "$mode" 202
    local limit
    limit=$(queue_limit)
    queue 200
    wait_until holds_signals
    kill -CONT "$CHILD"
    wait_until eval '[[ $(queue_limit) == '"$limit"' ]]'
    "$WORKLOADS/send-signals" "$INIT" 40=201
    finish
    expect_status 0
    expect [ "$(grep -c '^40 value' "$OUT")" = 201 ]
  done
}

@test "what is held when the child exits is dropped, and signals can be queued to what the child has left" {
  for mode in "${MODES[@]}"; do
    start_stopped_child "$mode" 1000 --wait-all
    local limit
    limit=$(queue_limit)
    queue 200
    wait_until holds_signals
    kill -KILL "$CHILD"
    wait_until is_gone "$CHILD"
    wait_until eval '[[ $(queue_limit) == '"$limit"' ]]'
    pgrep -P "$INIT" -f 'sleep 1001'
    "$WORKLOADS/send-signals" "$INIT" 41=1 # kills it
    finish
    expect_status 137
  done
}

@test "a stop request does not wait for room in the child's queue" {
  for mode in "${MODES[@]}"; do
    start_stopped_child "$mode" 1000 --stop-signal RTMIN+3
    queue 200
    wait_until holds_signals
    kill -RTMIN+3 "$INIT"
    wait_until is_pending_for_child 37
    kill -KILL "$CHILD"
    finish
    expect_status 137
  done
}

@test "where values cannot be forwarded signals come without them, which is told once" {
  for mode in "${MODES[@]}"; do
    for error in EPERM ENOSYS; do
      start_in "$mode" "$FOSTER" "$WORKLOADS/record-signals" 3
      wait_ready
      trace_process "$INIT" -e trace=rt_sigqueueinfo -e inject=rt_sigqueueinfo:error=$error
      "$WORKLOADS/send-signals" "$INIT" 40=1 41=2 10=3
      finish
      end_trace
      expect_status 0
      expect [ "$(sort "$OUT" | paste -sd' ')" = '10 40 41 READY' ]
      expect [ "$(grep -c 'foster: warning: cannot forward signals with their values: ' "$ERR")" = 1 ]
    done
  done
}

@test "a queued standard signal keeps its value and its sender" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" "$WORKLOADS/record-signals" 1
    wait_ready
    local sender uid
    uid=$(id -u)
    sender=$("$WORKLOADS/send-signals" "$INIT" 10=0xfedcba9876543210)
    finish
    [[ $mode == subreaper ]] || sender=0 uid=0
    grep -qx "10 value 0xfedcba9876543210 from $sender uid $uid" "$OUT"
  done
}

@test "the user id of a sender is kept, too" {
  requires_root
  DIR=$(mktemp -d /tmp/foster.XXXXXX)
  chmod 755 "$DIR"
  cp "$FOSTER" "$WORKLOADS"/{record,send}-signals "$DIR"
  start_in subreaper setpriv --reuid 54321 --clear-groups -- "$DIR/foster" "$DIR/record-signals" 1
  wait_ready
  setpriv --reuid 54321 --clear-groups -- "$DIR/send-signals" "$INIT" 10=3
  finish
  grep -q '^10 value 0x3 from [0-9]* uid 54321$' "$OUT"
  rm -r "$DIR"
}

@test "a signal that was pending when foster was started is not lost, even one that its launcher sent itself" {
  for mode in "${MODES[@]}"; do
    run -0 run_in "$mode" "$WORKLOADS/inherit" raise 10 raise 17 raise 40 -- "$FOSTER" "$WORKLOADS/record-signals" 3
    expect [ "$output" = $'READY\n10\n17\n40' ]
  done
}

@test "a sent SIGCHLD is forwarded, and the sweep is still owed: the kernel's own may be merged into it" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" sh -c "(sleep 1000 &); exec \"\$WORKLOADS/record-signals\" 3"
    wait_ready
    local orphan
    orphan=$(child_of "$INIT" sleep)
    kill -STOP "$INIT"
    wait_until is_stopped "$INIT"
    "$WORKLOADS/send-signals" "$INIT" 17
    kill -KILL "$orphan"
    wait_until is_zombie "$orphan"
    kill -CONT "$INIT"
    wait_until grep -qx 17 "$OUT"
    wait_until grep -qx 18 "$OUT"
    wait_until is_gone "$orphan"
    kill -TERM "$INIT"
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
    # With --group it is told too: that another member could be signalled is no success.
    start_in "$mode" setpriv --reuid 54321 --regid 54321 --clear-groups -- "$dir/foster" -g bash -c 'sleep 1000 & exec "$0" 3 setuid' "$dir/sudo"
    wait_ready
    # SIGCONT alone may be sent to anyone in the same session, kill(2).
    kill -CONT "$INIT"
    wait_until grep -qx 18 "$OUT"
    kill -TERM "$INIT"
    wait_until grep -q 'foster: warning: cannot forward SIGTERM to sudo' "$ERR"
    expect [ "$(wc -l <"$ERR")" = 1 ]
    kill -USR1 "$(child_of "$INIT" sudo)"
    finish
  done
  rm -r "$dir"
}

@test "a refusal that root meets is told without a remedy that would not help" {
  requires_root
  start_in subreaper "$WORKLOADS/deny" kill=EPERM -- "$FOSTER" "$WORKLOADS/record-signals" 1
  wait_ready
  kill -TERM "$INIT"
  wait_until grep -q 'cannot forward SIGTERM to record-signals\[[0-9]*\]: .* (foster runs as uid 0, the process as uid 0)$' "$ERR"
  kill -USR1 "$(child_of "$INIT")"
  finish
  expect_status 0
}

@test "a signal that a sandbox refuses with EAGAIN is told of, as any refusal, and not taken for one without room" {
  start_in subreaper "$WORKLOADS/deny" kill=EAGAIN -- "$FOSTER" "$WORKLOADS/record-signals" 1
  wait_ready
  kill -34 "$INIT"
  wait_until grep -q 'cannot forward SIGRTMIN to record-signals\[[0-9]*\]: Resource temporarily unavailable$' "$ERR"
  expect [ "$(queue_limit)" != 0 ]
  kill -USR1 "$(child_of "$INIT")"
  finish
  expect_status 0
}

@test "a root without CAP_KILL is told the remedy that it has" {
  requires_root
  start_in subreaper setpriv --bounding-set=-kill --inh-caps=-kill -- "$FOSTER" \
    setpriv --reuid 54321 --clear-groups -- sh -c 'echo READY; exec sleep 1000'
  wait_ready
  kill -TERM "$INIT"
  wait_until grep -q 'cannot forward SIGTERM to s[a-z]*\[[0-9]*\]: .* (foster runs as uid 0, the process as uid 54321); give foster CAP_KILL$' "$ERR"
  kill -KILL "$(child_of "$INIT")"
  finish
  expect_status 137
}

@test "100 SIGTERMs sent at random moments of start-up are none of them lost" {
  for mode in "${MODES[@]}"; do
    "$WORKLOADS/signal-at-start" "$mode" 100 "$FOSTER" "$WORKLOADS/record-signals" 1 >"$BATS_TEST_TMPDIR/out"
    diff <(echo '100 times 0') <(grep times "$BATS_TEST_TMPDIR/out")
    expect [ "$(grep -cx 15 "$BATS_TEST_TMPDIR/out")" = 100 ]
  done
}

@test "dumb-init -c: no signal is sent to a pid that has been reaped" {
  # The child ends and a signal behind SIGCHLD in the kernel's order comes while foster is stopped: it reads both at
  # once.
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" sh -c 'echo READY; exec sleep 1000'
    wait_ready
    local child
    child=$(child_of "$INIT")
    trace_process "$INIT" -e trace=kill,wait4,rt_sigqueueinfo
    kill -STOP "$INIT"
    wait_until grep -q 'stopped by SIGSTOP' "$TRACE"
    kill -KILL "$child"
    wait_until is_zombie "$child"
    "$WORKLOADS/send-signals" "$INIT" 30 40 41=7
    kill -CONT "$INIT"
    finish
    end_trace
    expect_status 137
    grep -q 'wait4.*WIFSIGNALED' "$TRACE"
    run sed -n '/WIFSIGNALED/,${/kill(\|rt_sigqueueinfo(/p}' "$TRACE"
    [[ -z $output ]]
  done
}

@test "--group forwards once to each of the child's process group, --single-child to the child alone" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" -g sh -c '"$0" 3 & exec "$0" 3' "$WORKLOADS/record-signals"
    wait_until eval "[[ \$(grep -c READY $OUT) == 2 ]]"
    "$WORKLOADS/send-signals" "$INIT" 40 41
    wait_until eval "[[ \$(grep -cx 41 $OUT) == 2 ]]"
    expect [ "$(sort "$OUT" | tr '\n' ' ')" = '40 40 41 41 READY READY ' ]
    kill -TERM "$INIT"
    finish
    expect_status 0
    start_in "$mode" "$FOSTER" -g -c sh -c '"$0" 1 & echo $! >"$1"; exec "$0" 1' "$WORKLOADS/record-signals" "$BATS_TEST_TMPDIR/other"
    wait_until eval "[[ \$(grep -c READY $OUT) == 2 ]]"
    local other
    other=$(child_of "$(child_of "$INIT")")
    kill -USR1 "$INIT"
    finish
    expect_status 0
    expect [ "$(grep -cx 10 "$OUT")" = 1 ]
    kill -USR1 "$other" 2>/dev/null || [[ $mode == pid1 ]]
  done
}

@test "--group follows a child that has left its group while others have stayed" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" -g perl -e '
      my $stays = fork // die; if (!$stays) { sleep 1000; exit }
      my $leads = fork // die; if (!$leads) { setpgrp; sleep 1000; exit }
      select undef, undef, undef, 0.01 until getpgrp($leads) == $leads;
      setpgrp 0, $leads; exec @ARGV' "$WORKLOADS/record-signals" 1
    wait_ready
    local group
    group=$(pgrep -P "$(child_of "$INIT")")
    kill -USR1 "$INIT"
    finish
    expect_status 0
    grep -qx 10 "$OUT"
    xargs kill -KILL <<<"$group" 2>/dev/null || true
  done
}

@test "--group is no broadcast where the child has gone into process group 1" {
  # kill(2) takes -1 for every process.
  start_in pid1 perl -e '
    setpgrp;
    my $bystander = fork // die; if (!$bystander) { setpgrp; exec "sleep", 1000 }
    my $foster = fork // die;
    if (!$foster) { setpgrp; exec $ENV{FOSTER}, "-g", "perl", "-e", "setpgrp 0, 1; exec \@ARGV", @ARGV }
    waitpid $foster, 0; exit(waitpid($bystander, 1) == 0 ? 0 : 1)' "$WORKLOADS/record-signals" 1
  wait_ready
  kill -USR1 "$(child_of "$INIT" "$(basename "$FOSTER")")"
  finish
  expect_status 0
  grep -qx 10 "$OUT"
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
    # from one that can be written without blocking, by no helper
    # shellcheck disable=SC2016 # perl's own variables
    start_in "$mode" perl -e 'pipe my $in, my $out; close $in; open STDERR, ">&", $out; exec @ARGV' \
      "$FOSTER" -v "$WORKLOADS/record-signals" 2
    wait_ready
    kill -USR1 "$INIT"
    wait_until grep -qx 10 "$OUT"
    kill -USR2 "$INIT"
    finish
    diff <(printf '%s\n' READY 10 12) "$OUT"
    # and SIGXFSZ from one that is a file at its limit
    start_in "$mode" bash -c 'ulimit -S -f 0; exec "$FOSTER" -v bash -c "ulimit -S -f unlimited; exec \"\$WORKLOADS/record-signals\" 2" 2>"$0"' "$BATS_TEST_TMPDIR/full"
    wait_ready
    kill -USR1 "$INIT"
    wait_until grep -qx 10 "$OUT"
    kill -USR2 "$INIT"
    finish
    diff <(printf '%s\n' READY 10 12) "$OUT"
  done
}
