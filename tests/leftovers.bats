#!/usr/bin/env bats
load helpers

# Starts in a mode a foster with some options, and behind "--" what leave is to leave.
start_leave() {
  local mode=$1 words=()
  for word in "${@:2}"; do
    words+=("$word")
    [[ $word != -- ]] || words+=("$WORKLOADS/leave")
  done
  start_in "$mode" "$FOSTER" -v "${words[@]}"
  wait_ready
}

# The same, and the child ends of its own.
start_leaving() {
  start_leave "$@"
  kill -USR1 "$INIT"
}

# How many orphans of this name, as a pattern, were reaped, and how they had ended.
reaped() {
  grep -Ec "^foster: reaped orphan $1\[[0-9]+\] $2$" "$ERR"
}

expect_reaped() {
  local count
  count=$(reaped "$2" "$3") || true
  if [[ $count != "$1" ]]; then
    echo "$count $2 $3, not $1" >&2
    cat "$ERR" >&2
    return 1
  fi
}

child_has_ended() {
  grep -Eq '^foster: child leave\[[0-9]+\] exited with 7$' "$ERR"
}

@test "--grace ends what the child has left: SIGTERM, then SIGKILL; all of it is reaped, and the status is the child's" {
  requires_root
  for mode in "${MODES[@]}"; do
    start_leaving "$mode" --grace=300ms -- obey ignore session stopped nobody fork
    finish
    expect_status 7
    for kind in obey session stopped nobody; do
      expect_reaped 1 "$kind" 'killed by SIGTERM'
    done
    for kind in ignore fork forked; do
      expect_reaped 1 "$kind" 'killed by SIGKILL'
    done
    grep -q 'leftovers ended: 7$' "$ERR"
  done
}

# bats test_tags=alone
@test "leftovers that obey end a long --grace early, 500 of them, and so does --grace=0 for those that do not" {
  for mode in "${MODES[@]}"; do
    # shellcheck disable=SC2046 # several words
    start_leaving "$mode" --grace=10m -- $(yes obey | head -500)
    finish
    expect_status 7
    expect_reaped 500 obey 'killed by SIGTERM'
    start_leaving "$mode" --grace=0 -- ignore
    finish
    expect_status 7
    expect_reaped 1 ignore 'killed by SIGKILL'
    start_leaving "$mode" --grace=10m --
    finish
    expect_status 7
  done
}

@test "without these options nothing is signalled, and nothing is waited for" {
  start_leave subreaper -- record
  local left
  left=$(child_of "$(child_of "$INIT" leave)" record)
  kill -USR1 "$INIT"
  finish
  expect_status 7
  kill -USR2 "$left"
  wait_until is_gone "$left"
  expect [ "$(cat "$OUT")" = $'READY\ngot 12' ]
}

@test "a leftover that forks and ends, forks and ends, as fast as it can, is ended, too" {
  for mode in "${MODES[@]}"; do
    # As long as one of them lives it holds the pipe.
    mkfifo "$BATS_TEST_TMPDIR/$mode"
    cat "$BATS_TEST_TMPDIR/$mode" 3>&- &
    local reader=$!
    exec 4>"$BATS_TEST_TMPDIR/$mode"
    start_leaving "$mode" --grace=50ms -- chain
    exec 4>&-
    finish
    expect_status 7
    wait_until has_ended "$reader"
    expect [ -z "$(grep 'cannot end' "$ERR")" ]
  done
}

@test "what a leftover runs to clean up gets no SIGTERM of its own" {
  for mode in "${MODES[@]}"; do
    # So many that some begin while others are still looked for.
    # shellcheck disable=SC2046 # several words
    start_leaving "$mode" --grace=1m -- $(yes cleaner | head -200)
    finish
    expect_status 7
    expect [ "$(grep -xc cleaned "$OUT")" = 200 ]
  done
}

@test "a signal is forwarded to the leftovers, the second SIGTERM or SIGINT of all ends their grace" {
  for mode in "${MODES[@]}"; do
    start_leave "$mode" --grace=10m -- ignore record
    kill "$INIT"
    wait_until child_has_ended
    wait_until grep -qx 'got 15' "$OUT"
    kill -HUP "$INIT"
    wait_until grep -qx 'got 1' "$OUT"
    expect_reaped 0 ignore '.*'
    kill -INT "$INIT"
    finish
    expect_status 7
    expect_reaped 2 '(ignore|record)' 'killed by SIGKILL'
    expect [ "$(cat "$OUT")" = $'READY\ngot 15\ngot 18\ngot 1' ]

    # A child that ended of its own: the first one is forwarded.
    start_leaving "$mode" --grace=10m -- record
    wait_until grep -qx 'got 18' "$OUT"
    kill -INT "$INIT"
    wait_until grep -qx 'got 2' "$OUT"
    kill -INT "$INIT"
    finish
    expect_status 7
    expect_reaped 1 record 'killed by SIGKILL'
  done
}

@test "waiting for leftovers takes hardly any CPU, also beyond the end of a --stop-timeout" {
  for mode in "${MODES[@]}"; do
    start_leave "$mode" --stop-timeout=50ms --grace=10m -- ignore
    kill "$INIT"
    wait_until child_has_ended
    sleep 0.2 # beyond it
    wait_until is_asleep "$INIT"
    local before
    before=$(cpu_of "$INIT")
    sleep 1 # nothing is to happen, but for a look now and then
    expect [ $(($(cpu_of "$INIT") - before)) -lt 20000000 ]
    kill "$INIT"
    finish
    expect_status 7
  done
}

@test "--wait-all waits for the leftovers, and forwards signals to them" {
  for mode in "${MODES[@]}"; do
    start_leaving "$mode" --wait-all -- brief record
    wait_until reaped brief 'exited with 0'
    for signal in HUP TERM TERM INT USR2; do
      kill -"$signal" "$INIT"
      wait_until grep -qx "got $(kill -l "$signal")" "$OUT"
    done
    finish
    expect_status 7
    expect [ -z "$(grep 'got 18' "$OUT")" ] # a SIGCONT that nobody has sent
    expect_reaped 1 record 'exited with 0'
  done
}

@test "--wait-all with --grace: the grace begins when foster is asked to stop, be it before the child has ended" {
  for mode in "${MODES[@]}"; do
    start_leaving "$mode" --wait-all --grace=100ms -- ignore brief
    wait_until reaped brief 'exited with 0'
    expect_reaped 0 ignore '.*'
    kill "$INIT"
    finish
    expect_status 7
    expect_reaped 1 ignore 'killed by SIGKILL'
    start_leave "$mode" --wait-all --grace=100ms -- ignore
    kill "$INIT"
    finish
    expect_status 7
    expect_reaped 1 ignore 'killed by SIGKILL'
  done
}

@test "--wait-all with --grace: a request to stop is one by whatever name" {
  local case signal options
  for mode in "${MODES[@]}"; do
    for case in 'QUIT --stop-signal=QUIT' 'WINCH --stop-signal=WINCH' 'RTMIN+3 --stop-signal=RTMIN+3' 'RTMIN+3 --rewrite=RTMIN+3:TERM' \
      'HUP --rewrite=HUP:INT' 'TERM --rewrite=TERM:QUIT' 'HUP --stop-signal=QUIT --rewrite=HUP:QUIT'; do
      read -ra options <<<"$case"
      signal=${options[0]}
      options=("${options[@]:1}")
      # The first one begins the grace, the second one ends it. Any other signal does neither.
      start_leaving "$mode" --wait-all --grace=10m "${options[@]}" -- ignore record
      wait_until child_has_ended
      kill -ABRT "$INIT"
      wait_until grep -qx 'got 6' "$OUT"
      expect [ -z "$(grep 'got 15' "$OUT")" ]
      kill -"$signal" "$INIT"
      wait_until grep -qx 'got 15' "$OUT"
      kill -IO "$INIT"
      wait_until grep -qx 'got 29' "$OUT"
      expect_reaped 0 ignore '.*'
      kill -"$signal" "$INIT"
      finish
      expect_status 7
      expect_reaped 1 ignore 'killed by SIGKILL'
      # Before the child ended.
      start_leave "$mode" --wait-all --grace=100ms "${options[@]}" -- ignore
      kill -"$signal" "$INIT"
      kill -USR1 "$INIT"
      finish
      expect_status 7
      expect_reaped 1 ignore 'killed by SIGKILL'
    done
    # One that is dropped is none.
    for when in before after; do
      start_leave "$mode" --wait-all --grace=0 --stop-signal=QUIT --rewrite=QUIT:none -- ignore record
      [[ $when == after ]] || kill -QUIT "$INIT"
      kill -USR1 "$INIT"
      wait_until child_has_ended
      kill -QUIT "$INIT"
      kill -IO "$INIT"
      wait_until grep -qx 'got 29' "$OUT"
      wait_until is_asleep "$INIT"
      expect_reaped 0 ignore '.*'
      kill -TERM "$INIT"
      finish
      expect_status 7
    done
  done
}

# A foster that is not root, with a sleep that is, which sudo has started. It ends by SIGUSR1.
start_with_roots_leftover() {
  local mode=$1 rule=$BATS_TEST_TMPDIR/sudoers dir=$BATS_TEST_TMPDIR/public
  shift
  mkdir -p "$dir"
  cp "$FOSTER" "$dir/foster"
  echo 'nobody ALL=(ALL) NOPASSWD: ALL' >"$rule"
  chmod 440 "$rule"
  # shellcheck disable=SC2016 # for the shells inside
  start_in "$mode" unshare --mount sh -c 'mount --bind "$0" /etc/sudoers && mount --bind "$1" /mnt && shift && exec setpriv "$@"' "$rule" "$dir" \
    --reuid=nobody --regid=nogroup --clear-groups /mnt/foster "$@" -- \
    sh -c 'sudo -n sh -c "sleep 1234 </dev/null >/dev/null 2>&1 &"; trap "exit 7" USR1; echo READY; while :; do sleep 0.05; done'
  wait_ready
}

UNREACHED='^foster: warning: cannot end sleep\[[0-9]+\]: it may not be signalled; run foster as root or give it CAP_KILL$'

# bats test_tags=exact
@test "a leftover that may not be signalled is named once, and not waited for beyond the time" {
  requires_root
  for mode in "${MODES[@]}"; do
    start_with_roots_leftover "$mode" --grace=100ms
    local before left
    left=$(child_of "$INIT" sleep)
    before=$(now)
    kill -USR1 "$INIT"
    finish
    expect_status 7
    expect [ $(($(now) - before)) -lt 1050 ] # another one gets a second
    grep -Eq "$UNREACHED" "$ERR"
    expect [ "$(grep -c '^foster: ' "$ERR")" = 1 ] # sudo may complain of the host's name
    [[ $mode == pid1 ]] || kill "$left"
  done
}

@test "--wait-all: a leftover that a SIGTERM does not reach is named, and waited for" {
  requires_root
  for mode in "${MODES[@]}"; do
    start_with_roots_leftover "$mode" --wait-all
    kill -USR1 "$INIT"
    wait_until eval '! pgrep -P "$INIT" -x sh'
    kill -HUP "$INIT"
    kill -TERM "$INIT"
    wait_until grep -Eq "$UNREACHED" "$ERR"
    expect [ "$(grep -c '^foster: ' "$ERR")" = 1 ]
    kill "$(pgrep -P "$INIT" -x sleep)"
    finish
    expect_status 7
  done
}

@test "a leftover in an uninterruptible sleep does not hang foster" {
  requires_root
  [[ -d /sys/fs/cgroup/freezer ]] || skip 'requires the freezer of cgroups, version 1'
  make_cgroup freezer
  # shellcheck disable=SC2016 # for the shell inside
  start_in subreaper "$FOSTER" --grace=50ms -- sh -c '
    sleep 1000 & echo $! >"$0/tasks"; echo FROZEN >"$0/freezer.state"
    until grep -q FROZEN "$0/freezer.state"; do :; done; echo READY; exit 7' "$CGROUP"
  wait_ready
  finish
  expect_status 7
  grep -Eq '^foster: warning: cannot end sleep\[[0-9]+\]: it has got SIGKILL, and has not ended yet$' "$ERR"
  expect [ "$(wc -l <"$ERR")" = 1 ]
}

@test "without /proc a leftover in an uninterruptible sleep does not hang foster beyond 10 s" {
  requires_root
  requires_static # the sanitizers want /proc themselves
  [[ -d /sys/fs/cgroup/freezer ]] || skip 'requires the freezer of cgroups, version 1'
  make_cgroup freezer
  local before
  # shellcheck disable=SC2016 # for the shell inside
  start_without_proc subreaper --grace=50ms -- sh -c '
    sleep 1000 & echo $! >"$0/tasks"; echo FROZEN >"$0/freezer.state"
    until grep -q FROZEN "$0/freezer.state"; do :; done; trap "exit 7" USR1; echo READY; while :; do sleep 0.05; done' "$CGROUP"
  before=$(now)
  kill -USR1 "$(child_of "$INIT" sh)"
  finish
  expect_status 7
  expect [ $(($(now) - before)) -ge 10000 ]
  grep -qx 'foster: warning: cannot name what is left: there is no /proc' "$ERR"
}

@test "as PID 1 what was put into the PID namespace from outside is ended and waited for, too" {
  requires_root
  start_in pid1 "$FOSTER" --grace=10s -- sh -c 'trap "exit 7" TERM; echo READY; while :; do sleep 0.05; done'
  wait_ready
  # shellcheck disable=SC2016 # perl's own variables
  "${ENTER[@]}" --target "$INIT" perl -e '
    $SIG{TERM} = sub { select undef, undef, undef, 0.2; print "saved\n"; exit };
    $| = 1; print "INSIDE\n"; sleep 1 while 1' >"$BATS_TEST_TMPDIR/inside" 3>&- &
  wait_until grep -q INSIDE "$BATS_TEST_TMPDIR/inside"
  kill "$INIT"
  finish
  expect_status 7
  grep -qx saved "$BATS_TEST_TMPDIR/inside"
}

# Starts in a mode a foster whose /proc is gone, and what was mounted below it, too.
start_without_proc() {
  local mode=$1
  shift
  # shellcheck disable=SC2016 # for the shell inside
  start_in "$mode" unshare --mount sh -c 'while umount -l /proc 2>/dev/null; do :; done; exec "$@"' sh "$FOSTER" -w "$@"
  wait_ready
}

WITHOUT_PROC='foster: warning: cannot find what the child has left: there is no /proc; only foster'"'"'s own children and their process groups are signalled'

@test "without /proc all is ended as PID 1; elsewhere foster's own children and their process groups are, which foster says" {
  requires_root
  requires_static # the sanitizers want /proc themselves
  for mode in "${MODES[@]}"; do
    start_without_proc "$mode" --grace=100ms -- "$WORKLOADS/leave" obey ignore stopped session
    kill -USR1 "$INIT"
    finish
    expect_status 7
    diff <(printf 'killed by %s\n' SIGKILL SIGTERM SIGTERM SIGTERM) <(grep -o 'killed by .*' "$ERR" | sort)
    expect [ "$(grep -v 'reaped orphan' "$ERR")" = "$([[ $mode == pid1 ]] || echo "$WITHOUT_PROC")" ]
  done
}

@test "without /proc a generation after the other is ended, each by its group's SIGTERM where it has one" {
  requires_root
  requires_static
  # In the child's group each one has another of its own, and ignores SIGTERM; in a session of their own are two that
  # obey.
  # shellcheck disable=SC2016 # for the shells inside, and perl's own variables
  start_without_proc subreaper --grace=100ms -- sh -c '
    setsid sh -c "sh -c \"trap \\\"echo got; exit\\\" TERM; while :; do sleep 0.02; done\" & wait" &
    perl -e "$0" &
    sleep 0.3; echo READY; exit 7' '$SIG{TERM} = "IGNORE"; for (1 .. 6) { last if fork } sleep'
  finish
  expect_status 7
  expect [ "$(grep -c 'killed by SIGKILL' "$ERR")" = 7 ]
  grep -qx got "$OUT"
}

@test "without /proc a leftover is signalled alone where others of foster's session may be in its group" {
  requires_root
  requires_static
  # shellcheck disable=SC2016 # perl's own variables
  start_without_proc subreaper --grace=100ms -- perl -e '
    $| = 1; pipe my $in, my $out;
    if (fork == 0) {
      setpgrp 0, 0; exit if fork; # the leader of its group has gone
      $SIG{TERM} = sub { print "got\n" }; close $out; close $in; sleep 1 while 1 }
    close $out; <$in>; wait; print "READY\n"; exit 7'
  finish
  expect_status 7
  grep -qx got "$OUT"
  expect [ "$(grep -c 'killed by SIGKILL' "$ERR")" = 1 ]
}

# In a PID namespace of its own, whose pids are ours to give: runs foster as pid 5001, without /proc. A shell runs
# commands before it becomes foster; they and the child may write the last pid to the descriptors 8 and 9, once each.
run_without_proc_as_5001() {
  # shellcheck disable=SC2016 # for the shells inside
  run -0 run_in pid1 bash -c '
    exec 8>/proc/sys/kernel/ns_last_pid 9>/proc/sys/kernel/ns_last_pid
    echo 5000 >/proc/sys/kernel/ns_last_pid
    unshare --mount bash -c "while umount -l /proc 2>/dev/null; do :; done; $0
      exec \"\$FOSTER\" -w \"\$@\"" bash "$@" &
    [[ $! == 5001 ]]
    status=0
    wait $! || status=$?
    echo "status $status"' "$@"
}

@test "without /proc leftovers are found that have got pids below the one that the next process gets" {
  requires_root
  requires_static
  # shellcheck disable=SC2016 # for the shell inside
  local leave='echo 199 >&8; "$WORKLOADS/record-signals" 3 & sleep 0.2; echo 100 >&9; exit 7'
  # The first search for leftovers finds none, or another one.
  run_without_proc_as_5001 : --grace=100ms -- bash -c "$leave"
  expect [ "$output" = "READY"$'\n'"$WITHOUT_PROC"$'\n15\n18\nfoster: warning: reaped orphan ?[200] killed by SIGKILL\nstatus 7' ]
  run_without_proc_as_5001 : --grace=100ms -- bash -c "sleep 1000 & $leave"
  expect_in 'foster: warning: reaped orphan ?[200] killed by SIGKILL' "$output"
}

@test "without /proc a child that foster had before is found, too, that has got a pid below the one that the next process gets" {
  requires_root
  requires_static
  run_without_proc_as_5001 'echo 199 >&8; sleep 1000 & echo 100 >&9' --wait-all -- sh -c 'exit 7'
  expect [ "$output" = "$WITHOUT_PROC"$'\nstatus 7' ]
}

@test "without /proc --wait-all forwards signals, and a SIGTERM begins its grace" {
  requires_root
  requires_static
  start_without_proc subreaper --wait-all --grace=200ms -- "$WORKLOADS/leave" record
  kill -USR1 "$INIT"
  wait_until grep -q 'cannot find' "$ERR"
  kill -HUP "$INIT"
  wait_until grep -qx 'got 1' "$OUT"
  kill "$INIT"
  finish
  expect_status 7
  expect [ "$(cat "$OUT")" = $'READY\ngot 1\ngot 15\ngot 18' ]
  grep -q 'killed by SIGKILL$' "$ERR"
}

@test "without /proc a leftover that may not be signalled has no name, which foster says" {
  requires_root
  requires_static
  # shellcheck disable=SC2016 # for the shell inside
  start_in subreaper unshare --mount sh -c 'while umount -l /proc 2>/dev/null; do :; done; exec "$@"' sh \
    "$WORKLOADS/deny" kill=EPERM pidfd_send_signal=EPERM -- "$FOSTER" --grace=50ms -- "$WORKLOADS/leave" -now obey
  finish
  expect_status 7
  expect [ "$(cat "$ERR")" = "$WITHOUT_PROC"$'\nfoster: warning: cannot name what is left: there is no /proc' ]
  own -x obey | xargs kill -KILL
}

@test "where /proc is that of another PID namespace foster's own children are ended all the same" {
  requires_root
  # shellcheck disable=SC2016 # for the shell inside
  start_in subreaper unshare --pid --fork --kill-child sh -c '"$@"; exit $?' sh "$FOSTER" -w --grace=50ms -- "$WORKLOADS/leave" -now obey ignore
  finish
  expect_status 7
  diff <(printf 'killed by %s\n' SIGKILL SIGTERM) <(grep -o 'killed by .*' "$ERR" | sort)
  expect_in "${WITHOUT_PROC/there is no \/proc/the \/proc that is mounted belongs to another PID namespace}" "$(cat "$ERR")"
}

@test "--pause with --grace ends what is left in the PID namespace" {
  requires_root
  start_in pid1 "$FOSTER" -v --pause --grace=10s
  wait_until is_asleep "$INIT"
  "${ENTER[@]}" --target "$INIT" "$WORKLOADS/leave" -now cleaner >"$OUT" || expect [ $? = 7 ]
  kill "$INIT"
  finish
  expect_status 0
  grep -qx cleaned "$OUT"
}

@test "where the kernel does not tell foster's children, they are found all the same" {
  requires_root
  # shellcheck disable=SC2016 # for the shell inside
  start_in subreaper unshare --mount sh -c 'mount -t tmpfs none /proc/$$/task && exec "$@"' sh "$FOSTER" -v --grace=10m -- "$WORKLOADS/leave" obey obey
  wait_ready
  kill -USR1 "$INIT"
  finish
  expect_status 7
  expect_reaped 2 obey 'killed by SIGTERM'
}

@test "SIGKILL for a leftover's process group does not reach others that are in it" {
  # One in a group of its own, in the session of foster, whose leftover joins it.
  # shellcheck disable=SC2016 # perl's own variables
  run -0 run_in subreaper setsid --wait perl -e '
    my $other = fork // die;
    if ($other == 0) { setpgrp 0, 0; sleep 1000 }
    select undef, undef, undef, 0.01 until getpgrp $other == $other;
    my $status = system @ARGV, "--grace=0", "--", "perl", "-e",
      q(pipe my $in, my $out; if (fork == 0) { $SIG{TERM} = q{IGNORE}; setpgrp 0, shift or die; close $out; sleep 1000 } close $out; <$in>; exit 7), $other;
    print $status >> 8, " ", waitpid $other, 1; kill KILL => $other' "$FOSTER"
  expect [ "$output" = '7 0' ]
}

@test "what /proc hides of the leftovers is not left without a word" {
  requires_root
  # A root that may not trace does not see what has become another user.
  # shellcheck disable=SC2016 # for the shell inside
  start_in subreaper unshare --mount --pid --fork --kill-child sh -c 'mount -t proc -o hidepid=2,gid=12345 proc /proc && setpriv --bounding-set=-sys_ptrace "$@"; exit $?' sh \
    "$FOSTER" --grace=50ms -- "$WORKLOADS/leave" -now nobody
  finish
  expect_status 7
  expect [ "$(cat "$ERR")" = 'foster: warning: cannot name what is left: not in /proc' ]
}

# bats test_tags=exact
@test "leftovers of whose end the kernel tells nothing, as with CLONE_AUTOREAP, are not waited for beyond a second" {
  requires_x86_64
  for mode in "${MODES[@]}"; do
    for option in --wait-all --grace=20s; do
      start_leave "$mode" "$option" -- obey
      local child leftover ended
      child=$(child_of "$INIT" leave)
      leftover=$(child_of "$child" obey)
      : >"$BATS_TEST_TMPDIR/tracer" # not what the one before has written
      "$WORKLOADS/lose-sigchld" "$INIT" "$(sed -n 's/^NSpid:.*\t//p' "/proc/$child/status")" >"$BATS_TEST_TMPDIR/tracer" 3>&- &
      wait_until grep -q ATTACHED "$BATS_TEST_TMPDIR/tracer"
      kill -USR1 "$INIT"
      wait_until child_has_ended
      [[ $option != --wait-all ]] || kill "$leftover"
      wait_until is_gone "$leftover"
      ended=$(now)
      finish
      expect_status 7
      expect [ $(($(now) - ended)) -lt 1500 ]
      wait # for the tracer
    done
  done
}

@test "where there is no memory for a list of the leftovers they are signalled one after the other" {
  requires_static
  start_leave subreaper --grace=10m -- obey obey session
  trace_process "$INIT" -e trace=mmap -e inject=mmap:error=ENOMEM
  kill -USR1 "$INIT"
  finish
  expect_status 7
  # All three, or foster would have waited for the rest. There is no memory for messages either, so one may be lost.
  expect grep -Eq "^foster: reaped orphan (obey|session)\[[0-9]+\] killed by SIGTERM" "$ERR"
  run ! grep SIGKILL "$ERR"
  grep -q INJECTED "$TRACE"
}

@test "leftovers are signalled by pidfds, one at a time" {
  start_leave subreaper --grace=200ms -- obey obey session ignore
  trace_process "$INIT" -e trace=pidfd_open,pidfd_send_signal,kill,close
  kill -USR1 "$INIT"
  finish
  expect_status 7
  wait_until grep -q exited "$TRACE"
  expect [ "$(grep -c '^pidfd_send_signal(.*, SIGTERM, NULL, 0) *= 0' "$TRACE")" = 4 ]
  expect [ "$(grep -c '^pidfd_send_signal(.*, SIGCONT, NULL, 0) *= 0' "$TRACE")" = 4 ]
  # First to the group of the one that ignores SIGTERM, which may have gone before it is signalled itself.
  expect [ "$(grep -Ec '^(pidfd_send_signal\(.*|kill\(-[0-9]+), SIGKILL(, NULL, 0)?\) *= 0' "$TRACE")" -ge 1 ]
  expect [ -z "$(grep '^kill([0-9]*, SIG[TCK][EOI][RNL]' "$TRACE" | grep -v USR1)" ]
  expect [ "$(grep -o '^pidfd_open(.*' "$TRACE" | sed 's/.*= //' | sort -u | wc -l)" = 1 ] # always the same free number
}

@test "a kernel or a sandbox without pidfds: leftovers are ended all the same" {
  local refusals=(pidfd_open=ENOSYS pidfd_open=EPERM pidfd_open=EMFILE pidfd_send_signal=ENOSYS pidfd_send_signal=EPERM pidfd_send_signal=EINVAL)
  for refusal in "${refusals[@]}" waitid=EPERM; do
    start_in subreaper "$WORKLOADS/deny" "$refusal" -- "$FOSTER" -v --grace=100ms -- "$WORKLOADS/leave" -now obey stopped ignore
    finish
    expect_status 7
    expect_reaped 2 '(obey|stopped|[?])' 'killed by SIGTERM' # without waitid names may be lost
    expect_reaped 1 ignore 'killed by SIGKILL'
  done
}

# bats test_tags=exact
@test "a stranger that got the pid of a leftover meanwhile gets no signal" {
  requires_root
  # In a PID namespace of its own, whose pids are ours to give. Foster is held up when it has listed its leftovers, a
  # perl and its sleep, and signals the first one.
  # shellcheck disable=SC2016 # for the shells inside, and perl's own variables
  run -7 run_in pid1 bash -c '
    bats_require_minimum_version() { :; }
    source "$0"
    echo 1 >/proc/sys/kernel/ns_last_pid 2>/dev/null || exit 77
    "$FOSTER" --grace=10m -- perl -e "
      if (fork) { \$SIG{USR1} = sub { exit 7 }; sleep 1 while 1 }
      \$SIG{CHLD} = q{IGNORE}; setpgrp 0, 0; fork or exec qw(sleep 1000); sleep 1 while 1" &
    foster=$!
    wait_until pgrep -x sleep
    sleep=$(pgrep -x sleep)
    child=$(child_of $foster)
    strace -o /dev/null -e inject=pidfd_open,kill:delay_enter=4s:when=1 -p $foster 2>"$1" &
    wait_until grep -q attached "$1"
    kill -USR1 $child
    wait_until grep -Eq "^(434|62|129) " /proc/$foster/syscall
    kill -KILL $sleep
    wait_until is_gone $sleep
    # The kernel frees the number a moment after the process has gone from /proc.
    take_pid() {
      echo $((sleep - 1)) >/proc/sys/kernel/ns_last_pid
      "$WORKLOADS/record-signals" 1 >"$1.out" &
      [[ $! == "$sleep" ]] || { kill -KILL $!; return 1; }
    }
    wait_until take_pid "$1"
    status=0
    wait $foster || status=$?
    kill -CONT $sleep # which comes after a SIGTERM, if there is one
    wait $sleep
    cat "$1.out"
    exit $status' "$BATS_TEST_DIRNAME/helpers.bash" "$BATS_TEST_TMPDIR/strace"
  expect_in $'READY\n18' "$output"
}

@test "the process group of a stranger that got the pid of a leftover meanwhile gets no SIGKILL" {
  requires_root
  # As above; held up before it asks for the group of the first leftover: a sleep in a session of its own, whose pid is
  # lower than that of the perl that waits for it.
  # shellcheck disable=SC2016 # for the shells inside, and perl's own variables
  run -7 run_in pid1 bash -c '
    bats_require_minimum_version() { :; }
    source "$0"
    echo 1000 >/proc/sys/kernel/ns_last_pid 2>/dev/null || exit 77
    "$FOSTER" --grace=10ms -- perl -e "
      \$SIG{CHLD} = \$SIG{TERM} = q{IGNORE};
      if (fork) { \$SIG{USR1} = sub { exit 7 }; sleep 1 while 1 }
      open my \$last, q{>}, q{/proc/sys/kernel/ns_last_pid}; print \$last 500; close \$last;
      fork or exec qw(setsid sleep 1000); sleep 1 while 1" &
    foster=$!
    wait_until pgrep -x sleep
    sleep=$(pgrep -x sleep)
    child=$(child_of $foster)
    strace -o /dev/null -e inject=getpgid:delay_enter=4s:when=1 -p $foster 2>"$1" &
    wait_until grep -q attached "$1"
    kill -USR1 $child
    wait_until grep -Eq "^(121|155) " /proc/$foster/syscall
    kill -KILL $sleep
    wait_until is_gone $sleep
    # The kernel frees the number a moment after the process has gone from /proc.
    take_pid() {
      echo $((sleep - 1)) >/proc/sys/kernel/ns_last_pid
      setsid "$WORKLOADS/record-signals" 1 >"$1.out" &
      [[ $! == "$sleep" ]] || { kill -KILL $!; return 1; }
    }
    wait_until take_pid "$1"
    status=0
    wait $foster || status=$?
    kill -CONT $sleep # which comes after a SIGTERM, if there is one
    wait $sleep
    cat "$1.out"
    exit $status' "$BATS_TEST_DIRNAME/helpers.bash" "$BATS_TEST_TMPDIR/strace"
  expect_in $'READY\n18' "$output" # foster may have said that the perl has not ended yet
}

@test "the exit status is the child's, and not that of an orphan that has got its pid" {
  requires_root
  # A leftover in a session of its own, or else its process group would keep the pid in use.
  # shellcheck disable=SC2016 # for the shells inside
  run -0 run_in pid1 bash -c '
    echo 1 >/proc/sys/kernel/ns_last_pid 2>/dev/null || exit 77
    status=0
    "$FOSTER" --wait-all -- sh -c "child=\$\$ exec setsid --fork sh -c \"\$0\"" "
      while [ -e /proc/\$child ]; do :; done
      echo \$((child - 1)) >/proc/sys/kernel/ns_last_pid
      sh -c \"while [ -e /proc/\$\$ ]; do :; done; exit 9\" &
      [ \$! = \$child ] || echo \$! and not \$child" || status=$?
    echo "$status"'
  expect [ "$output" = 0 ]
}

@test "as PID 1 --wait-all waits for an orphan with a pid that the search has passed, too" {
  requires_root
  start_in pid1 "$FOSTER" --wait-all -- sh -c 'trap "exit 7" USR1; echo READY; while :; do sleep 0.05; done'
  wait_ready
  "${ENTER[@]}" --target "$INIT" sleep 1000 3>&- &
  local first=$! inside=$BATS_TEST_TMPDIR/inside
  wait_until pgrep -P "$first" -x sleep
  # shellcheck disable=SC2016 # perl's own variables
  "${ENTER[@]}" --target "$INIT" perl -e '
    $SIG{USR1} = sub {
      open my $last, q{>}, q{/proc/sys/kernel/ns_last_pid}; print $last 1; close $last;
      exit if fork;
      do { open $call, q{<}, q{/proc/1/syscall} } while <$call> =~ /^(257|56) /;
      sleep 1; print "$$ waited for\n"; exit };
    $| = 1; print "$$\n"; sleep 1 while 1' >"$inside" 3>&- &
  local second=$!
  wait_until grep -q . "$inside"
  kill -USR1 "$INIT"
  wait_until eval '! pgrep -P "$INIT"'
  # Foster is held up when it looks at the second process, after the first one, which was the reason to wait, has gone.
  trace_process "$INIT" -P "/proc/$(cat "$inside")/stat" -e inject=openat:delay_enter=3s:when=1
  kill -KILL "$(pgrep -P "$first")"
  wait_until grep -Eq '^(257|56) ' "/proc/$INIT/syscall"
  kill -USR1 "$(pgrep -P "$second")"
  finish
  expect_status 7
  grep -qx '2 waited for' "$inside"
}

# Runs in a mode a foster that has had children before: a shell makes them by "$2", then becomes foster with these
# words.
start_with_earlier() {
  local mode=$1 earlier=$2
  shift 2
  # shellcheck disable=SC2016 # for the shell inside
  start_in "$mode" bash -c "$earlier"$'\nexec "$FOSTER" "$@"' bash "$@"
}

@test "--wait-all and --grace: the tee that a script's output goes through is nothing that the child has left" {
  export LOG=$BATS_TEST_TMPDIR/log
  for mode in "${MODES[@]}"; do
    for options in --wait-all --grace=1m '--wait-all --grace=1m'; do
      # shellcheck disable=SC2016,SC2086 # for the shell inside; several words
      run -3 run_in "$mode" bash -c 'exec > >(exec tee "$LOG") 2>&1; exec "$FOSTER" "$@"' bash -v $options -- sh -c '(sleep 0.1 &); exit 3'
      [[ $mode == pid1 ]] || wait_until grep -q 'leftovers ended: 1$' "$LOG"
    done
  done
}

# Three that are there before: one that a signal ends, and one that has a child of its own, which a signal ends, too.
EARLIER='"$WORKLOADS/record-signals" 1 & sh -c "\"\$WORKLOADS/record-signals\" 1 & echo \$! >&2; wait" & until [[ $(grep -c READY "$OUT") == 2 ]]; do sleep 0.01; done'

expect_earlier_untouched() {
  local mode=$1
  expect [ -z "$(grep -E '^([0-9]+|got .*)$' "$OUT")" ]
  expect_reaped 0 '(record-signals|sh)' '.*'
  if [[ $mode == subreaper ]]; then
    local pid
    pid=$(own -x record-signals)
    expect [ "$(wc -l <<<"$pid")" = 2 ]
    # shellcheck disable=SC2086 # two words
    kill -KILL $pid
  fi
}

@test "children that foster had before, and theirs, get no signal, and are not waited for; what the child has left is ended" {
  export OUT=$BATS_TEST_TMPDIR/out
  for mode in "${MODES[@]}"; do
    for options in --grace=100ms --wait-all '--wait-all --grace=100ms'; do
      # shellcheck disable=SC2086 # several words
      start_with_earlier "$mode" "$EARLIER" -v $options -- "$WORKLOADS/leave" obey ignore session
      wait_until eval '[[ $(grep -c READY "$OUT") == 3 ]]'
      kill -USR1 "$INIT"
      wait_until child_has_ended
      if [[ $options == --wait-all ]]; then
        kill -TERM "$INIT"
        wait_until reaped session 'killed by SIGTERM'
        local left
        left=$(child_of "$INIT" ignore)
        expect [ -n "$left" ]
        kill -KILL "$left"
      elif [[ $options == --wait-all* ]]; then
        kill -TERM "$INIT"
      fi
      finish
      expect_status 7
      expect_reaped 2 '(obey|session)' 'killed by SIGTERM'
      expect_reaped 1 ignore 'killed by SIGKILL'
      grep -q 'leftovers ended: 3$' "$ERR"
      expect_earlier_untouched "$mode"
    done
  done
}

@test "a child that foster had before is reaped, be it a zombie at the start or one that ends later; what it leaves is not waited for either" {
  for mode in "${MODES[@]}"; do
    # The second one's child becomes foster's, when that has ended.
    # shellcheck disable=SC2016 # for the shell inside
    start_with_earlier "$mode" 'exec perl -e "pipe R, W; fork or exit 5; if (!fork) { fork or exec qw(tail -f /dev/null); syswrite W, 1; sleep } sysread R, my \$byte, 1; exec @ARGV" "$FOSTER" "$@"' \
      -w --wait-all -- sh -c 'trap "exit 7" USR1; echo READY; while :; do sleep 0.02; done'
    wait_ready
    wait_until grep -q 'reaped orphan perl\[[0-9]*\] exited with 5' "$ERR"
    wait_until child_of "$INIT" perl
    kill "$(child_of "$INIT" perl)"
    wait_until grep -q 'reaped orphan perl\[[0-9]*\] killed by SIGTERM' "$ERR"
    local tail
    tail=$(child_of "$INIT" tail)
    kill -USR1 "$(child_of "$INIT" sh)"
    finish
    expect_status 7
    [[ $mode == pid1 ]] || kill "$tail"
  done
}

@test "without /proc, too, a child that foster had before is not waited for" {
  requires_root
  requires_static
  for mode in "${MODES[@]}"; do
    for options in '--wait-all' '--wait-all --grace=50ms' '--grace=50ms'; do
      # shellcheck disable=SC2016,SC2086 # for the shell inside; several words
      start_in "$mode" unshare --mount bash -c 'while umount -l /proc 2>/dev/null; do :; done; sleep 1234 & echo $!; exec "$FOSTER" -w "$@"' bash $options -- "$WORKLOADS/leave" -now brief
      finish
      expect_status 7
      expect [ "$(grep -v 'reaped orphan' "$ERR")" = "$WITHOUT_PROC" ]
      expect [ "$(grep -c 'reaped orphan' "$ERR")" = 1 ]
      [[ $mode == pid1 ]] || kill "$(head -1 "$OUT")"
    done
  done
}

@test "where /proc comes or goes while the child runs, a child that foster had before gets no signal, and what is left does" {
  requires_root
  requires_static
  local gone='while umount -l /proc 2>/dev/null; do :; done'
  # Only a foster that sleeps has looked at when its child began.
  # shellcheck disable=SC2016 # for the shells inside
  for words in "$gone|mount -t proc proc /proc" ":|until grep -q ^State:.S /proc/\$PPID/status; do :; done; $gone"; do
    start_in pid1 unshare --mount bash -c "${words%|*}"'
      "$WORKLOADS/record-signals" 2 >"$1" & exec "$FOSTER" --grace=100ms -- sh -c "$0; exec \"\$WORKLOADS/leave\" -now record"' \
      "${words#*|}" "$BATS_TEST_TMPDIR/earlier"
    finish
    expect_status 7
    expect [ "$(paste -sd, "$OUT")" = 'READY,got 15,got 18' ]
    expect [ "$(cat "$BATS_TEST_TMPDIR/earlier")" = READY ]
  done
}

# bats test_tags=alone
@test "more processes before the child than foster can remember are told once" {
  # shellcheck disable=SC2016 # perl's own variables
  start_with_earlier pid1 'exec perl -e "for (1 .. 1030) { fork or sleep } exec @ARGV" "$FOSTER" "$@"' --wait-all -- sh -c 'sleep 0.1; exit 7'
  finish
  expect_status 7
  expect [ "$(cat "$ERR")" = 'foster: warning: cannot remember all processes that were there before the child: there is room for 1024' ]
}
