#!/usr/bin/env bats
# What --zombies=reap does to the parents that it makes wait: nothing that they could notice.
load helpers

AGE=400ms

setup() {
  # Where nothing comes.
  mkfifo "$BATS_TEST_TMPDIR/silence"
  exec 5<>"$BATS_TEST_TMPDIR/silence"
}

requires() {
  command -v "$1" >/dev/null || skip "requires $1"
}

# Whether a parent, which knows these ways to sleep, prints under foster what it prints without it, but that no zombie
# is left to it. All run at once, for three seconds, and a way that is begun anew by a remote wait would take a second
# longer.
expect_same_under_foster() {
  local ways=$1 dir=$BATS_TEST_TMPDIR running=() way pid
  shift
  for way in $ways; do
    "$@" "$way" <&5 >"$dir/$way.bare" 3>&- &
    running+=($!)
    for mode in "${MODES[@]}"; do
      run_in "$mode" "$FOSTER" -v --zombies=reap --zombie-age=$AGE -- "$@" "$way" <&5 >"$dir/$way.$mode" 2>"$dir/$way.$mode.err" 3>&- &
      running+=($!)
    done
  done
  for pid in "${running[@]}"; do
    wait "$pid"
  done
  for way in $ways; do
    expect grep -Eq 'in time, [1-9][0-9]* left$' "$dir/$way.bare"
    for mode in "${MODES[@]}"; do
      expect diff <(sed -E 's/[0-9]+ left/0 left/' "$dir/$way.bare") "$dir/$way.$mode" || { cat "$dir/$way.$mode.err" && return 1; }
      expect grep -Eq 'reaped [0-9]+ zombies? through' "$dir/$way.$mode.err"
      expect [ -z "$(grep 'cannot reap' "$dir/$way.$mode.err")" ]
    done
  done
}

# bats test_tags=exact
@test "parents in C: each way to sleep ends as without foster, and in time" {
  expect_same_under_foster 'nanosleep poll epoll futex read recv semop sigwait inotify completion loop thread beside vfork ring' "$WORKLOADS/neglect" 20
}

# bats test_tags=exact
@test "parents in Python: time.sleep, select, poll, asyncio, a thread, a child that is waited for" {
  [[ -x /usr/bin/python3 ]] || skip 'requires python3'
  expect_same_under_foster 'sleep select poll asyncio thread child' /usr/bin/python3 "$SOURCES/neglect.py" 5
}

# bats test_tags=exact
@test "parents in Node: timers come in time, in the event loop and in a worker; its own child's end is told" {
  requires node
  expect_same_under_foster 'timer worker' "$WORKLOADS/neglect" 5 exec node "$SOURCES/neglect.js"
}

# bats test_tags=exact
@test "a bash in a read with a time limit" {
  expect_same_under_foster read "$WORKLOADS/neglect" 5 exec bash "$SOURCES/neglect.bash"
}

@test "a dash in a read from a pipe" {
  # shellcheck disable=SC2016 # for the shell inside
  run -0 "$FOSTER" -v --zombies=reap --zombie-age=$AGE -- dash -c 'mkfifo "$0"; (exit 3) & (exit 3) & sleep 3 >"$0" &
    read -r line <"$0"; echo "read $?, line \"$line\""' "$BATS_TEST_TMPDIR/pipe"
  expect_in 'reaped 2 zombies through dash' "$output"
  expect_in 'read 1, line ""' "$output"
}

@test "a parent in an uninterruptible sleep is left alone until it wakes, which is told once when it takes long" {
  run -0 "$FOSTER" --zombies=reap --zombie-age=100ms -- "$WORKLOADS/neglect" 2 vfork 8
  expect_in 'in time, 0 left' "$output"
  expect_lines 1 'cannot reap the zombies of neglect\[[0-9]+\]: it is in an uninterruptible sleep$' "$output"
}

# Whether a parent that something happens to in the midst of a remote wait has ended with this status.
ends_mid_remote_wait() {
  local status_wanted=$1 how=$2
  shift 2
  run -"$status_wanted" --separate-stderr run_in "$mode" "$FOSTER" --zombies=reap --zombie-age=20ms -- "$@" "$WORKLOADS/mid-remote-wait" "$how"
  # shellcheck disable=SC2154 # run sets it
  expect [ -z "$(grep -v -e neglects -e Killed <<<"$stderr")" ]
  expect_in hit "$output"
}

# bats test_tags=exact
@test "a parent that exits, or is killed, in the midst of a remote wait: foster ends with its status, and no word of it" {
  for mode in "${MODES[@]}"; do
    for _ in {1..4}; do
      ends_mid_remote_wait 7 exit
      ends_mid_remote_wait 137 kill
    done
  done
}

# bats test_tags=exact
@test "a parent that executes another program in the midst of a remote wait, by another thread than the traced one, is made to wait again" {
  for mode in "${MODES[@]}"; do
    for _ in {1..4}; do
      ends_mid_remote_wait 0 exec
    done
  done
}

# bats test_tags=exact
@test "a parent that ends in the midst of a remote wait, and is no child of foster: its own parent is notified" {
  for mode in "${MODES[@]}"; do
    for _ in {1..4}; do
      # shellcheck disable=SC2016 # for the shell inside
      ends_mid_remote_wait 70 exit sh -c '"$@"; status=$?; sleep 0.2; exit "${status}0"' sh
      # shellcheck disable=SC2016
      ends_mid_remote_wait 38 kill sh -c '"$@"; status=$?; sleep 0.2; exit $((status - 99))' sh
    done
  done
}

# bats test_tags=exact
@test "a signal in the midst of a remote wait is handled, a stop stops the parent until it is continued; the rest of its zombies is reaped" {
  for mode in "${MODES[@]}"; do
    for how in signal stop; do
      run -0 --separate-stderr run_in "$mode" "$FOSTER" --zombies=reap --zombie-age=20ms -- "$WORKLOADS/mid-remote-wait" "$how"
      expect_in hit "$output"
      expect grep -Eq '^in time, handled ([0-9]+) of \1, 0 left$' <<<"${lines[-1]}"
    done
  done
}

@test "a /proc that hides other users' processes: foster names the reason and the remedy once, and the workload runs" {
  requires_root
  local dir word
  dir=$(mktemp -d /tmp/foster.XXXXXX)
  chmod 755 "$dir"
  cp "$FOSTER" "$WORKLOADS/neglect" "$dir"
  for word in hidepid=1 hidepid=2 hidepid=2,gid=12345; do
    # shellcheck disable=SC2016 # for the shell inside
    run -0 unshare --mount sh -c 'mount -t proc -o "$0" proc /proc && exec setpriv --reuid=12345 --regid=12345 --clear-groups "$@"' "$word" \
      "$dir/foster" --zombies=reap --zombie-age=100ms -- "$dir/neglect" 2 nanosleep
    if [[ $word == *gid* ]]; then
      expect_in '0 errno 0 in time, 0 left' "$output"
    else
      # The first look and the workload's first word come at the same time.
      expect [ "$(grep -v '^foster: ' <<<"$output")" = $'READY\n0 errno 0 in time, 2 left' ]
      expect [ "$(grep '^foster: ' <<<"$output")" = 'foster: warning: cannot look for neglected zombies: /proc hides the processes of other users (hidepid); mount it without, or give foster the group of its gid option' ]
    fi
  done
  rm -r "$dir"
}
