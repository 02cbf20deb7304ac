#!/usr/bin/env bats
load helpers

@test "tini: foster does not pin the directory it was started in" {
  for mode in "${MODES[@]}"; do
    cd "$BATS_TEST_TMPDIR"
    start_in "$mode" "$FOSTER" sh -c 'echo READY; exec sleep 1000'
    wait_ready
    wait_until eval '[[ $(readlink "/proc/$INIT/cwd") == / ]]'
    expect [ "$(readlink "/proc/$(child_of "$INIT")/cwd")" = "$BATS_TEST_TMPDIR" ]
    kill "$INIT"
    finish
  done
}

@test "tini: a file system that foster was started in, with files open, can be unmounted" {
  requires_root
  mkdir -p "$BATS_TEST_TMPDIR/mount"
  run -0 run_in pid1 sh -c 'mount -t tmpfs none "$1" && cd "$1" && exec 7>file 8<. && exec "$FOSTER" sh -c "
    exec 7>&- 8<&-; cd / || exit 9
    tries=0; until umount $1; do tries=\$((tries + 1)); test \$tries -lt 500 || exit 8; done"' sh "$BATS_TEST_TMPDIR/mount"
}

@test "dumb-init: foster keeps no descriptor but standard output and error, and its signalfd: another's reader sees the end although foster lives" {
  for mode in "${MODES[@]}"; do
    mkfifo "$BATS_TEST_TMPDIR/fifo.$mode"
    cat "$BATS_TEST_TMPDIR/fifo.$mode" >"$BATS_TEST_TMPDIR/read" 3>&- &
    local reader=$!
    start_in "$mode" bash -c 'exec "$FOSTER" sh -c "exec <&- 9>&-; echo READY; exec sleep 1000" 9>"$0" <>"$0"' \
      "$BATS_TEST_TMPDIR/fifo.$mode"
    wait_ready
    wait_until has_ended "$reader"
    wait "$reader"
    run -0 ls -l "/proc/$INIT/fd"
    expect [ "${#lines[@]}" = 5 ]
    expect_in '3 -> anon_inode:[signalfd]' "$output"
    expect_in '0 -> /dev/null' "$output"
    expect_in "1 -> $OUT" "$output"
    expect_in "2 -> $ERR" "$output"
    kill "$INIT"
    finish
    expect_status 143
  done
}

@test "every inherited descriptor is released, and closed standard ones stay closed" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" bash -c 'exec 3<. 4<. 5<. 20<.; exec "$WORKLOADS/inherit" close 0 -- "$FOSTER" "$WORKLOADS/record-signals" 1'
    wait_ready
    wait_until eval '! ls -l /proc/$INIT/fd | grep -v -e /dev/null -e "total" -e "1 -> $OUT" -e "2 -> $ERR" -e "3 -> anon_inode:.signalfd"'
    expect [ ! -e "/proc/$(child_of "$INIT")/fd/0" ]
    kill "$INIT"
    finish
    expect_status 0
    # With 0 open and 1 closed /dev/null is opened by the number 1. Nor may a terminal or a log stay there.
    start_in "$mode" "$WORKLOADS/inherit" close 1 -- "$FOSTER" --termination-log="$BATS_TEST_TMPDIR/log" -- \
      sh -c 'echo READY >&2; exec sleep 1000'
    wait_until grep -q READY "$ERR"
    wait_until eval '[[ $(readlink "/proc/$INIT/cwd") == / && $(readlink "/proc/$INIT/fd/0") == /dev/null ]]'
    wait_until [ ! -e "/proc/$INIT/fd/1" ]
    kill "$INIT"
    finish
    expect_status 143
  done
}

@test "what a process writes into foster's /proc/PID/fd/1 comes to foster's standard output: a pipe, a file, a terminal" {
  # shellcheck disable=SC2016 # for the shells inside
  local script='while grep -q "exec >" /proc/$PPID/cmdline; do :; done; echo "job of $PPID" >>/proc/$PPID/fd/1' file=$BATS_TEST_TMPDIR/file
  for mode in "${MODES[@]}"; do
    run -0 run_in "$mode" "$FOSTER" sh -c "$script; exec >/dev/null; $script"
    expect [ "$(grep -c '^job of' <<<"$output")" = 2 ]
    : >"$file"
    run_in "$mode" "$FOSTER" sh -c "$script; exec >&-; $script" >"$file"
    expect [ "$(grep -c '^job of' "$file")" = 2 ]
    local -a namespace=()
    [[ $mode == subreaper ]] || namespace=("${NAMESPACE[@]}" --)
    SCRIPT="$script" run -0 script -qec "${namespace[*]} \"\$FOSTER\" sh -c 'exec >/dev/null; eval \"\$SCRIPT\"'" /dev/null </dev/null
    expect_in 'job of ' "$output"
  done
}

@test "so does what a process writes that has come into the PID namespace from outside, as by docker exec" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" sh -c 'echo READY; exec >/dev/null sleep 1000'
    wait_ready
    wait_until eval '! grep -q READY /proc/$INIT/cmdline' # the last thing that it lets go of
    if [[ $mode == pid1 ]]; then
      "${ENTER[@]}" --target "$INIT" sh -c 'echo job >>/proc/1/fd/1'
    else
      sh -c 'echo job >>/proc/$0/fd/1' "$INIT"
    fi
    expect [ "$(cat "$OUT")" = $'READY\njob' ]
    kill "$INIT"
    finish
    expect_status 143
  done
}

@test "pgrep -f finds the workload once: foster does not keep its command line" {
  mkfifo "$BATS_TEST_TMPDIR/never"
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" -g -- sh -c 'echo READY; read line <"$1"' sh "$BATS_TEST_TMPDIR/never" unmistakable-word
    wait_ready
    wait_until eval '! grep -q unmistakable-word /proc/$INIT/cmdline'
    expect [ "$(pgrep -f unmistakable-word -P "$INIT,$STARTED" | wc -l)" = 1 ]
    expect [ "$(tr -d '\0' <"/proc/$INIT/cmdline")" = "$FOSTER-g--" ]
    kill "$INIT"
    finish
  done
}

# How often a process has gone to sleep, which it does after every wakeup, and the ticks of CPU time that it has used:
# one that spins does not sleep.
sleeps_of() {
  voluntary_switches_of "$1"
  sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 12,13
}

@test "tini: an idle foster makes no wakeup in 5 s but one soon after its start, also after it has reaped" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" sh -c '"$WORKLOADS/orphans" 200; exec sleep 1000'
    wait_ready
    wait_until child_of "$INIT" sleep
    # A moment after the start foster gives memory back, once. The sweep that the last orphan made due comes within
    # 50 ms.
    local before
    wait_until eval 'before=$(sleeps_of $INIT); sleep 0.5; [[ $before == "$(sleeps_of $INIT)" ]]'
    before=$(sleeps_of "$INIT")
    read -r -t 5 <> <(:) || true # the 5 s of the title
    expect [ "$(sleeps_of "$INIT")" = "$before" ]
    kill "$INIT"
    finish
  done
}
