#!/usr/bin/env bats
load helpers

got() {
  [[ $(tail -n +2 "$OUT" | cut -d' ' -f1,2 | paste -sd,) == "$1" ]]
}

@test "--delay forwards that signal after the time, once, real-time ones each with its value, any other at once" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" --delay=TERM:400ms --delay SIGRTMIN+1:100ms -- "$WORKLOADS/record-signals" 5
    wait_ready
    local before
    before=$(now)
    kill -TERM "$INIT"
    "$WORKLOADS/send-signals" "$INIT" 35=7 35=8 15 1
    wait_until got 1
    wait_until got '1,35 value,35 value'
    expect [ "$(grep -o 'value [^ ]*' "$OUT" | paste -sd,)" = 'value 0x7,value 0x8' ]
    wait_until got '1,35 value,35 value,15'
    expect [ $(($(now) - before)) -ge 390 ]
    kill -USR1 "$INIT"
    finish
    expect_status 0
  done
}

@test "--delay: a child that has ended is not waited for, and no delay at all is none" {
  start_in subreaper "$FOSTER" --delay=TERM:10m --delay=HUP:0 -- "$WORKLOADS/record-signals" 1
  wait_ready
  kill -TERM "$INIT"
  kill -HUP "$INIT"
  finish
  expect_status 0
  expect got 1
}

@test "--delay: a signal that waits already is not queued again; 64 wait, real-time ones beyond that are forwarded at once" {
  start_in subreaper "$FOSTER" --delay=TERM:2s --delay=SIGRTMIN+1:3s -- "$WORKLOADS/record-signals" 67
  wait_ready
  local values
  values=$(printf '35=%d ' {1..65})
  # Each is read before the next one is sent, for the kernel would merge them.
  for words in 15 15 1 "$values"; do
    # shellcheck disable=SC2086 # several words
    "$WORKLOADS/send-signals" "$INIT" $words
    wait_until is_asleep "$INIT"
  done
  finish
  expect_status 0
  expect [ "$(tail -n +2 "$OUT" | cut -d' ' -f-3 | paste -sd,)" = \
    "1,35 value 0x40,35 value 0x41,15,$(printf '35 value 0x%x\n' {1..63} | paste -sd,)" ]
}

@test "--delay: where there is no memory for it nothing is delayed, which foster says" {
  requires_static # whose only memory that is
  start_in subreaper strace -o /dev/null -e inject=mmap:error=ENOMEM "$FOSTER" --delay=TERM:10m -- \
    "$WORKLOADS/record-signals" 1
  wait_ready
  kill "$(child_of "$INIT" foster)"
  finish
  expect_status 0
  expect got 15
  expect [ "$(cat "$ERR")" = 'foster: warning: cannot delay signals: Cannot allocate memory' ]
}

@test "--delay: a signal whose time comes when the child has ended goes to nobody" {
  start_in subreaper "$FOSTER" --delay=TERM:3s sh -c 'setsid sleep 1000 & echo READY; exec tail -f /dev/null'
  wait_ready
  local child orphan
  wait_until child_of "$INIT" tail
  child=$(child_of "$INIT" tail)
  wait_until child_of "$child" sleep
  orphan=$(child_of "$child" sleep)
  kill "$INIT"
  wait_until is_asleep "$INIT"
  # The child's SIGCHLD is read when the time is over.
  trace_process "$INIT" -e trace=read -e inject=read:delay_enter=4s:when=1
  kill -KILL "$child"
  finish
  expect_status 137
  expect kill -KILL "$orphan"
}

@test "an idle foster that delays a signal, warns of PIDs and would end leftovers makes no wakeup" {
  start_in subreaper "$FOSTER" --delay=TERM:10ms --stop-timeout=1s --grace=1s --warn-pids=1 sh -c 'echo READY; exec sleep 1000'
  wait_ready
  wait_until is_asleep "$INIT"
  local before
  # A moment after the start foster gives memory back, once.
  wait_until eval 'before=$(voluntary_switches_of $INIT); sleep 0.5; [[ $before == "$(voluntary_switches_of $INIT)" ]]'
  sleep 3 # nothing is to happen
  expect [ "$(voluntary_switches_of "$INIT")" = "$before" ]
  kill "$INIT"
  finish
  expect_status 143
}

@test "--stop-timeout kills the child that long after the first SIGTERM or SIGINT that it is handed" {
  for mode in "${MODES[@]}"; do
    for signal in TERM INT; do
      start_in "$mode" "$FOSTER" --stop-timeout=300ms -- sh -c 'trap "" TERM INT; echo READY; while :; do sleep 0.05; done'
      wait_ready
      local before
      before=$(now)
      kill -"$signal" "$INIT"
      finish
      expect_status 137
      expect [ $(($(now) - before)) -ge 290 ]
      grep -Eq '^foster: warning: sh\[[0-9]+\] has not ended in time: killing it$' "$ERR"
    done
  done
}

@test "--stop-timeout is not put off by further requests to stop" {
  start_in subreaper "$FOSTER" --stop-timeout=3s sh -c 'trap "" TERM; echo READY; while :; do sleep 0.05; done'
  wait_ready
  wait_until eval 'kill "$INIT"; has_ended "$INIT"'
  finish
  expect_status 137
}

@test "--stop-timeout counts from the end of a --delay, leaves alone a child that obeys, and one for which SIGTERM is dropped" {
  start_in subreaper "$FOSTER" --stop-timeout=1ms --delay=TERM:300ms -- sh -c 'trap "" TERM; echo READY; while :; do sleep 0.05; done'
  wait_ready
  local before
  before=$(now)
  kill "$INIT"
  finish
  expect_status 137
  expect [ $(($(now) - before)) -ge 290 ]
  start_in subreaper "$FOSTER" --stop-timeout=10m -- sh -c 'echo READY; exec sleep 1000'
  wait_ready
  kill "$INIT"
  finish
  expect_status 143
  expect [ ! -s "$ERR" ]
  start_in subreaper "$FOSTER" --stop-timeout=1ms --rewrite=TERM:none -- sh -c 'echo READY; exec sleep 1000'
  wait_ready
  kill "$INIT"
  kill -HUP "$INIT"
  finish
  expect_status 129
}

# What a request to stop is: the signal that is sent, and the options that make it one.
REQUESTS=(
  'INT'
  'TERM --rewrite=TERM:QUIT'
  'INT --rewrite=INT:HUP'
  'RTMIN+3 --rewrite=RTMIN+3:TERM'
  'HUP --rewrite=HUP:INT'
  'QUIT --stop-signal=QUIT'
  'WINCH --stop-signal SIGWINCH'
  'USR1 --stop-signal=usr1 --stop-signal=QUIT'
  'RTMIN+3 --stop-signal=37'
  'RTMIN+3 --stop-signal=RTMIN+3 --rewrite=RTMIN+3:HUP'
  'HUP --stop-signal=RTMAX --rewrite=HUP:64'
  'TERM --stop-signal=QUIT'
)
# And what none is.
OTHERS=(
  'QUIT'
  'TERM --rewrite=TERM:none'
  'HUP --rewrite=TERM:HUP'
  'RTMIN+3 --stop-signal=RTMIN+2'
  'WINCH --stop-signal=WINCH --rewrite=WINCH:0'
  'HUP --stop-signal=QUIT --rewrite=HUP:none'
)

@test "--stop-timeout counts from a request to stop by whatever name" {
  for mode in "${MODES[@]}"; do
    for request in "${REQUESTS[@]}"; do
      local signal options
      read -ra options <<<"$request"
      signal=${options[0]}
      start_in "$mode" "$FOSTER" --stop-timeout=50ms "${options[@]:1}" -- "$WORKLOADS/record-signals" 9
      wait_ready
      kill -"$signal" "$INIT"
      finish
      expect_status 137
      grep -q 'has not ended in time: killing it$' "$ERR"
    done
  done
}

@test "--stop-timeout does not count from any other signal, nor from one that is dropped" {
  for mode in "${MODES[@]}"; do
    for other in "${OTHERS[@]}"; do
      local signal options
      read -ra options <<<"$other"
      signal=${options[0]}
      start_in "$mode" "$FOSTER" --stop-timeout=1ms "${options[@]:1}" -- "$WORKLOADS/record-signals" 9
      wait_ready
      kill -"$signal" "$INIT"
      # Taken after that, for its number is the highest; the time is over when it has been seen.
      kill -RTMAX "$INIT"
      wait_until grep -qx 64 "$OUT"
      wait_until is_asleep "$INIT"
      kill -KILL "$(child_of "$INIT")"
      finish
      expect_status 137
      expect [ ! -s "$ERR" ]
    done
  done
}

@test "--delay: a --stop-signal is a request to stop when its time is over" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" --stop-timeout=1ms --stop-signal=QUIT --delay=QUIT:300ms -- "$WORKLOADS/record-signals" 9
    wait_ready
    local before
    before=$(now)
    kill -QUIT "$INIT"
    finish
    expect_status 137
    expect [ $(($(now) - before)) -ge 290 ]
  done
}

is_pausing() {
  is_asleep "$1" && [[ $(readlink "/proc/$1/cwd") == / && $(cat "/proc/$1/comm") == foster ]]
}

@test "--pause ends with 0 on a request to stop by whatever name, and on nothing else" {
  cd "$BATS_TEST_TMPDIR" # which it leaves when it pauses
  for mode in "${MODES[@]}"; do
    local signal options before
    for request in "${REQUESTS[@]}"; do
      read -ra options <<<"$request"
      start_in "$mode" "$FOSTER" --pause "${options[@]:1}"
      wait_until is_pausing "$INIT"
      kill -"${options[0]}" "$INIT"
      finish
      expect_status 0
    done
    for other in "${OTHERS[@]}"; do
      read -ra options <<<"$other"
      start_in "$mode" "$FOSTER" --pause "${options[@]:1}"
      wait_until is_pausing "$INIT"
      before=$(voluntary_switches_of "$INIT")
      kill -"${options[0]}" "$INIT"
      wait_until has_slept_again "$INIT" "$before" 1
      expect is_pausing "$INIT"
      kill -INT "$INIT"
      finish
      expect_status 0
    done
  done
}

@test "--stop-signal: one that cannot be caught, or is none, is bad usage" {
  for signal in KILL SIGSTOP 9 19; do
    run -125 "$FOSTER" --stop-signal="$signal" true
    expect [ "${lines[0]}" = "foster: error: bad value '$signal' for option '--stop-signal': SIGKILL and SIGSTOP cannot be caught" ]
  done
  for signal in 0 none nonsense 32 33 65 RTMIN+31 '' QUIT,TERM; do
    run -125 "$FOSTER" --stop-signal="$signal" true
    expect [ "${lines[0]}" = "foster: error: bad value '$signal' for option '--stop-signal': no such signal" ]
  done
  run -125 "$FOSTER" --stop-signal
  expect [ "${lines[0]}" = "foster: error: option '--stop-signal' needs a value: SIGNAL" ]
}

@test "--mirror-signal: not as PID 1, foster dies by the signal that killed the child, without a core file" {
  local signal
  cd "$BATS_TEST_TMPDIR"
  ulimit -c unlimited
  for signal in 1 2 6 9 11 15 34 64; do
    # What wait(2) says, which no shell tells apart from an exit status. What foster inherits does not matter.
    local ignored=$signal
    [[ $signal != 9 && $signal -lt 32 ]] || ignored=HUP
    run -0 env --ignore-signal="$ignored" perl -e '
      system @ARGV; printf "%d %d\n", $? & 127, $? & 128;' "$FOSTER" --mirror-signal -- \
      env --default-signal="$ignored" perl -e "kill $signal, \$\$; sleep 1"
    expect [ "$output" = "$signal 0" ]
  done
  # An exit status is none of it, nor is one that is given another meaning.
  run -3 "$FOSTER" --mirror-signal sh -c 'exit 3'
  run -0 perl -e 'system @ARGV; print $?' "$FOSTER" --mirror-signal --remap-exit=143:5 sh -c 'kill $$'
  expect [ "$output" = $((5 * 256)) ]
  run -143 run_in pid1 "$FOSTER" --mirror-signal sh -c 'kill $$'
}
