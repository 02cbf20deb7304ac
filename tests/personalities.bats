#!/usr/bin/env bats
load helpers

setup() {
  NAMES=$BATS_TEST_TMPDIR/names
  mkdir "$NAMES"
  for name in tini tini-static docker-init catatonit podman-init dumb-init pause; do
    ln -s "$FOSTER" "$NAMES/$name"
  done
}

@test "a personality is chosen by the base name: a path, a symbolic link, a hard link or a copy alike" {
  cp "$FOSTER" "$NAMES/copied"
  mkdir "$NAMES/sub"
  ln "$NAMES/copied" "$NAMES/sub/catatonit"
  run -1 "$NAMES/sub/catatonit" no-such-command
  cd "$NAMES"
  run -1 ./catatonit no-such-command
  PATH=$NAMES:$PATH run -1 catatonit no-such-command
  run -127 "$NAMES/copied" no-such-command
}

@test "each peer's own exit codes" {
  local name not_found cannot_execute usage
  while read -r name not_found cannot_execute usage; do
    run "-$not_found" "$NAMES/$name" no-such-command
    run "-$cannot_execute" "$NAMES/$name" /
    run "$NAMES/$name" --no-such-option
    expect_status "$usage"
    run "$NAMES/$name"
    expect_status "$usage"
    run "$WORKLOADS/deny" clone=EAGAIN -- "$NAMES/$name" true
    expect_status "$usage"
    run "$NAMES/$name" -- sh -c 'exit 42'
    expect_status 42
  done <<'END'
tini 127 126 1
tini-static 127 126 1
docker-init 127 126 1
catatonit 1 1 1
podman-init 1 1 1
dumb-init 2 2 1
END
}

@test "moby: docker info finds its version on standard output" {
  for name in tini tini-static docker-init catatonit podman-init; do
    run -0 sh -c '"$0" --version 2>/dev/full' "$NAMES/$name"
    [[ $output =~ ^tini\ version\ [0-9]+\.[0-9]+\.[0-9]+\ -\ git\.[0-9a-z]+$ ]]
  done
  run -0 "$NAMES/dumb-init" --version
  [[ $output =~ ^foster\  ]]
}

@test "tini: its environment variables are read under its names only, and never reach the child" {
  for name in tini tini-static docker-init; do
    TINI_VERBOSITY=2 run -0 "$NAMES/$name" true
    expect_in 'foster: spawned true' "$output"
    for verbosity in 3 4; do
      TINI_VERBOSITY=$verbosity run -0 env --default-signal=INT,QUIT script -qec "\"\$WORKLOADS/deny\" tcsetpgrp=EPERM -- $NAMES/$name true" /dev/null
      expect_in 'cannot give the terminal to the child' "$output"
    done
    TINI_VERBOSITY=0 run -0 "$WORKLOADS/deny" chdir=EPERM -- "$NAMES/$name" true
    expect [ -z "$output" ]
    TINI_SUBREAPER='' TINI_VERBOSITY=1 TINI_KILL_PROCESS_GROUP=1 TINI_VERSION=v0.19.0 run -0 "$NAMES/$name" env
    [[ $(grep TINI_ <<<"$output") == TINI_VERSION=v0.19.0 ]] # an image's own
  done
  TINI_VERBOSITY=2 DUMB_INIT_DEBUG=1 CATATONIT_DEBUG=1 run -0 "$FOSTER" env
  run ! grep '^foster:' <<<"$output"
  TINI_VERBOSITY=2 run -0 "$FOSTER" env
  expect_in TINI_VERBOSITY=2 "$output"
  start_in subreaper env TINI_KILL_PROCESS_GROUP=1 "$NAMES/tini" -- sh -c 'trap : USR1; "$WORKLOADS/record-signals" 1 & wait; wait'
  wait_ready
  kill -USR1 "$INIT"
  finish
  grep -qx 10 "$OUT"
}

# Whether foster runs under this name already, and waits for signals.
is_pausing() {
  [[ $(cat "/proc/$1/comm") == "$2" ]] && is_asleep "$1"
}

@test "catatonit: CATATONIT_DEBUG makes it talk, and -P pauses" {
  CATATONIT_DEBUG=1 run -0 "$NAMES/catatonit" -- env
  expect_in 'foster: spawned env' "$output"
  run ! grep CATATONIT_ <<<"$output"
  start_in pid1 "$NAMES/catatonit" -P whatever stands here
  wait_until is_pausing "$INIT" catatonit
  kill -TERM "$INIT"
  finish
  expect_status 0
}

@test "dumb-init: its own session and the whole group; -c and DUMB_INIT_SETSID=0 undo both" {
  run -0 "$NAMES/dumb-init" sh -c 'ps -o pid=,pgid=,sid= -p $$'
  read -r pid group session <<<"$output"
  expect [ "$pid $pid" = "$group $session" ]
  for arguments in -c --single-child; do
    run -0 "$NAMES/dumb-init" $arguments sh -c 'ps -o pgid=,sid= -p $$,$PPID | sort -u | wc -l'
    expect [ "$output" = 1 ]
  done
  DUMB_INIT_SETSID=0 run -0 "$NAMES/dumb-init" sh -c 'ps -o pgid=,sid= -p $$,$PPID | sort -u | wc -l; env | grep -c DUMB_ || true'
  expect [ "$output" = $'1\n0' ]
  DUMB_INIT_DEBUG=1 run -0 "$NAMES/dumb-init" true
  expect_in 'foster: spawned true' "$output"
  # Of -c and -g the last one counts.
  run -0 "$NAMES/dumb-init" -c -g sh -c 'ps -o pid=,pgid= -p $$'
  read -r pid group <<<"$output"
  expect [ "$pid" = "$group" ]
  DUMB_INIT_SETSID=1 DUMB_INIT_DEBUG=0 run -0 "$NAMES/dumb-init" sh -c 'ps -o pid=,sid= -p $$'
  expect [ "${#lines[@]}" = 1 ]
  read -r pid session <<<"$output"
  expect [ "$pid" = "$session" ]
}

@test "dumb-init: a signal reaches the group, and TERM what is left of it when the child ends" {
  start_in subreaper "$NAMES/dumb-init" sh -c '"$WORKLOADS/record-signals" 2 & exec "$WORKLOADS/record-signals" 1'
  wait_until eval "[[ \$(grep -c READY $OUT) == 2 ]]"
  local left
  left=$(child_of "$(child_of "$INIT")")
  kill -USR1 "$INIT"
  finish
  expect_status 0
  wait_until has_ended "$left"
  expect [ "$(sort "$OUT" | tr '\n' ' ')" = '10 10 15 READY READY ' ]
}

@test "dumb-init: the TERM for what is left of the group does not reach a stranger that got the number of the group" {
  requires_root
  # In a PID namespace of its own, whose pids are ours to give. Foster is held up when it signals the group, which has
  # no member but the child.
  # shellcheck disable=SC2016 # for the shells inside, and perl's own variables
  run -0 run_in pid1 bash -c '
    bats_require_minimum_version() { :; }
    source "$0"
    echo 1 >/proc/sys/kernel/ns_last_pid 2>/dev/null || exit 77
    "$2/dumb-init" perl -e "\$SIG{USR1} = sub { exit 7 }; \$| = 1; print qq{STARTED\n}; sleep 1 while 1" &
    foster=$!
    wait_until child_of $foster perl
    child=$(child_of $foster perl)
    wait_until is_asleep $child
    strace -o /dev/null -e inject=kill:delay_enter=4s:when=1 -p $foster 2>"$1" &
    wait_until grep -q attached "$1"
    kill -USR1 $child
    wait_until grep -Eq "^(62|129) " /proc/$foster/syscall
    echo $((child - 1)) >/proc/sys/kernel/ns_last_pid
    setsid "$WORKLOADS/record-signals" 1 &
    stranger=$!
    status=0
    wait $foster || status=$?
    echo "$status"
    kill -CONT $stranger # which comes after a SIGTERM, if there is one
    wait $stranger' "$BATS_TEST_DIRNAME/helpers.bash" "$BATS_TEST_TMPDIR/strace" "$NAMES"
  expect [ "$(sort <<<"$output")" = $'18\n7\nREADY\nSTARTED' ]
}

@test "dumb-init: the TERM for what is left of the group is rewritten like any other" {
  for rewrite in 15:1='1 10 ' 15:0='10 '; do
    start_in subreaper "$NAMES/dumb-init" -r "${rewrite%%=*}" sh -c '"$WORKLOADS/record-signals" 3 & exec sleep 1000'
    wait_ready
    local child left
    child=$(child_of "$INIT")
    left=$(child_of "$child")
    kill -KILL "$child"
    finish
    expect_status 137
    kill -USR1 "$left"
    wait_until grep -qx 10 "$OUT"
    expect [ "$(grep -E '^[0-9]+$' "$OUT" | tr '\n' ' ')" = "${rewrite#*=}" ]
    kill -KILL "$left"
  done
}

@test "dumb-init: with --grace what is left of the group gets its TERM once, and with --pause foster's own group gets none" {
  start_in subreaper "$NAMES/dumb-init" --grace=10m sh -c '"$WORKLOADS/record-signals" 3 & exec sleep 1000'
  wait_ready
  local child left
  child=$(child_of "$INIT")
  left=$(child_of "$child")
  trace_process "$INIT" -e trace=kill
  kill -KILL "$child"
  wait_until grep -qx 18 "$OUT"
  kill -USR1 "$left"
  finish
  expect_status 137
  expect [ "$(grep -E '^[0-9]+$' "$OUT" | paste -sd,)" = 15,18,10 ]
  expect_lines 0 'kill\(-' "$(cat "$TRACE")"
  # shellcheck disable=SC2016 # for the shell inside
  start_in subreaper setsid bash -c '"$WORKLOADS/record-signals" 1 & exec "$0" --pause' "$NAMES/dumb-init"
  wait_ready
  left=$(child_of "$INIT" record-signals)
  wait_until is_pausing "$INIT" dumb-init
  kill -TERM "$INIT"
  finish
  expect_status 0
  kill -USR1 "$left"
  wait_until has_ended "$left"
  expect [ "$(cat "$OUT")" = $'READY\n10' ]
}

@test "tini: --remap-exit counts for a command that is not there, too, and an absent interpreter is 127" {
  run -0 "$NAMES/tini" -e 127 no-such-command
  run -3 "$FOSTER" -e 127:3 no-such-command
  printf '#!/no/such/interpreter\n' >"$BATS_TEST_TMPDIR/script"
  chmod 755 "$BATS_TEST_TMPDIR/script"
  run -127 "$NAMES/tini" "$BATS_TEST_TMPDIR/script"
}

@test "dumb-init: TSTP, TTIN and TTOU stop the group and dumb-init itself until CONT" {
  for signal in TSTP TTIN TTOU; do
    start_in subreaper "$NAMES/dumb-init" sh -c 'echo READY; exec sleep 1000'
    wait_ready
    local child
    child=$(child_of "$INIT")
    kill -$signal "$INIT"
    wait_until is_stopped "$INIT"
    wait_until is_stopped "$child"
    kill -CONT "$INIT"
    wait_until is_asleep "$child"
    kill -TERM "$INIT"
    finish
    expect_status 143
  done
  start_in pid1 "$NAMES/dumb-init" sh -c 'echo READY; exec sleep 1000'
  wait_ready
  child=$(child_of "$INIT")
  kill -TSTP "$INIT"
  wait_until is_stopped "$child"
  kill -CONT "$INIT"
  kill -TERM "$INIT"
  finish
  expect_status 143
}

@test "dumb-init -c: TSTP, TTIN and TTOU stay what they are, and stop dumb-init itself until CONT" {
  start_in subreaper "$NAMES/dumb-init" -c "$WORKLOADS/record-signals" 6
  wait_ready
  for signal in 20 21 22; do
    kill -$signal "$INIT"
    wait_until is_stopped "$INIT"
    wait_until grep -qx $signal "$OUT" # before SIGCONT, which takes a pending one away
    kill -CONT "$INIT"
    wait_until eval "[[ \$(tail -n 2 '$OUT' | tr '\n' ' ') == '$signal 18 ' ]]"
  done
  finish
  expect_status 0
}

@test "dumb-init: a rewrite of TSTP takes the place of STOP" {
  start_in subreaper "$NAMES/dumb-init" -r 20:12 "$WORKLOADS/record-signals" 2
  wait_ready
  kill -TSTP "$INIT"
  wait_until grep -qx 12 "$OUT"
  wait_until is_stopped "$INIT"
  kill -CONT "$INIT"
  finish
  expect_status 0
  # One that is dropped stops dumb-init all the same.
  start_in subreaper "$NAMES/dumb-init" -v -r 20:0 "$WORKLOADS/record-signals" 2
  wait_ready
  kill -TSTP "$INIT"
  wait_until is_stopped "$INIT"
  kill -CONT "$INIT"
  wait_until grep -qx 18 "$OUT"
  kill -HUP "$INIT"
  finish
  expect [ "$(cat "$OUT")" = $'READY\n18\n1' ]
  expect_lines 2 '^foster: forwarded ' "$(cat "$ERR")"
}

@test "dumb-init (old): the child gets no HUP or CONT at start, but later ones it does" {
  start_in subreaper script -qec "exec $NAMES/dumb-init \"\$WORKLOADS/record-signals\" 2" /dev/null
  wait_ready
  local foster
  foster=$(child_of "$INIT" dumb-init)
  kill -CONT "$foster"
  wait_until grep -q '^18' "$OUT"
  kill -HUP "$foster"
  finish
  diff <(printf '%s\n' READY 18 1) <(tr -d '\r' <"$OUT")
}

@test "pause: runs nothing, reaps, and exits with 0 on INT or TERM" {
  for signal in INT TERM; do
    start_in pid1 "$NAMES/pause" whatever stands here
    wait_until is_pausing "$INIT" pause
    "${ENTER[@]}" --target "$INIT" sh -c '(sleep 0.05 &) ; (true &)'
    wait_until eval '! pgrep -P "$INIT"'
    "$WORKLOADS/send-signals" "$INIT" 1
    wait_until grep -q '^ShdPnd:.0*$' "/proc/$INIT/status"
    wait_until is_asleep "$INIT"
    kill -$signal "$INIT"
    finish
    expect_status 0
  done
  run "$FOSTER" --pause true
  expect_status 125
}

@test "dumb-init: what is left of the group gets its TERM before --wait-all waits for it" {
  for mode in "${MODES[@]}"; do
    run -7 run_in "$mode" "$NAMES/dumb-init" --wait-all sh -c 'sleep 1000 & exit 7'
  done
}
