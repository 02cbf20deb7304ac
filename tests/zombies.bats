#!/usr/bin/env bats
load helpers

has_four_zombies() {
  [[ $(pgrep -c -P "$1" -r Z) == 4 ]]
}

# The agent of the story: it runs four sudo and waits for none of them.
# shellcheck disable=SC2016 # perl's own variables
AGENT='for (1 .. 4) { if (fork == 0) { exec "sudo", "-n", "true" } }
  $| = 1; print "READY\n"; sleep 3 while 1'

start_agent() {
  start_in "$@" perl -e "$AGENT"
  wait_ready
}

neglecter() {
  pgrep -P "$INIT" -x "$1"
}

# Whether so many zombies have been reaped through a parent of this name, by one remote wait or by several.
has_reaped_through() {
  [[ $(sed -n "s/.*: reaped \([0-9]*\) zombies\? through $1\[.*/\1/p" "$ERR" | awk '{ sum += $1 } END { print sum }') == "$2" ]]
}

# bats test_tags=exact
@test "four sudo zombies under a living agent are gone within twice the age, and the agent is none the wiser" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" -v --zombies=reap --zombie-age=500ms -- perl -e "$AGENT"
    wait_ready
    local agent
    agent=$(neglecter perl)
    wait_until has_four_zombies "$agent"
    wait_until grep -Eq "^foster: warning: perl\[[0-9]+\] neglects 4 zombies, oldest ([5-9][0-9]{2}ms|1s): sudo x4; only perl can reap them$" "$ERR"
    wait_until has_no_zombies "$agent"
    wait_until has_reaped_through perl 4
    wait_until grep -Eq '^foster: perl\[[0-9]+\] neglects no zombie any more$' "$ERR"
    expect is_asleep "$agent"
    kill "$INIT"
    finish
    expect_status 143
  done
}

# bats test_tags=exact
@test "the same as a user with a NOPASSWD rule, and by a root without CAP_SYS_PTRACE" {
  requires_root
  local dir rule=$BATS_TEST_TMPDIR/sudoers
  dir=$(mktemp -d /tmp/foster.XXXXXX)
  chmod 755 "$dir"
  cp "$FOSTER" "$dir/foster"
  echo 'nobody ALL=(ALL) NOPASSWD: ALL' >"$rule"
  for mode in "${MODES[@]}"; do
    for rights in "--reuid=nobody --regid=nogroup --clear-groups $dir/foster" \
      "--bounding-set=-sys_ptrace --inh-caps=-sys_ptrace $dir/foster --user=nobody"; do
      # shellcheck disable=SC2016,SC2086 # for the shell inside; several words
      start_in "$mode" unshare --mount sh -c 'chmod 440 "$0" && mount --bind "$0" /etc/sudoers && exec setpriv "$@"' "$rule" $rights \
        -v --zombies=reap --zombie-age=500ms -- perl -e "$AGENT"
      wait_ready
      local agent
      agent=$(neglecter perl)
      wait_until has_reaped_through perl 4
      wait_until has_no_zombies "$agent"
      kill "$INIT"
      finish
      expect_status 143
    done
  done
  rm -r "$dir"
}

@test "an agent that runs sudo again and again, as root and as a user: reported on, nudged, or freed of them" {
  requires_root
  local dir rule=$BATS_TEST_TMPDIR/sudoers user what running=() pid
  dir=$(mktemp -d /tmp/foster.XXXXXX)
  chmod 755 "$dir"
  cp "$FOSTER" "$WORKLOADS/ticker" "$dir"
  printf '%s ALL=(ALL) NOPASSWD: ALL\n' root nobody >"$rule"
  chmod 440 "$rule"
  for user in root nobody; do
    for what in report nudge reap; do
      # shellcheck disable=SC2016 # for the shell inside
      run_in subreaper unshare --mount sh -c 'mount --bind "$0" /etc/sudoers && exec setpriv "$@"' "$rule" \
        --reuid="$user" --clear-groups "$dir/foster" --zombies="$what" --zombie-age=300ms -- "$dir/ticker" sudo -n true \
        >"$dir/$user.$what" 2>"$dir/$user.$what.err" 3>&- &
      running+=($!)
    done
  done
  for pid in "${running[@]}"; do
    wait "$pid"
  done
  for user in root nobody; do
    expect grep -Eq '^foster: warning: ticker\[[0-9]+\] neglects 8 zombies, oldest .*: sudo x8; only ticker can reap them$' "$dir/$user.report.err"
    expect grep -Exq '0 nudges, 8 left' "$dir/$user.report"
    expect grep -Exq '[1-8] nudges, 8 left' "$dir/$user.nudge"
    expect grep -Exq '[1-8] nudges, 0 left' "$dir/$user.reap"
    expect [ -z "$(grep cannot "$dir/$user".*.err)" ]
  done
  rm -r "$dir"
}

@test "report names the zombies once, again only when there are more, and touches nobody" {
  for mode in "${MODES[@]}"; do
    # shellcheck disable=SC2016 # perl's own variables
    start_in "$mode" "$FOSTER" --zombies=report --zombie-age=100ms -- perl -e '
      $SIG{CHLD} = sub { print "CHLD\n" if $told; };
      $| = 1;
      for (1 .. 2) { if (fork == 0) { exec "true" } }
      sleep 1 for 1 .. 2;
      $told = 1; print "READY\n";
      $SIG{USR1} = sub { $told = 0; if (fork == 0) { exec "false" } };
      $SIG{USR2} = sub { wait };
      sleep 1 while 1'
    wait_ready
    wait_until grep -q 'neglects 2 zombies' "$ERR"
    local before told
    told=$(wc -l <"$ERR") # one line, or two where a scan came between the ends of both
    before=$(voluntary_switches_of "$INIT")
    wait_until has_slept_again "$INIT" "$before" 5 # scans
    expect [ "$(wc -l <"$ERR")" = "$told" ]
    kill -USR1 "$INIT"
    wait_until grep -Eq 'neglects 3 zombies, oldest .*: (true x2, false x1|false x1, true x2); only perl can reap them$' "$ERR"
    for signal in USR2 USR1; do # one less, and as many again
      kill -"$signal" "$INIT"
      before=$(voluntary_switches_of "$INIT")
      wait_until has_slept_again "$INIT" "$before" 8
    done
    expect [ "$(pgrep -c -P "$(neglecter perl)" -r Z)" = 3 ]
    expect [ "$(wc -l <"$ERR")" = $((told + 1)) ]
    expect [ "$(cat "$OUT")" = READY ]
    kill "$INIT"
    finish
    expect_status 143
  done
}

@test "zombies whose pids lie between those of other parents': each parent is reported with its own, and all are reaped" {
  # Twenty parents that fork by turns, three times each.
  # shellcheck disable=SC2016 # perl's own variables
  start_in pid1 "$FOSTER" -v --zombies=report --zombie-age=100ms -- perl -e '
    use POSIX; pipe my $answers, my $answer; my @turns;
    for (1 .. 20) {
      pipe my $turn, my $give;
      if (fork == 0) {
        close $_ for @turns, $give;
        while (sysread $turn, my $byte, 1) { fork or _exit(0); syswrite $answer, "x" }
        _exit(0);
      }
      push @turns, $give;
    }
    for (1 .. 3) { for (@turns) { syswrite $_, "x"; sysread $answers, my $byte, 1 } }
    $| = 1; print "READY\n"; sleep 1 while 1'
  wait_ready
  wait_until eval '[[ $(grep -c "neglects 3 zombies, oldest .*: perl x3;" "$ERR") == 20 ]]'
  expect [ "$(grep -o 'perl\[[0-9]*\] neglects 3' "$ERR" | sort -u | wc -l)" = 20 ]
  run -0 "${ENTER[@]}" --target "$INIT" "$FOSTER" --reap-zombies --zombie-age=100ms
  expect [ "$(grep -c 'reaped 3 zombies through perl' <<<"$output")" = 20 ]
  wait_until eval '[[ $(grep -c "neglects no zombie any more" "$ERR") == 20 ]]'
  kill -KILL "$INIT"
  finish
}

@test "as many new zombies in place of those that the parent has waited for are not reported again" {
  # shellcheck disable=SC2016 # perl's own variables
  start_in subreaper "$FOSTER" -v --zombies=report --zombie-age=100ms -- perl -e '
    use POSIX; my @old;
    sub begin { my @new; for (1 .. 2) { my $pid = fork; $pid or _exit(0); push @new, $pid } @new }
    $SIG{USR1} = sub {
      my @new = begin;
      for (@new) { until (`cat /proc/$_/stat` =~ /\) Z/) { } }
      waitpid $_, 0 for @old;
      @old = @new; print "again\n" };
    @old = begin; $| = 1; print "READY\n"; sleep 1 while 1'
  wait_ready
  wait_until grep -q 'neglects 2 zombies' "$ERR"
  local before told
  told=$(grep -c neglects "$ERR") # one line, or two where a scan came between the ends of both
  for round in 1 2; do
    kill -USR1 "$INIT"
    wait_until eval "[[ \$(grep -c again '$OUT') == $round ]]"
    before=$(voluntary_switches_of "$INIT")
    wait_until has_slept_again "$INIT" "$before" 8 # scans
  done
  expect [ "$(grep -c neglects "$ERR")" = "$told" ]
  kill "$INIT"
  finish
  expect_status 143
}

@test "a report names eight kinds of zombies, and says that there are others" {
  # shellcheck disable=SC2016 # perl's own variables
  start_in subreaper "$FOSTER" --zombies=report --zombie-age=100ms -- perl -e '
    use POSIX; for my $name (1 .. 10, 8, 1) { if (fork == 0) { $0 = "name$name"; _exit(0) } }
    $| = 1; print "READY\n"; sleep 1 while 1'
  wait_ready
  wait_until grep -q 'perl\[[0-9]*\] neglects 12 zombies, oldest ' "$ERR"
  expect_in ': name1 x2, name2 x1, name3 x1, name4 x1, name5 x1, name6 x1, name7 x1, name8 x2 and others; only perl can reap' "$(tail -n 1 "$ERR")"
  kill "$INIT"
  finish
  expect_status 143
}

@test "nudge sends the parent SIGCHLD once: one that has missed it waits then" {
  for mode in "${MODES[@]}"; do
    # shellcheck disable=SC2016 # perl's own variables
    start_in "$mode" "$FOSTER" --zombies=nudge --zombie-age=500ms -- perl -e '
      use POSIX ":sys_wait_h";
      for (1 .. 3) { if (fork == 0) { exec "true" } }
      select undef, undef, undef, 0.1;
      $| = 1; $SIG{CHLD} = sub { print "CHLD\n"; 1 while waitpid(-1, WNOHANG) > 0 };
      print "READY\n"; sleep 1 while 1'
    wait_ready
    wait_until has_no_zombies "$(neglecter perl)"
    expect [ "$(grep -c CHLD "$OUT")" = 1 ]
    kill "$INIT"
    finish
    expect_status 143
  done
}

@test "one that has missed SIGCHLD is not made to wait before it was nudged" {
  # Foster is stopped when it has seen the zombies, until they are older than it takes to be reaped.
  # shellcheck disable=SC2016 # perl's own variables
  start_in subreaper "$FOSTER" -v --zombies=reap --zombie-age=1s -- perl -e '
    use POSIX ":sys_wait_h";
    for (1 .. 3) { if (fork == 0) { exec "true" } }
    select undef, undef, undef, 0.1;
    my $count = 0; $SIG{CHLD} = sub { select undef, undef, undef, 0.1; $count++ while waitpid(-1, WNOHANG) > 0; print "waited for $count\n" };
    $| = 1; print "READY\n"; sleep 1 while 1'
  wait_ready
  wait_until has_slept_again "$INIT" "$(voluntary_switches_of "$INIT")" 1
  kill -STOP "$INIT"
  wait_until is_past $(($(now) + 2500))
  kill -CONT "$INIT"
  wait_until grep -qx 'waited for 3' "$OUT"
  run ! grep 'reaped .* through' "$ERR"
  kill "$INIT"
  finish
  expect_status 143
}

@test "zombies of processes that do not run under foster are none of its business" {
  "$WORKLOADS/neglect" 2 nanosleep 60 >"$BATS_TEST_TMPDIR/outside" 3>&- &
  local outside=$! before
  wait_until grep -q READY "$BATS_TEST_TMPDIR/outside"
  start_in subreaper "$FOSTER" -v --zombies=reap --zombie-age=100ms -- "$WORKLOADS/neglect" 2 nanosleep 60
  wait_until has_reaped_through neglect 2
  before=$(voluntary_switches_of "$INIT")
  wait_until has_slept_again "$INIT" "$before" 5 # scans
  run ! grep -F "[$outside]" "$ERR"
  expect has_zombies "$outside"
  kill "$INIT" "$outside"
  finish
  expect_status 143
}

# bats test_tags=exact
@test "a root that has borrowed the ids of a parent is still told of the death of its own" {
  requires_root
  local dir log=$BATS_TEST_TMPDIR/log
  dir=$(mktemp -d /tmp/foster.XXXXXX)
  chmod 755 "$dir"
  cp "$FOSTER" "$WORKLOADS/neglect" "$dir"
  # shellcheck disable=SC2016 # for the shell inside
  sh -c ': >"$1"; setpriv --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace "$0/foster" -v -p USR1 --user=nobody --zombies=reap --zombie-age=100ms -- \
    "$0/neglect" 2 nanosleep 20 2>"$1" & until grep -q reaped "$1"; do sleep 0.05; done' "$dir" "$log" 3>&-
  wait_until grep -q 'forwarded SIGUSR1 to neglect' "$log"
  rm -r "$dir"
}

@test "a parent that burns CPU is not interrupted in its own code, and that is told" {
  run -0 "$FOSTER" --zombies=reap --zombie-age=100ms -- "$WORKLOADS/neglect" 2 burn
  expect_in 'in time, 2 left' "$output"
  expect_lines 1 'cannot reap the zombies of neglect\[[0-9]+\]: it is busy: no thread of it waits in a system call$' "$output"
}

# bats test_tags=alone
@test "1,000 zombies of one parent are reaped, sixteen by a remote wait" {
  start_in subreaper "$FOSTER" -v --zombies=reap --zombie-age=200ms -- "$WORKLOADS/neglect" 1000 nanosleep 60
  wait_ready
  wait_until grep -q 'neglects no zombie any more' "$ERR"
  expect has_no_zombies "$(neglecter neglect)"
  grep -q 'reaped 16 zombies through' "$ERR"
  has_reaped_through neglect 1000
  kill "$INIT"
  finish
  expect_status 143
}

# bats test_tags=exact
@test "a thread that ends before it can be traced is no obstacle, one that ends meanwhile is no orphan" {
  for mode in "${MODES[@]}"; do
    run -0 run_in "$mode" "$FOSTER" -w --zombies=reap --zombie-age=100ms -- "$WORKLOADS/neglect" 300 brief
    expect_in 'in time, 0 left' "$output"
    expect [ -z "$(grep -e cannot -e orphan <<<"$output")" ]
  done
}

@test "a parent that waits late, but before the age, gets every status" {
  # Two looks fall into the three seconds that it sleeps.
  run -0 "$FOSTER" --zombies=reap --zombie-age=2400ms -- "$WORKLOADS/neglect" 20 nanosleep
  expect [ "$output" = $'READY\n0 errno 0 in time, 20 left' ]
}

@test "a refused ptrace is one warning with the remedy, and the workload goes on" {
  for error in EPERM ENOSYS; do
    run -0 "$WORKLOADS/deny" ptrace=$error -- "$FOSTER" --zombies=reap --zombie-age=100ms -- "$WORKLOADS/neglect" 2 nanosleep
    expect_in 'in time, 2 left' "$output"
    expect_lines 1 'cannot reap the zombies of neglect\[[0-9]+\]: it may not be traced: .*; .*seccomp filter$' "$output"
    expect [ "${#lines[@]}" = 4 ]
  done
}

@test "a parent of another user says which uids and which right are missing" {
  requires_root
  local dir
  dir=$(mktemp -d /tmp/foster.XXXXXX)
  chmod 755 "$dir"
  cp "$FOSTER" "$dir/foster"
  cp "$WORKLOADS/neglect" "$dir"
  chmod u+s "$dir/neglect"
  run -0 setpriv --reuid=12345 --regid=12345 --clear-groups "$dir/foster" --zombies=reap --zombie-age=100ms -- "$dir/neglect" 2 nanosleep
  expect_in 'in time, 2 left' "$output"
  expect_in 'it may not be traced: Operation not permitted' "$output"
  expect_in '; give foster CAP_SYS_PTRACE' "$output"
  rm -r "$dir"
}

@test "a parent that sudo has started: told are the users, where Yama is not the reason, and the right to trace it, or to signal it" {
  requires_root
  local dir rule=$BATS_TEST_TMPDIR/sudoers what
  local -A obstacles=([nudge]='SIGCHLD may not be sent to it; give foster CAP_KILL' [reap]="it may not be traced: Operation not permitted \
(foster runs as uid $(id -u nobody), the process as uid 0); give foster CAP_SYS_PTRACE")
  dir=$(mktemp -d /tmp/foster.XXXXXX)
  chmod 755 "$dir"
  cp "$FOSTER" "$dir/foster"
  cp "$WORKLOADS/neglect" "$dir"
  echo 'nobody ALL=(ALL) NOPASSWD: ALL' >"$rule"
  chmod 440 "$rule"
  for what in reap nudge; do
    # shellcheck disable=SC2016 # for the shell inside
    run -0 unshare --mount sh -c 'mount --bind "$0" /etc/sudoers && mount -t tmpfs none /proc/sys/kernel && mkdir /proc/sys/kernel/yama &&
      echo 1 >/proc/sys/kernel/yama/ptrace_scope && exec setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"' "$rule" \
      "$dir/foster" --zombies=$what --zombie-age=100ms -- sudo -n "$dir/neglect" 2 nanosleep
    expect_in 'in time, 2 left' "$output"
    expect [ "$(grep -o 'cannot reap .*' <<<"$output" | sed 's/[0-9]*\]/N]/')" = "cannot reap the zombies of neglect[N]: ${obstacles[$what]}" ]
  done
  rm -r "$dir"
}

@test "a parent under a seccomp filter of its own is left alone" {
  run -0 "$FOSTER" --zombies=reap --zombie-age=100ms -- "$WORKLOADS/deny" chdir=EPERM -- "$WORKLOADS/neglect" 2 nanosleep
  expect_in 'in time, 2 left' "$output"
  expect_in 'it is under a seccomp filter that foster is not, which might kill it; --reap-zombies=PID risks it' "$output"
}

@test "a parent that is being traced is left alone, and its tracer named" {
  start_in subreaper "$FOSTER" --zombies=reap --zombie-age=300ms -- "$WORKLOADS/neglect" 2 nanosleep
  wait_ready
  trace_process "$(neglecter neglect)"
  finish
  expect_status 0
  expect_in 'in time, 2 left' "$(cat "$OUT")"
  expect_lines 1 ': it may not be traced: Operation not permitted \(strace\[[0-9]+\] traces it\)$' "$(<"$ERR")"
}

@test "a parent that is stopped is left alone until it is continued, which is told once" {
  start_in subreaper "$FOSTER" --zombies=reap --zombie-age=100ms -- "$WORKLOADS/neglect" 2 nanosleep 60
  wait_ready
  local parent
  parent=$(neglecter neglect)
  kill -STOP "$parent"
  wait_until grep -q "cannot reap the zombies of neglect\[$parent\]: it is stopped\$" "$ERR"
  expect is_stopped "$parent"
  expect has_zombies "$parent"
  kill -CONT "$parent"
  wait_until has_no_zombies "$parent"
  expect [ "$(grep -c cannot "$ERR")" = 1 ]
  kill "$INIT"
  finish
  expect_status 143
}

@test "a zombie that is being traced by another is left alone, which is told once; one beside it is reaped" {
  requires_x86_64
  # shellcheck disable=SC2016 # perl's own variables
  start_in subreaper "$FOSTER" --zombies=reap --zombie-age=100ms -- perl -e '
    for (1 .. 2) { if (fork == 0) { exec "sleep", "1000" } } $| = 1; print "READY\n"; sleep 1 while 1'
  wait_ready
  local parent tracer children
  parent=$(neglecter perl)
  wait_until eval '[[ $(pgrep -c -P "$parent" -x sleep) == 2 ]]'
  mapfile -t children < <(child_of "$parent")
  # ptrace(PTRACE_SEIZE, pid, 0, 0), and no wait.
  # shellcheck disable=SC2016
  perl -e 'syscall(101, 0x4206, $ARGV[0] + 0, 0, 0) == 0 or die; sleep 1000' "${children[0]}" 3>&- &
  tracer=$!
  wait_until grep -qx $'TracerPid:\t'"$tracer" "/proc/${children[0]}/status"
  kill -KILL "${children[@]}"
  wait_until is_gone "${children[1]}"
  wait_until grep -q "cannot reap the zombies of perl\[$parent\]: one is being traced\$" "$ERR"
  expect is_zombie "${children[0]}"
  kill -KILL "$tracer"
  wait_until is_gone "${children[0]}"
  expect [ "$(grep -c cannot "$ERR")" = 1 ]
  kill "$INIT"
  finish
  expect_status 143
}

@test "a zombie whose other threads live is left alone, which is told once; those beside it are reaped" {
  start_in subreaper "$FOSTER" -v --zombies=reap --zombie-age=100ms -- "$WORKLOADS/neglect" 2 leader
  wait_ready
  finish
  expect_status 0
  expect_in 'in time, 0 left' "$(cat "$OUT")"
  expect_lines 1 'cannot reap the zombies of neglect.*: threads of one live on$' "$(<"$ERR")"
}

@test "a parent in a frozen cgroup is let go as it was, which is told, and goes on when it thaws" {
  requires_root
  local root=/sys/fs/cgroup
  [[ ! -d $root/unified ]] || root+=/unified
  start_in subreaper "$WORKLOADS/neglect" 2 nanosleep 8
  wait_ready
  CGROUP=$root/foster.$BATS_SUITE_TEST_NUMBER.$$
  mkdir "$CGROUP"
  [[ -e $CGROUP/cgroup.freeze ]] || skip 'requires the freezer of cgroups of version 2'
  echo "$INIT" >"$CGROUP/cgroup.procs"
  echo 1 >"$CGROUP/cgroup.freeze"
  wait_until grep -qx 'frozen 1' "$CGROUP/cgroup.events"
  run -1 "$FOSTER" --reap-zombies="$INIT" --zombie-age=100ms
  expect_in "cannot reap the zombies of neglect[$INIT]: its thread does not run: its cgroup may be frozen" "$output"
  echo 0 >"$CGROUP/cgroup.freeze"
  finish
  expect_status 0
  expect_in '0 errno 0 in time, 2 left' "$(cat "$OUT")"
}

@test "a parent whose first thread has ended waits by another one" {
  start_in subreaper "$WORKLOADS/neglect" 2 headless
  wait_ready
  wait_until is_zombie "$INIT"
  expect_in "foster --reap-zombies=$INIT" "$("$FOSTER" --list-zombies)"
  expect [ "$("$FOSTER" --list-zombies --log=json | jq "select(.parent == $INIT) | .parent_alive and .obstacle == null" | sort -u)" = true ]
  run -0 "$FOSTER" --reap-zombies="$INIT" --zombie-age=100ms
  expect_in "foster: reaped 2 zombies through neglect[$INIT]" "$output"
  wait_until grep -qx '0 errno 0 in time, 0 left' "$OUT"
}

@test "a 32-bit parent is refused, not broken" {
  requires_x86_64
  gcc -m32 -nostdlib -static -no-pie -o "$BATS_TEST_TMPDIR/parent" "$SOURCES/parent-32.S"
  timeout 0.1 "$BATS_TEST_TMPDIR/parent" || [[ $? == 124 ]] || skip 'requires a kernel that runs 32-bit programs'
  start_in subreaper "$FOSTER" --zombies=reap --zombie-age=100ms -- "$BATS_TEST_TMPDIR/parent"
  wait_until grep -q 'cannot reap the zombies of parent\[[0-9]*\]: it is a 32-bit process, or has no vdso$' "$ERR"
  expect is_asleep "$(neglecter parent)"
  kill "$INIT"
  finish
  expect_status 143
}

@test "without a /proc of its own PID namespace foster says so once, and runs" {
  requires_root
  run -7 timeout 20 unshare --pid --fork --kill-child "$FOSTER" --zombies=reap sh -c 'exit 7'
  [[ $output == 'foster: warning: cannot look for neglected zombies: the /proc that is mounted belongs to another PID namespace' ]]
}

@test "--list-zombies lists them, their parents and what can be done, as a table and as JSON" {
  start_in pid1 perl -e "$AGENT"
  wait_ready
  wait_until has_four_zombies "$INIT"
  run -0 "${ENTER[@]}" --target "$INIT" "$FOSTER" --list-zombies
  [[ ${lines[0]} =~ ^PID\ +NAME\ +STARTED\ +PARENT\ +REMEDY$ ]]
  [[ ${lines[4]} =~ ^[0-9]+\ +sudo\ +[0-9]+m?s\ ago\ +perl\[1\]\ +foster\ --reap-zombies=1$ ]]
  expect [ "${#lines[@]}" = 5 ]
  run -0 "${ENTER[@]}" --target "$INIT" "$FOSTER" --list-zombies --log=json
  [[ ${lines[3]} =~ ^\{\"pid\":[0-9]+,\"name\":\"sudo\",\"started_ms_ago\":[0-9]+,\"parent\":1,\"parent_name\":\"perl\",\"parent_alive\":true,\"obstacle\":null\}$ ]]
  expect [ "${#lines[@]}" = 4 ]
  kill -KILL "$INIT"
  finish
}

@test "a zombie whose parent is outside the PID namespace is listed, and not said to be reaped" {
  requires_root
  start_in pid1 sleep 1000
  nsenter --target "$INIT" --pid sleep 1001 3>&- &
  local outside=$! inside
  wait_until child_of "$outside" sleep
  inside=$(child_of "$outside")
  kill -STOP "$outside"
  wait_until is_stopped "$outside"
  kill -KILL "$inside"
  wait_until is_zombie "$inside"
  local list
  list=$("${ENTER[@]}" --target "$INIT" "$FOSTER" --list-zombies)
  run "${ENTER[@]}" --target "$INIT" "$FOSTER" --reap-zombies --zombie-age=100ms
  kill -CONT "$outside" # the namespace would not end
  expect_status 1
  expect_in 'cannot reap the zombies of ?[0]: it is outside this PID namespace' "$output"
  expect_in 'none: it is outside this PID namespace' "$list"
  kill -KILL "$INIT"
  finish
}

@test "--reap-zombies reaps those of a running parent, and ends with 0, or with 1 when some are left" {
  start_in pid1 sh -c 'perl -e "$0" & wait' "$AGENT"
  wait_ready
  local agent
  agent=$(child_of "$INIT" perl)
  wait_until has_four_zombies "$agent"
  local number
  number=$(sed -n 's/^NSpid:.*\t//p' "/proc/$agent/status")
  run -0 "${ENTER[@]}" --target "$INIT" "$FOSTER" --reap-zombies=1 --zombie-age=100ms
  expect has_four_zombies "$agent"
  run -1 "$WORKLOADS/deny" ptrace=EPERM -- "${ENTER[@]}" --target "$INIT" "$FOSTER" --reap-zombies="$number" --zombie-age=100ms
  expect_in 'it may not be traced' "$output"
  expect has_four_zombies "$agent"
  run -0 "${ENTER[@]}" --target "$INIT" "$FOSTER" --reap-zombies --zombie-age=100ms
  expect_in "foster: reaped 4 zombies through perl[$number]" "$output"
  expect has_no_zombies "$agent"
  kill -KILL "$INIT"
  finish
}

@test "--reap-zombies gives up parents that burn CPU, of many zombies each, and says so of each" {
  # shellcheck disable=SC2016 # for the shell inside
  start_in pid1 sh -c '"$WORKLOADS/neglect" 40 burn 30 & "$WORKLOADS/neglect" 40 burn 30 & wait'
  wait_until eval '[[ $(grep -c READY "$OUT") == 2 ]]'
  run timeout --signal=KILL 15 "${ENTER[@]}" --target "$INIT" "$FOSTER" --reap-zombies --zombie-age=100ms
  expect_status 1
  expect [ "$(grep -c ': it is busy: no thread of it waits in a system call$' <<<"$output")" = 2 ]
  kill -KILL "$INIT"
  finish
}

@test "a parent whose system calls are caught, by a filter or by itself, gets no SIGSYS for those of foster" {
  # shellcheck disable=SC2016 # perl's own variables
  local parent='
    $SIG{SYS} = sub { syswrite STDOUT, "SYS\n" };
    for (1 .. 3) { if (fork == 0) { exec "true" } }
    $0 = "caught"; $| = 1; eval shift; print "READY\n";
    sleep 3 while 1'
  # All calls from the vdso and above it: prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, offset, size,
  # selector).
  # shellcheck disable=SC2016
  local dispatch='open M, "/proc/self/maps"; my ($vdso) = map { /^(\w+)-.*\[vdso\]/ } <M>;
    syscall(157, 59, 1, 0, hex $vdso, 0) == 0 or die'
  requires_x86_64
  local caught=()
  for kind in sandbox dispatch; do
    [[ $kind == dispatch ]] || caught=("$WORKLOADS/deny" wait4=SIGSYS --)
    start_in subreaper "${caught[@]}" perl -e "$parent" "$([[ $kind == sandbox ]] || echo "$dispatch")"
    caught=()
    wait_ready
    wait_until has_zombies "$INIT"
    run -1 "$FOSTER" --reap-zombies="$INIT" --zombie-age=100ms
    expect_in "cannot reap the zombies of caught[$INIT]: its system calls are caught, wait4 too" "$output"
    expect [ "$(grep -c -e cannot -e reaped <<<"$output")" = 1 ] # none is said to be reaped
    expect is_asleep "$INIT"
    expect [ "$(cat "$OUT")" = READY ]
    kill -KILL "$INIT"
    finish
  done
}

# bats test_tags=alone
@test "--reap-zombies reaps more zombies than foster can remember" {
  start_in subreaper "$WORKLOADS/neglect" 5000 nanosleep 60
  wait_ready
  run -0 "$FOSTER" --reap-zombies="$INIT" --zombie-age=100ms
  expect has_no_zombies "$INIT"
}

@test "--reap-zombies reaches into a PID namespace from outside" {
  requires_root
  start_agent pid1
  wait_until has_four_zombies "$INIT"
  run -0 "$FOSTER" --reap-zombies="$INIT" --zombie-age=100ms
  expect_in "foster: reaped 4 zombies through perl[$INIT]" "$output"
  expect has_no_zombies "$INIT"
  kill -KILL "$INIT"
  finish
}

@test "--reap-zombies can be interrupted while it waits" {
  start_in subreaper "$WORKLOADS/neglect" 1 nanosleep 60
  wait_ready
  run -124 timeout --signal=INT --kill-after=10 1 "$FOSTER" --reap-zombies="$INIT" --zombie-age=20s
}

@test "bad words for the options of zombies are named" {
  for words in --zombies=bury --zombie-age=10h --zombie-age=0 --reap-zombies=me --reap-zombies=0 --log=xml; do
    run -125 "$FOSTER" "$words" true
    expect_in "bad value '${words#*=}' for option '${words%%=*}': " "${lines[0]}"
  done
  run -125 "$FOSTER" --list-zombies true
  expect [ "${lines[0]}" = "foster: error: '--list-zombies' runs no command: 'true'" ]
  run -125 "$FOSTER" --reap-zombies=4194303
  expect [ "$output" = 'foster: error: no such process: 4194303' ]
}

# bats test_tags=exact
@test "a parent that the kernel does not come to trace, for an execve of it never ends, holds up neither signals nor orphans nor the end" {
  requires_root
  [[ -c /dev/fuse ]] || skip 'requires FUSE'
  local dir=$BATS_TEST_TMPDIR/stuck
  mkdir "$dir"
  for mode in "${MODES[@]}"; do
    # A second parent, which is made to wait all the same.
    # shellcheck disable=SC2016 # for the shell inside
    start_in "$mode" "$FOSTER" -v --zombies=reap --zombie-age=100ms -- sh -c '
      ("$WORKLOADS/neglect" 3 pause 1000 </dev/null >/dev/null 2>&1 &); exec "$WORKLOADS/stuck-exec" "$0" 3' "$dir"
    wait_ready
    wait_until grep -q 'cannot reap the zombies of stuck-exec.*: the kernel does not come to trace it' "$ERR"
    wait_until grep -q 'reaped 3 zombies through neglect' "$ERR"
    for round in 1 2 3; do
      local before
      before=$(now)
      kill -HUP "$INIT"
      wait_until eval "[[ \$(grep -cx 'got 1' '$OUT') = $round ]]"
      expect [ $(($(now) - before)) -lt 1000 ]
    done
    expect [ "$(grep -c 'does not come to trace it' "$ERR")" = 1 ]
    # An orphan of foster's.
    kill -ALRM "$(child_of "$INIT" neglect)"
    wait_until grep -q 'reaped orphan neglect' "$ERR"
    kill -TERM "$INIT"
    finish
    expect_status 7
  done
}

# bats test_tags=exact
@test "a workload cannot signal a foster that traces it as its user" {
  requires_root
  # A process of its sends SIGKILL and SIGSTOP to each process and thread that foster has, without end.
  # shellcheck disable=SC2016 # perl's own variables
  local script='
    my $foster = getppid;
    for (1 .. 640) { fork or exit 3 }
    if (fork == 0) {
      my $round = 0; my @tasks;
      while (getppid != 1) {
        @tasks = map { m{(\d+)$} } glob "/proc/$foster/task/*" if $round++ % 8 == 0;
        if ($round % 64 == 0 && open my $list, "<", "/proc/$foster/task/$foster/children") { push @tasks, grep { $_ != getppid } split " ", <$list> }
        for my $task ($foster, @tasks) { kill KILL => $task; kill STOP => $task }
      }
      exit;
    }
    $| = 1; print "READY\n"; sleep 1 while 1'
  for mode in "${MODES[@]}"; do
    start_in "$mode" setpriv --bounding-set=-sys_ptrace "$FOSTER" -v --zombies=reap --zombie-age=50ms --user=65534 -- perl -e "$script"
    wait_ready
    # Elsewhere than as PID 1 it can end the helper that traces its own parent, which is its own harm: foster lives to
    # tell of it.
    local end=$((SECONDS + 4))
    until ((SECONDS > end)) || has_ended "$INIT"; do
      expect [ "$(state_of "$INIT")" != T ]
    done
    if has_ended "$INIT"; then
      expect [ "$mode" = subreaper ]
      wait_until grep -q '^foster: child perl' "$ERR"
    else
      grep -q '^Uid:	0	0	0	0$' "/proc/$INIT/status"
      kill -USR1 "$INIT"
    fi
    finish
    grep -q '^foster: child perl' "$ERR"
  done
}

# bats test_tags=alone
@test "scans do not starve signals: they take 2 % of the time, however many processes there are" {
  requires_static # one with the C library of this machine costs a scan far less
  # shellcheck disable=SC2016 # for the shell inside
  start_in subreaper "$FOSTER" --zombies=report --zombie-age=20ms -- bash -c '
    for _ in {1..600}; do "$FOSTER" --pause --parent-death=TERM & done; exec "$WORKLOADS/record-signals" 40'
  wait_ready
  wait_until eval '[[ $(pgrep -c -P "$(child_of "$INIT")" -x "${FOSTER##*/}") -ge 600 ]]'
  local before used
  before=$(cut -d' ' -f1 "/proc/$INIT/schedstat")
  local start
  start=$(now)
  for count in {1..30}; do
    local sent
    sent=$(now)
    kill -HUP "$INIT"
    wait_until eval "[[ \$(grep -cx 1 '$OUT') = $count ]]"
    expect [ $(($(now) - sent)) -lt 1000 ]
  done
  used=$((($(cut -d' ' -f1 "/proc/$INIT/schedstat") - before) / 1000000))
  echo "$used ms of CPU in $(($(now) - start)) ms"
  expect [ $((used * 10)) -lt $(($(now) - start)) ]
  local child
  child=$(child_of "$INIT")
  local left
  left=$(pgrep -P "$child")
  # shellcheck disable=SC2086 # several words
  kill -KILL "$child" $left
  finish
  expect_status 137
}

@test "a helper that begins late is waited for" {
  requires_root
  local dir
  dir=$(mktemp -d /tmp/foster.XXXXXX)
  chmod 755 "$dir"
  cp "$FOSTER" "$dir/foster"
  cp "$WORKLOADS/neglect" "$dir"
  # Not as PID 1, which needs no helper, and with a /proc that a traced foster can scan.
  # shellcheck disable=SC2016 # for the shell inside
  start_in pid1 sh -c 'setpriv --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace "$0/foster" -v --user=nobody --zombies=reap \
    --zombie-age=500ms -- "$0/neglect" 4 nanosleep; exit $?' "$dir"
  wait_ready
  # Its first call is prctl, to die with foster; by ptrace it makes the parent wait.
  trace_process "$(child_of "$INIT" foster)" -f -e trace=prctl,ptrace -e inject=prctl:delay_enter=50ms -e inject=ptrace:delay_enter=5ms
  finish
  end_trace
  expect_status 0
  expect grep -q 'PR_SET_PDEATHSIG' "$TRACE"
  expect_lines 1 'reaped 4 zombies through neglect\[[0-9]+\], stopped for [0-9]+us$' "$(cat "$ERR")"
  rm -r "$dir"
}
