#!/usr/bin/env bats
load helpers

# Runs foster under refusals: the child's exit status must come through, and a signal must reach it.
survives() {
  local mode=$1
  shift
  run run_in "$mode" "$WORKLOADS/deny" "$@" -- "$FOSTER" sh -c 'exit 7'
  expect_status 7
  start_in "$mode" "$WORKLOADS/deny" "$@" -- "$FOSTER" "$WORKLOADS/record-signals" 2
  wait_ready
  "$WORKLOADS/send-signals" "$INIT" 10=5
  wait_until grep -Eq '^10( |$)' "$OUT"
  "$WORKLOADS/send-signals" "$INIT" 40
  finish
  expect_status 0
}

@test "tini: an error of the terminal is not fatal" {
  for mode in "${MODES[@]}"; do
    for error in ENXIO EPERM ENOSYS EIO; do
      run run_in "$mode" script -qec "\"\$WORKLOADS/deny\" tcsetpgrp=$error -- \"\$FOSTER\" -vv sh -c 'exit 7'" /dev/null </dev/null
      expect_status 7
      expect_in 'foster: cannot give the terminal to the child: ' "$output"
      run run_in "$mode" script -qec "\"\$WORKLOADS/deny\" ioctl=$error -- \"\$FOSTER\" sh -c 'exit 7'" /dev/null </dev/null
      expect_status 7
      expect [ -z "$output" ]
    done
  done
}

@test "catatonit, tini: a refused subreaper prctl is a warning" {
  for error in EINVAL EPERM ENOSYS; do
    survives pid1 prctl=$error
    survives subreaper prctl=$error
    expect_in 'foster: warning: cannot become a child subreaper: ' "$(cat "$ERR")"
  done
}

@test "a refused parent-death signal is a warning" {
  run -7 "$WORKLOADS/deny" prctl=EPERM -- "$FOSTER" -p TERM sh -c 'exit 7'
  expect_in 'foster: warning: cannot have SIGTERM sent when the parent dies: Operation not permitted' "$output"
}

@test "gVisor: a refused setpgid is a warning" {
  for mode in "${MODES[@]}"; do
    for error in EPERM ENOSYS; do
      survives "$mode" setpgid=$error
      expect_in 'foster: warning: cannot give the child its own process group: ' "$(cat "$ERR")"
    done
  done
}

@test "old seccomp profiles: a new system call that answers EPERM is one that is not there, as with ENOSYS" {
  for mode in "${MODES[@]}"; do
    for error in EPERM ENOSYS; do
      survives "$mode" close_range=$error pwritev2=$error
      run -0 run_in "$mode" "$WORKLOADS/deny" pwritev2=$error -- "$FOSTER" -v true
      expect_in 'foster: spawned true' "$output"
      start_in "$mode" "$WORKLOADS/deny" close_range=$error -- bash -c 'exec 9<.; exec "$FOSTER" sh -c "echo READY; exec sleep 1000"'
      wait_ready
      wait_until [ ! -e "/proc/$INIT/fd/9" ]
      kill "$INIT"
      finish
      expect_status 143
      expect [ ! -s "$ERR" ]
    done
  done
}

@test "where memory cannot be shared with the child, fork takes the place of vfork" {
  for mode in "${MODES[@]}"; do
    for error in EPERM ENOSYS EINVAL; do
      survives "$mode" clone-vm=$error
      run -127 run_in "$mode" "$WORKLOADS/deny" clone-vm=$error -- "$FOSTER" no-such-command
      [[ $output == "foster: error: cannot run 'no-such-command': No such file or directory" ]]
      run -126 run_in "$mode" "$WORKLOADS/deny" clone-vm=$error -- "$FOSTER" /
    done
  done
}

@test "a refused chdir, dup3, ppoll, madvise or waitid ends nothing and changes no exit status" {
  for mode in "${MODES[@]}"; do
    for call in chdir dup3 ppoll madvise waitid; do
      for error in EPERM ENOSYS; do
        survives "$mode" $call=$error
      done
    done
    # With 3 taken the termination log has to move.
    start_in "$mode" bash -c 'exec 3<.; exec "$WORKLOADS/deny" dup3=EPERM -- "$FOSTER" --termination-log="$0" "$WORKLOADS/record-signals" 1' \
      "$BATS_TEST_TMPDIR/log"
    wait_ready
    expect_in 'foster: warning: cannot close inherited descriptors, which stay open: ' "$(cat "$ERR")"
    kill "$INIT"
    finish
    expect_status 0
    expect_in 'exited with 0' "$(cat "$BATS_TEST_TMPDIR/log")"
    run -0 run_in "$mode" "$WORKLOADS/deny" waitid=EPERM -- "$FOSTER" -w "$WORKLOADS/orphans" 300
    # Without a clock zombies are reaped all the same.
    run -0 run_in "$mode" "$WORKLOADS/deny" clock_gettime=EPERM -- "$FOSTER" "$WORKLOADS/orphans" 300
    survives "$mode" chdir=EPERM
    expect_in 'foster: warning: cannot leave the working directory, which stays busy: ' "$(cat "$ERR")"
  done
}

@test "a refused rt_sigqueueinfo costs the value, not the signal" {
  for mode in "${MODES[@]}"; do
    for error in EPERM ENOSYS EAGAIN; do
      start_in "$mode" "$WORKLOADS/deny" rt_sigqueueinfo=$error -- "$FOSTER" "$WORKLOADS/record-signals" 1
      wait_ready
      "$WORKLOADS/send-signals" "$INIT" 12=5
      finish
      expect_status 0
      grep -qx 12 "$OUT"
    done
  done
}

@test "a clock that cannot be read is told once: --delay, --stop-timeout, --grace and the age of zombies come all the same" {
  for mode in "${MODES[@]}"; do
    for refused in 'clock_gettime=EPERM' 'clock_gettime=ENOSYS signalfd=EPERM'; do
      local before
      # shellcheck disable=SC2086,SC2016 # several words; for the shell inside
      start_in "$mode" "$WORKLOADS/deny" $refused -- "$FOSTER" -w --delay USR1:300ms --stop-timeout 300ms --grace 300ms \
        -- sh -c 'trap "" TERM; trap "echo USR1" USR1; perl -e "sleep 1000" & echo READY; while :; do sleep 0.05; done'
      wait_ready
      before=$(now)
      kill -USR1 "$INIT"
      wait_until grep -qx USR1 "$OUT"
      expect [ $(($(now) - before)) -ge 300 ]
      before=$(now)
      kill -TERM "$INIT"
      finish
      expect_status 137
      expect [ $(($(now) - before)) -ge 600 ]
      expect [ "$(grep -c '^foster: warning: cannot read the clock: .*; only waits count as time$' "$ERR")" = 1 ]
      expect_in 'has not ended in time: killing it' "$(cat "$ERR")"
      expect_in 'killed by SIGKILL' "$(grep 'reaped orphan perl' "$ERR")"
      # shellcheck disable=SC2086 # several words
      start_in "$mode" "$WORKLOADS/deny" $refused -- "$FOSTER" --zombies=report --zombie-age=300ms \
        "$WORKLOADS/neglect" 3 nanosleep 60
      wait_until grep -q 'neglects 3 zombies' "$ERR"
      kill "$INIT"
      finish
      expect_status 143
    done
  done
}

@test "signals that cannot be waited for cost the forwarding, which is told once, not the exit status nor the reaping" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$WORKLOADS/deny" signalfd=EPERM rt_sigtimedwait=EPERM -- "$FOSTER" sh -c 'echo READY; exec sleep 1000'
    wait_ready
    wait_until grep -q 'foster: warning: cannot wait for signals, which are not forwarded: ' "$ERR"
    local naps
    naps=$(voluntary_switches_of "$INIT")
    wait_until has_slept_again "$INIT" "$naps" 5 # failures
    kill -USR1 "$(child_of "$INIT")"
    finish
    expect_status 138
    expect [ "$(wc -l <"$ERR")" = 1 ]
  done
}

# Under a refused wait foster naps, reaps and ends; "$@" are the refusals.
naps_and_reaps() {
  local mode=$1 naps before orphan
  shift
  [[ -p $BATS_TEST_TMPDIR/never ]] || mkfifo "$BATS_TEST_TMPDIR/never"
  start_in "$mode" "$WORKLOADS/deny" "$@" -- "$FOSTER" sh -c '(perl -e sleep &); echo READY; exec cat "$0"' "$BATS_TEST_TMPDIR/never"
  wait_ready
  wait_until child_of "$INIT" cat
  wait_until child_of "$INIT" perl
  orphan=$(child_of "$INIT" perl)
  naps=$(voluntary_switches_of "$INIT")
  before=$(cpu_of "$INIT")
  wait_until has_slept_again "$INIT" "$naps" 10
  expect [ $(($(cpu_of "$INIT") - before)) -lt 50000000 ]
  kill "$orphan"
  wait_until is_gone "$orphan"
  kill -USR1 "$(child_of "$INIT" cat)"
  finish
  expect_status 138
  expect [ "$(grep -c 'foster: warning: cannot wait for signals, which are not forwarded: ' "$ERR")" = 1 ]
  expect [ "$(wc -l <"$ERR")" = 1 ]
}

@test "a wait for signals that is refused, or answers EAGAIN or EINTR for ever, makes no spin, no zombie and no other exit status" {
  for mode in "${MODES[@]}"; do
    for error in EAGAIN EINTR ENOSYS; do
      naps_and_reaps "$mode" signalfd=EPERM rt_sigtimedwait=$error
      # What is left is ended in time, too.
      start_in "$mode" "$WORKLOADS/deny" signalfd=EPERM rt_sigtimedwait=$error -- "$FOSTER" --grace=100ms -- "$WORKLOADS/leave" -now ignore
      finish
      expect_status 7
    done
    naps_and_reaps "$mode" signalfd=EPERM rt_sigtimedwait=EAGAIN clock_nanosleep=EPERM
  done
}

@test "a wait for signals that fails now and then loses no signal and is not told" {
  for mode in "${MODES[@]}"; do
    for call_error in {read,rt_sigtimedwait}:{EAGAIN,EINTR}; do
      local call=${call_error%:*} error=${call_error#*:} refused=()
      [[ $call == read ]] || refused=("$WORKLOADS/deny" signalfd=EPERM --)
      start_in "$mode" "${refused[@]}" "$FOSTER" "$WORKLOADS/record-signals" 9
      wait_ready
      trace_process "$INIT" -e trace="$call" -e inject="$call:error=$error:when=1+2"
      for signal in 34 35 36 37 38 39 40 41 42; do
        kill -$signal "$INIT"
        wait_until grep -qx $signal "$OUT"
      done
      finish
      expect_status 0
      expect [ -z "$(cat "$ERR")" ]
      wait_until has_ended "$TRACER"
      expect [ "$(grep -c INJECTED "$TRACE")" -ge 1 ]
    done
  done
}

@test "a warning of what the child is refused neither kills it nor lands in a descriptor that was closed" {
  for mode in "${MODES[@]}"; do
    run -7 run_in "$mode" bash -c 'exec 2> >(:); wait $!; exec "$WORKLOADS/deny" setpgid=EPERM -- "$FOSTER" sh -c "exit 7"'
    run -7 run_in "$mode" "$WORKLOADS/inherit" close 0 close 2 -- "$WORKLOADS/deny" clone-vm=EPERM setpgid=EPERM -- \
      "$FOSTER" sh -c 'exit 7'
    run -7 run_in "$mode" "$WORKLOADS/deny" clone-vm=EPERM setpgid=EPERM -- "$FOSTER" sh -c 'exit 7'
    expect_in 'foster: warning: cannot give the child its own process group: ' "$output"
  done
}

@test "without set-up's own system calls foster says which one failed and starts nothing" {
  for mode in "${MODES[@]}"; do
    for call in rt_sigprocmask rt_sigaction; do
      run run_in "$mode" "$WORKLOADS/deny" $call=EPERM -- "$FOSTER" touch "$BATS_TEST_TMPDIR/started"
      expect_status 125
      expect [ "${#lines[@]}" = 1 ]
      expect_in 'foster: error: cannot ' "$output"
      expect [ ! -e "$BATS_TEST_TMPDIR/started" ]
    done
  done
}

# A root directory that holds foster and two workloads, and nothing else: no /proc, no /dev.
make_bare_root() {
  requires_root
  requires_static
  ROOT=$BATS_TEST_TMPDIR/root
  mkdir "$ROOT"
  cp "$FOSTER" "$WORKLOADS"/{record-signals,inherit} "$ROOT"
}

lives_in_bare_root() {
  local mode=$1
  shift
  run run_in "$mode" "$@" chroot "$ROOT" /foster -vw /inherit -- no-such-command
  expect_status 99
  start_in "$mode" "$@" chroot "$ROOT" /foster -v /record-signals 1
  wait_ready
  kill -TERM "$INIT"
  finish
  expect_status 0
  grep -qx 15 "$OUT"
  run ! grep -v -e 'spawned' -e 'forwarded' -e 'exited with 0' "$ERR"
}

@test "foster runs in a root without /proc and without /dev/null" {
  make_bare_root
  for mode in "${MODES[@]}"; do
    lives_in_bare_root "$mode"
  done
}

@test "without close_range and without /proc inherited descriptors are released all the same" {
  make_bare_root
  cp "$WORKLOADS/deny" "$ROOT"
  for mode in "${MODES[@]}"; do
    start_in "$mode" bash -c 'exec 9<. 30<.; exec chroot "$0" /deny close_range=EPERM -- /foster /record-signals 1' "$ROOT"
    wait_ready
    wait_until [ ! -e "/proc/$INIT/fd/30" ]
    expect [ ! -e "/proc/$INIT/fd/9" ]
    kill -TERM "$INIT"
    finish
    expect_status 0
    expect [ ! -s "$ERR" ]
  done
}

@test "foster runs on a read-only root" {
  make_bare_root
  for mode in "${MODES[@]}"; do
    lives_in_bare_root "$mode" unshare --mount sh -c 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"' "$ROOT"
  done
}

lives_with_rights() {
  local mode=$1
  shift
  run run_in "$mode" setpriv "$@" -- "$DIR/foster" sh -c 'exit 7'
  expect_status 7
  start_in "$mode" setpriv "$@" -- "$DIR/foster" "$DIR/record-signals" 1
  wait_ready
  kill -TERM "$INIT"
  finish
  expect_status 0
  expect [ ! -s "$ERR" ]
}

@test "foster runs without capabilities, with no-new-privileges, as any uid" {
  requires_root
  DIR=$(mktemp -d /tmp/foster.XXXXXX)
  chmod 755 "$DIR"
  cp "$FOSTER" "$WORKLOADS/record-signals" "$DIR"
  for mode in "${MODES[@]}"; do
    lives_with_rights "$mode" --bounding-set=-all --inh-caps=-all --no-new-privs
    lives_with_rights "$mode" --reuid=12345 --regid=54321 --clear-groups
  done
  rm -r "$DIR"
}

@test "what a workload has made where /proc would be is neither waited for nor believed" {
  make_bare_root
  mkdir "$ROOT/proc"
  for mode in "${MODES[@]}"; do
    start_in "$mode" chroot "$ROOT" /foster -vw /record-signals 2
    wait_ready
    local child self=1 dir
    child=$(child_of "$INIT")
    if [[ $mode == subreaper ]]; then
      self=$INIT
    else
      child=2
    fi
    dir=$ROOT/proc/$child
    mkdir "$dir" "$ROOT/proc/$self"
    ln -s "$self" "$ROOT/proc/self"
    mkfifo "$dir"/{comm,status,stat} "$ROOT/proc/$self"/{cgroup,stat,status}
    kill -HUP "$INIT"
    wait_until grep -q 'forwarded SIGHUP to ?\[[0-9]*\]' "$ERR"
    rm "$dir/comm"
    echo liar >"$dir/comm"
    kill -TERM "$INIT"
    finish
    expect_status 0
    grep -q 'forwarded SIGTERM to ?\[[0-9]*\]' "$ERR"
    run ! grep liar "$ERR"
    rm -r "$ROOT"/proc/*
  done
}

@test "processes that are each other's parents, where a workload has made them up, make no endless walk" {
  make_bare_root
  cp "$WORKLOADS/leave" "$ROOT"
  mkdir -p "$ROOT"/proc/{1..9}
  ln -s 2 "$ROOT/proc/self"
  for pid in {1..9}; do
    echo "$pid (liar) S $((pid % 2 == 0 ? pid - 1 : pid + 1)) $pid 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 100" >"$ROOT/proc/$pid/stat"
  done
  # The shell is PID 1, foster 2.
  # shellcheck disable=SC2016 # for the shell inside
  run -7 timeout --kill-after 5 60 "${NAMESPACE[@]}" -- sh -c 'chroot "$0" /foster --zombies=report --zombie-age=20ms --grace=100ms -- /leave -now obey ignore; exit $?' "$ROOT"
  expect_in 'cannot look for neglected zombies: there is no /proc' "$output"
  run ! grep liar <<<"$output"
}

@test "a /proc of another PID namespace gives no names instead of wrong ones" {
  requires_root
  requires_static # the sanitizers want a /proc of their own
  run -7 timeout --kill-after 5 60 unshare --pid --fork --kill-child "$FOSTER" -v sh -c 'exit 7'
  expect_in 'child ?[2] exited with 7' "$output"
  run -125 unshare --pid --fork --kill-child "$FOSTER" --list-zombies
  expect [ "$output" = 'foster: error: cannot look for zombies: the /proc that is mounted belongs to another PID namespace' ]
}

@test "a password file that is a FIFO is not waited for" {
  make_bare_root
  mkdir "$ROOT/etc"
  mkfifo "$ROOT/etc/passwd"
  run -125 timeout --kill-after 5 20 chroot "$ROOT" /foster --user nobody /record-signals 1
  expect_in 'cannot read /etc/passwd' "$output"
}
