#!/usr/bin/env bats
load helpers

FAULTS=$BUILD/faults

setup() {
  requires_root
}

# A line of /proc/PID/status.
status_of() {
  awk -v key="$2:" '$1 == key { print $2 }' "/proc/$1/status"
}

# Whether a process is under one seccomp filter more than the tests are.
is_filtered() {
  [[ $(status_of "$1" Seccomp_filters) == $(($(status_of self Seccomp_filters) + 1)) ]]
}

# Starts a hardened foster, with options up to "--", and waits until it is hardened and its child runs.
start_hardened() {
  start_in "$1" "$FOSTER" --harden "${@:2}"
  wait_until is_filtered "$INIT"
}

# Bits of capabilities(7), as in /proc/PID/status.
KILL=0000000000000020
KILL_PTRACE=0000000000080020

# The permitted capabilities of a process; fails if the effective ones are others.
capabilities_of() {
  expect [ "$(status_of "$1" CapEff)" = "$(status_of "$1" CapPrm)" ]
  status_of "$1" CapPrm
}

end_with() {
  kill "$INIT"
  finish
  expect_status 143
}

@test "--harden: foster keeps CAP_KILL, has no new privileges and a filter; the child keeps all it has" {
  for mode in "${MODES[@]}"; do
    local set all child some=+chown,+kill,+net_raw
    all=$(status_of self CapPrm)
    start_in "$mode" setpriv --inh-caps=$some --ambient-caps=$some "$FOSTER" --harden sleep 1000
    wait_until is_filtered "$INIT"
    child=$(child_of "$INIT" sleep)
    expect [ "$(capabilities_of "$INIT")" = $KILL ]
    for set in CapInh CapAmb; do
      expect [ "$(status_of "$INIT" $set)" = 0000000000000000 ]
      expect [ "$(status_of "$child" $set)" = 0000000000002021 ]
    done
    for set in CapPrm CapEff CapBnd; do
      expect [ "$(status_of "$child" $set)" = "$all" ]
    done
    expect [ "$(status_of "$INIT" CapBnd)" = "$all" ]
    expect [ "$(status_of "$INIT" NoNewPrivs) $(status_of "$INIT" Seccomp)" = '1 2' ]
    for set in NoNewPrivs Seccomp Seccomp_filters; do
      expect [ "$(status_of "$child" $set)" = "$(status_of self $set)" ]
    done
    end_with
    expect [ ! -s "$ERR" ]
  done
}

@test "without --harden foster keeps what it has" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" sh -c 'echo READY; exec sleep 1000'
    wait_ready
    wait_until is_asleep "$INIT"
    for set in CapPrm CapEff NoNewPrivs Seccomp Seccomp_filters; do
      expect [ "$(status_of "$INIT" $set)" = "$(status_of self $set)" ]
    done
    end_with
  done
}

@test "--harden: capabilities are kept for --zombies=reap, and where /proc hides the processes of others" {
  local rights kept
  while read -r kept rights; do
    # shellcheck disable=SC2086 # several words
    start_in subreaper $rights "$FOSTER" --harden --zombies=reap sleep 1000
    wait_until is_filtered "$INIT"
    expect [ "$(capabilities_of "$INIT")" = "$kept" ]
    end_with
  done <<'END'
0000000000080024 env
0000000000080022 setpriv --bounding-set=-dac_read_search --inh-caps=-dac_read_search
00000000000000a1 setpriv --bounding-set=-all,+kill,+chown,+setuid --inh-caps=-all
END
  start_hardened subreaper --zombies=nudge --grace=1s sleep 1000
  expect [ "$(capabilities_of "$INIT")" = $KILL ]
  end_with
  # shellcheck disable=SC2016 # for the shell inside
  start_in subreaper unshare --mount sh -c 'mount -t proc -o hidepid=2 proc /proc && exec "$@"' sh "$FOSTER" --harden sleep 1000
  wait_until is_filtered "$INIT"
  expect [ "$(capabilities_of "$INIT")" = $KILL_PTRACE ]
  end_with
}

@test "--harden: the filter allows no execve, no new namespace, no ptrace but for --zombies=reap; the rest fails with ENOSYS" {
  local calls call reap
  start_hardened pid1 sleep 1000
  calls=$("$FAULTS/allowed" "$INIT")
  end_with
  for call in read wait4 kill clone; do
    expect_lines 1 "^$call$" "$calls"
  done
  for call in execve execveat clone3 unshare setns mount socket bpf ptrace process_vm_writev setuid setresuid setgid \
    setresgid init_module io_uring_setup; do
    expect_lines 0 "^$call$" "$calls"
  done
  expect_lines 0 '^(ABI|clone):' "$calls"
  expect_lines 1 '^others: error 38$' "$calls"
  # The sanitizers have some of their own.
  ! is_static || expect_lines 45 '^[a-z_0-9]+$' "$calls"
  start_hardened pid1 --zombies=reap sleep 1000
  reap=$("$FAULTS/allowed" "$INIT")
  end_with
  expect [ "$(comm -13 <(sort <<<"$calls") <(sort <<<"$reap") | tr '\n' ' ')" = 'ptrace setresgid setresuid ' ]
}

# A call that is new in foster goes into the table in src/supervisor/harden.cpp.
@test "--harden: the filter refuses no call that foster makes, with no option and with all" {
  for mode in {subreaper,pid1}{,-all}-harden; do
    local calls
    calls=$("$BATS_TEST_DIRNAME/faults/case.sh" "$mode" trace)
    expect_lines 1 '^seccomp ' "$calls"
    expect_lines 0 ' refused$' "$calls"
  done
}

@test "--harden: where the kernel or a sandbox refuses a step foster says so, makes the others, and goes on" {
  local call
  for call in {subreaper,pid1-all}-harden:{capget,capset,seccomp,prctl}:{EPERM,ENOSYS,EINVAL}:every; do
    printf '%s\n' "$call"
  done | xargs -P 4 -n 1 "$BATS_TEST_DIRNAME/faults/case.sh" >"$BATS_TEST_TMPDIR/cases" || true
  expect_lines 24 ' goes on$' "$(cat "$BATS_TEST_TMPDIR/cases")"
  start_in pid1 "$WORKLOADS/deny" prctl=EPERM -- "$FOSTER" --harden sh -c 'echo READY; exec sleep 1000'
  wait_ready
  wait_until grep -q 'warning: cannot give up' "$ERR"
  expect [ "$(capabilities_of "$INIT")" = $KILL ]
  expect [ "$(cat "$ERR")" = 'foster: warning: cannot give up new privileges: Operation not permitted' ]
  end_with
}

@test "--harden: a foster without rights gives up what it can" {
  local dir
  dir=$(mktemp -d /tmp/foster.XXXXXX)
  chmod 755 "$dir"
  cp "$FOSTER" "$dir/foster"
  start_in subreaper setpriv --reuid=nobody --regid=nogroup --clear-groups "$dir/foster" --harden sleep 1000
  wait_until is_filtered "$INIT"
  expect [ "$(status_of "$INIT" NoNewPrivs)" = 1 ]
  end_with
  expect [ ! -s "$ERR" ]
  rm -r "$dir"
}

@test "--harden: signals reach a child of another user and a setuid one, with their values, as --delay and --rewrite have them" {
  local dir
  dir=$(mktemp -d /tmp/foster.XXXXXX)
  chmod 755 "$dir"
  cp "$WORKLOADS/record-signals" "$dir/setuid"
  chmod 4755 "$dir/setuid"
  for mode in "${MODES[@]}"; do
    for words in "$WORKLOADS/record-signals 5" "$dir/setuid 5 setuid"; do
      # shellcheck disable=SC2086 # several words
      start_hardened "$mode" --user=nobody --delay=USR2:20ms --rewrite=HUP:TERM $words
      wait_ready
      for signal in 10 12 1 40=7 41=8; do
        "$WORKLOADS/send-signals" "$INIT" $signal
        wait_until grep -Eqx "${signal/#1/15}.*|${signal%=*}.*" "$OUT"
      done
      finish
      expect_status 0
      expect grep -q '^15' "$OUT"
      expect grep -Eq '^40 .*7' "$OUT"
      expect [ ! -s "$ERR" ]
    done
  done
  rm -r "$dir"
}

@test "--harden: the signal for the death of foster's parent comes, and --tether kills the child" {
  # shellcheck disable=SC2016 # for the shell inside
  start_in subreaper sh -c '"$FOSTER" --harden --parent-death=USR1 "$WORKLOADS/record-signals" 1 & wait'
  wait_ready
  local foster
  foster=$(child_of "$INIT" "${FOSTER##*/}")
  wait_until is_filtered "$foster"
  kill -KILL "$INIT"
  wait_until grep -Eq '^10( |$)' "$OUT"
  wait_until has_ended "$foster"
  finish
  start_hardened subreaper --tether sleep 1000
  local child
  child=$(child_of "$INIT" sleep)
  kill -KILL "$INIT"
  finish
  wait_until has_ended "$child"
}

# Tests of other files with --harden, by their titles: what foster promises holds.
PROMISES=(
  'every signal but KILL and STOP reaches the child, a sent SIGCHLD and 32 to 64 too'
  'real-time signals arrive each and in order, with their values and their sender'
  'real-time signals for which the child.s queue has no room wait for it, in order and with their values; all else goes on'
  '--grace ends what the child has left: SIGTERM, then SIGKILL; all of it is reaped, and the status is the child.s'
  '--wait-all waits for the leftovers, and forwards signals to them'
  'leftovers are signalled by pidfds, one at a time'
  'Ctrl-C reaches the child, and the shell gets its terminal back'
  'dumb-init: Ctrl-Z under a shell stops the child and foster, the shell gets its prompt, and fg goes on'
  'report names the zombies once, again only when there are more, and touches nobody'
  'nudge sends the parent SIGCHLD once: one that has missed it waits then'
  'the same as a user with a NOPASSWD rule, and by a root without CAP_SYS_PTRACE'
  'a parent under a seccomp filter of its own is left alone'
  '--mirror-signal: not as PID 1, foster dies by the signal that killed the child, without a core file'
  '--termination-log: one line in a file says who died of what; the same is told with -v'
  '--log=json writes every message as one object a line: time, level, event, its own fields, and the text'
  '--warn-pids warns before the cgroup.s limit of PIDs is hit, when an orphan is reaped, again only when it has been below'
  'a file system that is frozen does not stop foster: neither standard error nor a termination log on it'
)

# bats test_tags=exact
@test "--harden: signals, leftovers, the terminal, zombies, reports, messages are as without" {
  local titles
  titles=$(printf '|%s' "${PROMISES[@]}")
  run env -u BATS_TEST_FILTER FOSTER_OPTIONS=--harden bats --jobs 4 --filter "^(${titles:1})\$" \
    "$BATS_TEST_DIRNAME"/{forwarding,leftovers,terminal,zombies,stopping,exit_report,json,pid_limit,messages}.bats
  echo "$output"
  expect [ "$status" = 0 ]
  expect_lines "${#PROMISES[@]}" '^ok ' "$output"
}

@test "--harden: a parent under the filters that foster was started with is made to wait" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$WORKLOADS/deny" chdir=EPERM -- "$FOSTER" --harden -v --zombies=reap --zombie-age=200ms -- "$WORKLOADS/neglect" 2 nanosleep 1
    finish
    expect_status 0
    expect_lines 1 'reaped 2 zombies through neglect' "$(cat "$ERR")"
  done
}
