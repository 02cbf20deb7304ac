#!/usr/bin/env bats
load helpers

@test "--termination-log: one line in a file says who died of what; the same is told with -v" {
  local log=$BATS_TEST_TMPDIR/log uid
  for mode in "${MODES[@]}"; do
    uid=$(run_in "$mode" id -u)
    echo 'of an earlier run' >"$log"
    start_in "$mode" "$FOSTER" -v --termination-log="$log" -- sh -c '(/bin/true &); sleep 0.3; echo READY; exec sleep 1000'
    wait_ready
    expect [ ! -s "$log" ]
    wait_until grep -q 'reaped orphan true' "$ERR"
    kill "$INIT"
    finish
    expect_status 143
    grep -Eqx 'foster: sleep\[[0-9]+\] was killed by SIGTERM after ([0-9]+ms|[0-9]s); last signal: SIGTERM from (pid [0-9]+|outside the PID namespace), uid '"$uid"'; OOM kills: [0-9a-z]+; orphans reaped: 1; leftovers ended: 0' "$log"
    expect [ "$(wc -l <"$log")" = 1 ]
    expect [ "$(tail -1 "$ERR")" = "$(cat "$log")" ]
  done
}

@test "the last word has the exit code, a core dump, and what the leftovers came to; and it is an object with --log=json" {
  local log=$BATS_TEST_TMPDIR/log uid
  for mode in "${MODES[@]}"; do
    uid=$(run_in "$mode" id -u)
    run -7 run_in "$mode" "$FOSTER" --termination-log="$log" --grace=100ms -- "$WORKLOADS/leave" -now obey obey
    grep -Eqx 'foster: leave\[[0-9]+\] exited with 7 after [0-9]+ms; last signal: none; OOM kills: [0-9a-z]+; orphans reaped: 0; leftovers ended: 2' "$log"
    run -7 run_in "$mode" "$FOSTER" --log=json --termination-log="$log" --grace=100ms -- "$WORKLOADS/leave" -now obey
    jq -e '.event == "child-ended" and .level == "info" and .name == "leave" and .pid > 1 and .exit_code == 7 and .signal == null and
      .core_dumped == false and .ran_ms < 60000 and .last_signal == null and .sender_pid == null and .sender_uid == null and
      .orphans_reaped == 0 and .leftovers_ended == 1' "$log"
    start_in "$mode" "$FOSTER" --log=json -v --termination-log="$log" sh -c 'echo READY; exec sleep 1000'
    wait_ready
    kill -USR1 "$INIT"
    finish
    jq -e '.exit_code == null and .signal == "SIGUSR1" and .last_signal == "SIGUSR1" and .sender_pid >= 0 and .sender_uid == '"$uid" "$log"
    expect [ "$(tail -1 "$ERR")" = "$(cat "$log")" ]
  done
}

@test "the last signal of a timer is from the kernel" {
  local log=$BATS_TEST_TMPDIR/log
  run -142 env --default-signal=ALRM perl -e 'alarm 1; exec @ARGV' "$FOSTER" --termination-log="$log" sleep 1000
  grep -q 'was killed by SIGALRM .*; last signal: SIGALRM from the kernel; ' "$log"
}

@test "what the workload has written into the termination log itself stays" {
  local log=$BATS_TEST_TMPDIR/log
  for mode in "${MODES[@]}"; do
    run -3 run_in "$mode" "$FOSTER" --termination-log="$log" -- sh -c 'echo "out of cheese" >"$0"; exit 3' "$log"
    expect [ "$(cat "$log")" = 'out of cheese' ]
    # Also where it has put another file there.
    run -3 run_in "$mode" "$FOSTER" --termination-log="$log" -- sh -c 'echo "out of cheese" >"$0.new"; mv "$0.new" "$0"; exit 3' "$log"
    expect [ "$(cat "$log")" = 'out of cheese' ]
  done
}

# Runs a command in a mode, in a /dev that has only what is copied from a directory, each file mounted from there as a
# kubelet does it.
run_with_dev() {
  local mode=$1 dir=$2
  shift 2
  # shellcheck disable=SC2016 # for the shell inside
  run_in "$mode" unshare --mount sh -c 'mount -t tmpfs none /dev && for file in "$0"/*; do
    [ ! -e "$file" ] || { touch "/dev/${file##*/}" && mount --bind "$file" "/dev/${file##*/}"; }; done && exec "$@"' "$dir" "$@"
}

@test "the usual termination log is /dev/termination-log, mounted there as a kubelet does it" {
  requires_root
  local dir=$BATS_TEST_TMPDIR/pod
  mkdir "$dir"
  for mode in "${MODES[@]}"; do
    for option in --termination-log --termination-log=/dev/termination-log; do
      echo 'of an earlier run' >"$dir/termination-log"
      run -3 run_with_dev "$mode" "$dir" "$FOSTER" "$option" sh -c 'exit 3'
      expect [ -z "$output" ]
      grep -Eqx 'foster: sh\[[0-9]+\] exited with 3 after .*' "$dir/termination-log"
      expect [ "$(wc -l <"$dir/termination-log")" = 1 ]
    done
  done
}

@test "without a /dev/termination-log, which nobody would read, that is one warning; it is written all the same; other files may be new" {
  requires_root
  local dir=$BATS_TEST_TMPDIR/none log=$BATS_TEST_TMPDIR/log warning remedy
  remedy="name the pod's terminationMessagePath by --termination-log=PATH"
  warning="foster: warning: cannot find the termination log '/dev/termination-log': No such file or directory; $remedy"
  mkdir "$dir"
  for mode in "${MODES[@]}"; do
    run -3 run_with_dev "$mode" "$dir" sh -c '"$@"; status=$?; cat /dev/termination-log; exit $status' sh \
      "$FOSTER" --termination-log sh -c 'exit 3'
    expect [ "${lines[0]}" = "$warning" ]
    expect_in 'exited with 3' "${lines[1]}"
    expect [ "${#lines[@]}" = 2 ]
    # One warning, too, where it cannot be written.
    run -3 run_with_dev "$mode" "$dir" setpriv --reuid=65534 --clear-groups "$FOSTER" --termination-log sh -c 'exit 3'
    expect [ "$output" = "$warning" ]
    # As the pod names it.
    rm -f "$log"
    run -3 run_with_dev "$mode" "$dir" "$FOSTER" --termination-log="$log" sh -c 'exit 3'
    expect [ -z "$output" ]
    grep -q 'exited with 3' "$log"
    run -3 run_with_dev "$mode" "$dir" "$FOSTER" -q --termination-log sh -c 'exit 3'
    expect [ -z "$output" ]
    run -3 run_with_dev "$mode" "$dir" "$FOSTER" --log=json --termination-log sh -c 'exit 3'
    jq -e '.event == "termination-log-refused" and .level == "warning" and .path == "/dev/termination-log" and
      .reason == "No such file or directory"' <<<"$output"
  done
}

@test "a command that cannot be run is told in the termination log" {
  local log=$BATS_TEST_TMPDIR/log
  run -127 "$FOSTER" --termination-log="$log" no-such-command
  expect [ "$(cat "$log")" = "foster: error: cannot run 'no-such-command': No such file or directory" ]
}

@test "a termination log that cannot be written is one warning; a pipe that nobody reads does not hang" {
  local log=$BATS_TEST_TMPDIR/absent/log
  run -3 "$FOSTER" --termination-log="$log" sh -c 'exit 3'
  expect [ "$output" = "foster: warning: cannot write the termination log '$log': No such file or directory" ]
  mkfifo "$BATS_TEST_TMPDIR/pipe"
  run -3 timeout 20 "$FOSTER" --termination-log="$BATS_TEST_TMPDIR/pipe" sh -c 'exit 3'
  expect_in 'cannot write the termination log' "$output"
  run -3 "$FOSTER" --termination-log=/dev/full sh -c 'exit 3'
  expect [ -z "$output" ]
}

@test "a termination log may be a pipe that somebody reads" {
  local line
  mkfifo "$BATS_TEST_TMPDIR/pipe"
  exec 4<>"$BATS_TEST_TMPDIR/pipe"
  run -3 timeout 20 "$FOSTER" --termination-log="$BATS_TEST_TMPDIR/pipe" sh -c 'exit 3'
  expect [ -z "$output" ]
  read -r -t 20 line <&4
  exec 4>&-
  expect_lines 1 '^foster: sh\[[0-9]+\] exited with 3 after ' "$line"
}

@test "an OOM kill in the memory cgroup is told" {
  make_cgroup memory
  case $CGROUP in
    /sys/fs/cgroup/memory/*) echo 64M >"$CGROUP/memory.limit_in_bytes" ;;
    *) echo 64M >"$CGROUP/memory.max" ;;
  esac
  local log=$BATS_TEST_TMPDIR/log
  for mode in "${MODES[@]}"; do
    # shellcheck disable=SC2016 # for the shells inside
    run -137 run_in "$mode" sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$CGROUP" "$FOSTER" --termination-log="$log" -- \
      perl -e '$x = "x" x (200 << 20); sleep 10'
    grep -q '^foster: perl\[.*\] was killed by SIGKILL .*; OOM kills: 1; ' "$log"
  done
}

@test "cgroups of version 2: OOM kills since the start, and the nearest limit of PIDs, be it of a group around" {
  requires_root
  local own=$BATS_TEST_TMPDIR/own groups=$BATS_TEST_TMPDIR/groups
  mkdir -p "$groups/pod/agent"
  printf '1:name=systemd:/pod/other\n0::/pod/agent\n' >"$own"
  printf 'low 0\nhigh 0\nmax 9\noom 8\noom_kill 3\noom_group_kill 7\n' >"$groups/pod/agent/memory.events"
  echo 5 >"$groups/pod/agent/pids.current"
  echo max >"$groups/pod/agent/pids.max"
  echo 90 >"$groups/pod/pids.current"
  echo 100 >"$groups/pod/pids.max"
  # Their files count only where their file system is the kernel's own: a tracer says that it is, of version 2
  # (statfs(2)).
  as_cgroups=(strace -f -qq -o /dev/null -e trace=fstatfs -e inject=fstatfs:poke_exit=@arg2=7072676300000000)
  # shellcheck disable=SC2016 # for the shells inside
  run -3 "${as_cgroups[@]}" "${NAMESPACE[@]}" -- sh -c 'mount --bind "$0" /proc/1/cgroup && mount --bind "$1" /sys/fs/cgroup && shift && exec "$@"' "$own" "$groups" \
    "$FOSTER" -v --warn-pids=90 -- sh -c '(/bin/true &); sleep 0.2
      printf "oom 9\noom_kill 5\n" >/sys/fs/cgroup/pod/agent/memory.events; exit 3'
  expect_in 'OOM kills: 2;' "$output"
  expect_in 'warning: 90 of the 100 PIDs' "$output"
  # In a container the path may be the host's, and what is mounted the container's own group.
  printf '0::/docker/1234\n' >"$own"
  mv "$groups"/pod/agent/* "$groups"
  # shellcheck disable=SC2016
  run -3 "${as_cgroups[@]}" "${NAMESPACE[@]}" -- sh -c 'mount --bind "$0" /proc/1/cgroup && mount --bind "$1" /sys/fs/cgroup && shift && exec "$@"' "$own" "$groups" \
    "$FOSTER" -v -- sh -c 'echo oom_kill 6 >/sys/fs/cgroup/memory.events; exit 3'
  expect_in 'OOM kills: 1;' "$output"
  # shellcheck disable=SC2016
  run -3 run_in pid1 sh -c 'mount --bind "$1" /sys/fs/cgroup && shift && exec "$@"' sh "$groups" "$FOSTER" -v sh -c 'exit 3'
  expect_in 'OOM kills: unknown;' "$output"
}

@test "a signal that the child has refused is not its last one" {
  local log=$BATS_TEST_TMPDIR/log
  start_in subreaper "$WORKLOADS/deny" kill=EPERM -- "$FOSTER" --termination-log="$log" "$WORKLOADS/record-signals" 1
  wait_ready
  kill -TERM "$INIT"
  wait_until grep -q 'cannot forward SIGTERM' "$ERR"
  kill -USR1 "$(child_of "$INIT")"
  finish
  grep -q 'exited with 0 .*; last signal: none;' "$log"
}

@test "the zombies that the child leaves are orphans, not leftovers that were ended" {
  local log=$BATS_TEST_TMPDIR/log
  for mode in "${MODES[@]}"; do
    for options in '' --grace=10s; do
      # shellcheck disable=SC2086 # an absent word
      run -7 run_in "$mode" "$FOSTER" $options --termination-log="$log" -- perl -e '
        pipe IN, OUT; for (1 .. 200) { fork or exit } close OUT; <IN>; select undef, undef, undef, 0.1; exit 7'
      grep -q '; orphans reaped: 200; leftovers ended: 0$' "$log"
    done
  done
}

@test "the last signal that a descriptor has brought is from the kernel, too" {
  local log=$BATS_TEST_TMPDIR/log
  # shellcheck disable=SC2016 # perl's own variables
  run -138 run_in subreaper "$FOSTER" --termination-log="$log" -- perl -MFcntl -MSocket -e '
    socketpair my $one, my $other, AF_UNIX, SOCK_STREAM, 0;
    fcntl $one, 10, 10 or die; # F_SETSIG, SIGUSR1
    fcntl $one, 8, getppid or die; # F_SETOWN
    fcntl $one, F_SETFL, O_ASYNC or die;
    syswrite $other, "x"; sleep 30'
  grep -q 'was killed by SIGUSR1 .*; last signal: SIGUSR1 from the kernel; ' "$log"
}

@test "the last word tells that the child has left a core file" {
  [[ $(cat /proc/sys/kernel/core_pattern) != '|'* ]] || skip 'requires core files'
  requires_static # the sanitizers allow no core file
  local log=$BATS_TEST_TMPDIR/log
  cd "$BATS_TEST_TMPDIR"
  ulimit -c unlimited
  for mode in "${MODES[@]}"; do
    run -134 run_in "$mode" "$FOSTER" --termination-log="$log" -- perl -e 'kill ABRT => $$; sleep 30'
    grep -q ' was killed by SIGABRT (core dumped) after ' "$log"
    run -134 run_in "$mode" "$FOSTER" --log=json --termination-log="$log" -- perl -e 'kill ABRT => $$; sleep 30'
    jq -e '.exit_code == null and .signal == "SIGABRT" and .core_dumped' "$log"
  done
}

@test "a symbolic link in the place of the termination log is not followed, and said to be one" {
  local log=$BATS_TEST_TMPDIR/log target=$BATS_TEST_TMPDIR/target
  echo precious >"$target"
  for mode in "${MODES[@]}"; do
    for leads_to in "$target" nowhere /dev/stdout; do
      ln -sf "$leads_to" "$log"
      run -3 run_in "$mode" "$FOSTER" --termination-log="$log" sh -c 'exit 3'
      expect [ "$output" = "foster: warning: cannot write the termination log '$log': it is a symbolic link, which is not followed" ]
      expect [ "$(readlink "$log")" = "$leads_to" ]
    done
    expect [ "$(cat "$target")" = precious ]
  done
}
