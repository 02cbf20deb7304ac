#!/usr/bin/env bats
load helpers

# The system call that a process sleeps in, as strace names it.
sleeps_in() {
  [[ $(timeout -s INT -k 2 1 strace -qq -p "$1" 2>&1 >/dev/null) == *"$2("* ]]
}

signalfd_of() {
  local fd
  for fd in /proc/"$1"/fd/*; do
    [[ $(readlink "$fd") != anon_inode:\[signalfd\] ]] || echo "${fd##*/}"
  done
}

@test "signals are read from one close-on-exec signalfd, which the child does not have" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" sh -c 'echo READY; exec sleep 1000'
    wait_ready
    local fd
    fd=$(signalfd_of "$INIT")
    expect [ "$fd" = 3 ]
    grep -qx 'sigmask:.ffffffffffffffff\|sigmask:.fffffffffffbfeff' "/proc/$INIT/fdinfo/$fd"
    expect [ "$(($(sed -n 's/^flags:\t*//p' "/proc/$INIT/fdinfo/$fd") & 02000000))" = $((02000000)) ] # O_CLOEXEC
    expect [ -z "$(signalfd_of "$(child_of "$INIT" sleep)")" ]
    kill "$INIT"
    finish
    expect_status 143
  done
}

@test "foster sleeps in read, and in ppoll where something is to be done later" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" sh -c 'echo READY; exec sleep 1000'
    wait_ready
    wait_until sleeps_in "$INIT" read
    kill "$INIT"
    finish
    start_in "$mode" "$FOSTER" --delay TERM:3s sh -c 'echo READY; exec sleep 1000'
    wait_ready
    kill "$INIT"
    wait_until sleeps_in "$INIT" ppoll
    finish
    expect_status 143
  done
}

@test "signals that came while foster was stopped are read together, and handled in order with one sweep" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" "$WORKLOADS/record-signals" 41
    wait_ready
    kill -STOP "$INIT"
    wait_until is_stopped "$INIT"
    local numbers=() number
    for number in {1..40}; do
      numbers+=("35=$(printf '0x%x' "$number")")
    done
    "$WORKLOADS/send-signals" "$INIT" "${numbers[@]}"
    trace_process "$INIT" -e trace=read,wait4
    kill -CONT "$INIT"
    finish
    expect_status 0
    end_trace
    grep -qx 18 "$OUT" # that has continued foster
    expect [ "$(sed -n 's/^35 value \([^ ]*\) .*/\1/p' "$OUT" | paste -sd' ')" = "$(printf '0x%x ' {1..40} | sed 's/ $//')" ]
    expect [ "$(grep -c '^read(3, .*= 2048' "$TRACE")" -ge 2 ] # sixteen
  done
}

@test "a signal that was read together with the SIGCHLD of the child's end goes to what the child has left" {
  for mode in "${MODES[@]}"; do
    # The batch is SIGCHLD, 17, then SIGCONT, 18, then 34.
    start_in "$mode" "$FOSTER" --wait-all -- sh -c 'setsid "$WORKLOADS/record-signals" 2 & exec sleep 1000'
    wait_ready
    local child
    child=$(child_of "$INIT" sleep)
    kill -STOP "$INIT"
    wait_until is_stopped "$INIT"
    kill -KILL "$child"
    wait_until is_zombie "$child"
    kill -34 "$INIT"
    kill -CONT "$INIT"
    finish
    expect_status 137
    expect [ "$(paste -sd' ' "$OUT")" = 'READY 18 34' ]
  done
}

@test "gVisor: a value that signalfd gives as an int only is forwarded" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" "$WORKLOADS/record-signals" 1
    wait_ready
    # struct signalfd_siginfo: ssi_ptr is at 48.
    local info
    info=2800000000000000ffffffff0700000008000000$(printf '00%.0s' {1..24})d2040000$(printf '00%.0s' {1..80})
    trace_process "$INIT" -e trace=read -e inject=read:poke_exit=@arg2="$info":when=1
    "$WORKLOADS/send-signals" "$INIT" 40=1
    finish
    end_trace
    grep -qx '40 value 0x4d2 from 7 uid 8' "$OUT"
  done
}

# Runs the tests of forwarding and reaping that these bats options select, where signalfd is refused.
run_without_signalfd() {
  run env -u BATS_TEST_FILTER "$WORKLOADS/deny" signalfd=ENOSYS -- bats "$@" "$BATS_TEST_DIRNAME"/{forwarding,reaping}.bats
  echo "$output"
  expect [ "$status" = 0 ]
}

@test "where signalfd is refused rt_sigtimedwait stands in, which -vv says, and signals are forwarded and zombies reaped as ever" {
  for error in ENOSYS EPERM EMFILE ENFILE ENOMEM EINVAL; do
    for mode in "${MODES[@]}"; do
      run -143 run_in "$mode" "$WORKLOADS/deny" signalfd=$error -- "$FOSTER" -vv sh -c 'kill -TERM $PPID; exec sleep 1000'
      expect_in 'foster: cannot use a signalfd: ' "$output"
      expect_in '; rt_sigtimedwait stands in' "$output"
      run -3 run_in "$mode" "$WORKLOADS/deny" signalfd=$error -- "$FOSTER" -v sh -c 'exit 3'
      [[ $output != *signalfd* ]]
    done
  done
  run_without_signalfd --filter-tags '!alone'
}

# bats test_tags=alone
@test "where signalfd is refused, crowds of orphans are reaped as ever" {
  run_without_signalfd --filter-tags alone
}

@test "a signalfd that cannot be read any more is given up, and rt_sigtimedwait stands in" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" -vv "$WORKLOADS/record-signals" 3
    wait_ready
    trace_process "$INIT" -e trace=read -e inject=read:error=EIO:when=1+
    for signal in 34 35 36; do
      kill -$signal "$INIT"
      wait_until grep -qx $signal "$OUT"
    done
    finish
    expect_status 0
    end_trace
    grep -q 'cannot use a signalfd: Input/output error; rt_sigtimedwait stands in$' "$ERR"
  done
}

@test "a signal that ppoll has seen, and that is gone, does not make foster miss a deadline" {
  # As SIGCONT is when SIGSTOP comes, which PID 1 ignores.
  start_in subreaper "$FOSTER" --delay TERM:500ms sh -c 'echo READY; exec sleep 1000'
  wait_ready
  trace_process "$INIT" -e trace=ppoll -e inject=ppoll:retval=1:when=1
  kill "$INIT"
  finish
  expect_status 143
  end_trace
  grep -q INJECTED "$TRACE"
}

# Starts foster as dumb-init, with a child that ends at SIGCONT.
start_dumb_init() {
  ln -s "$FOSTER" "$BATS_TEST_TMPDIR/dumb-init"
  start_in subreaper "$BATS_TEST_TMPDIR/dumb-init" sh -c 'trap "exit 5" CONT; echo READY; while :; do sleep 0.1; done'
  wait_ready
}

@test "dumb-init: a SIGCONT that comes after a SIGTSTP was read is not lost" {
  start_dumb_init
  trace_process "$INIT" -e trace=read -e inject=read:delay_exit=1000000
  kill -TSTP "$INIT"
  wait_until eval '(( ($(sed -n "s/^ShdPnd:\t/0x/p" "/proc/$INIT/status") & 0x80000) == 0 ))' # it was read
  kill -CONT "$INIT"
  finish
  expect_status 5
  end_trace
}

@test "dumb-init: of stop signals that were read together, SIGCONT ends all" {
  start_dumb_init
  trace_process "$INIT" -e trace=read -e inject=read:delay_enter=500000
  kill -TSTP "$INIT"
  kill -TTIN "$INIT"
  wait_until grep -q 'stopped by SIGSTOP' "$TRACE"
  kill -CONT "$INIT"
  finish
  expect_status 5
  end_trace
  grep -q '= 256 (DELAYED)$' "$TRACE" # both
}

@test "the signalfd does not take the last descriptor from what a step before the loop needs" {
  local log=$BATS_TEST_TMPDIR/log
  run -3 prlimit --nofile=4 "$FOSTER" -vv --termination-log="$log" sh -c 'exit 3' 3>&-
  grep -q 'exited with 3' "$log"
  expect_in 'cannot use a signalfd: Too many open files' "$output"
  requires_root
  run -0 prlimit --nofile=4 "$FOSTER" --user nobody id -un 3>&-
  expect_in nobody "$output"
}

@test "a signalfd that cannot be moved below the inherited descriptors is closed with them" {
  start_in subreaper bash -c 'exec 3</dev/null; exec "$WORKLOADS/deny" dup3=EPERM -- "$FOSTER" -vv "$WORKLOADS/record-signals" 1'
  wait_ready
  kill -34 "$INIT"
  finish
  expect_status 0
  grep -qx 34 "$OUT"
  grep -q 'cannot use a signalfd: Operation not permitted' "$ERR"
  expect [ "$(grep -c warning "$ERR")" = 0 ]
}
