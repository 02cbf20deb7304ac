#!/usr/bin/env bats
load helpers

# prlimit(1) gives the limit to what it executes. The environment takes its part of a stack: none but PATH.
SMALL=(env -i "PATH=$PATH" prlimit --stack=16384 --)

@test "a stack of 16 KiB is enough for foster with whatever options, where it is for the command" {
  requires_static # a sanitizer takes more
  local log=$BATS_TEST_TMPDIR/log user=()
  [[ $(id -u) != 0 ]] || user=(--user=65534:65534)
  runs() {
    run -7 run_in "$mode" "${SMALL[@]}" "$FOSTER" "$@" sh -c '(exit 3) & (exit 4 &); exit 7'
  }
  for mode in "${MODES[@]}"; do
    runs
    expect [ -z "$output" ]
    runs -vv -w --termination-log="$log"
    expect_in 'spawned sh[' "$output"
    expect_in 'exited with 7 after ' "$(cat "$log")"
    runs --log=json -vv -w --termination-log="$log"
    expect [ "$(jq .exit_code "$log")" = 7 ]
    runs "${user[@]}" --chdir=/ --env A=B --setsid --tether --delay=TERM:1ms --stop-timeout=5s -p TERM --mirror-signal -e 9
    runs --zombies=reap --zombie-age=10ms --warn-pids=1
    runs --grace=1s -r TERM:QUIT -g
    runs --wait-all --grace=1s
    run -127 run_in "$mode" "${SMALL[@]}" "$FOSTER" no-such-command
    expect_in "cannot run 'no-such-command'" "$output"
    run -126 run_in "$mode" "${SMALL[@]}" "$FOSTER" --log=json -vv /
    run -125 run_in "$mode" "${SMALL[@]}" "$FOSTER" --no-such-option
    run -143 run_in "$mode" "${SMALL[@]}" "$FOSTER" -vv sh -c 'kill $$'
    run -7 run_in "$mode" "${SMALL[@]}" "$WORKLOADS/deny" clone-vm=EPERM -- "$FOSTER" -v sh -c 'exit 7'
  done
  for option in --help --version --license --list-zombies --log=json\ --list-zombies; do
    # shellcheck disable=SC2086 # two words
    run -0 "${SMALL[@]}" "$FOSTER" $option
  done
  run -0 "${SMALL[@]}" "$FOSTER" --install "$BATS_TEST_TMPDIR"
  cmp "$FOSTER" "$BATS_TEST_TMPDIR/foster"
}

@test "with a stack of 16 KiB foster forwards, reaps neglected zombies and ends leftovers" {
  requires_static # a sanitizer takes more
  requires_x86_64
  for mode in "${MODES[@]}"; do
    start_in "$mode" "${SMALL[@]}" "$FOSTER" -vv --log=json --zombies=reap --zombie-age=50ms --grace=100ms --warn-pids=1 \
      "$WORKLOADS/neglect" 3 nanosleep 60
    wait_ready
    wait_until grep -q '"event":"zombies-reaped"' "$ERR"
    wait_until has_no_zombies "$(child_of "$INIT" neglect)"
    kill "$INIT"
    finish
    expect_status 143
    jq -e . "$ERR" >"$BATS_TEST_TMPDIR/objects"
    start_in "$mode" "${SMALL[@]}" "$FOSTER" -v --grace=100ms sh -c '(trap "" TERM; echo READY; exec sleep 1000) & exec sleep 1000'
    wait_ready
    kill "$INIT"
    finish
    expect_status 143
    expect_in 'leftovers ended: 1' "$(tail -n 1 "$ERR")"
  done
}

# The most bytes of an environment variable with which a command ends with 7, of a stack limit of 128 KiB. Where the
# stack begins is left to chance but for setarch -R.
most_beside() {
  local least=0 most=131000 middle
  while ((most - least > 32)); do
    middle=$(((least + most) / 2))
    if ends_with_7_beside $middle "$@"; then least=$middle; else most=$middle; fi
  done
  echo $least
}

ends_with_7_beside() {
  local size=$1 status=0
  shift
  { env -i "PATH=$PATH" "A=$(printf "%0${size}d" 0)" setarch -R prlimit --stack=131072 -- "$@"; } >/dev/null 2>&1 || status=$?
  ((status == 7))
}

@test "an environment that leaves the command just enough of its stack leaves foster enough, whatever the options" {
  requires_static # a sanitizer takes more
  setarch -R true || skip 'requires personality(2)'
  local command=(sh -c 'exit 7') room words options
  room=$(most_beside "${command[@]}")
  expect [ "$room" -gt 100000 ]
  for words in '' '-vv --log=json --termination-log=/dev/null --grace=1s --zombies=reap'; do
    read -ra options <<<"$words"
    # Foster's own words stand on that stack, too, each with a pointer to it.
    ends_with_7_beside $((room - ${#FOSTER} - ${#words} - 16 * (${#options[@]} + 2))) "$FOSTER" "${options[@]}" "${command[@]}"
  done
}
