# What every test file loads. FOSTER is the binary under test, WORKLOADS the directory of the workloads.
bats_require_minimum_version 1.5.0

BUILD=$(realpath "${BASH_SOURCE%/*}/../build")
FOSTER=$(realpath "${FOSTER:-$BUILD/foster}")
WORKLOADS=$BUILD/workloads
# Of workloads that are scripts.
# shellcheck disable=SC2034 # some tests use it
SOURCES=$(realpath "${BASH_SOURCE%/*}/workloads")
export FOSTER WORKLOADS
# With which script(1) starts its command, whoever calls the tests.
export SHELL=/bin/sh
# For a sanitized foster: its handlers would hide dispositions, and its search for leaks (foster has no heap) needs
# ptrace.
export ASAN_OPTIONS=detect_leaks=0:handle_segv=0:handle_sigbus=0:handle_sigfpe=0

# As PID 1 of a PID namespace, and as a subreaper outside one.
# shellcheck disable=SC2034 # the tests loop over it
MODES=(pid1 subreaper)
NAMESPACE=(unshare --pid --fork --mount-proc --kill-child)
# Into the namespaces of a process that was started as PID 1, --target.
ENTER=(nsenter --pid --mount)
if [[ $(id -u) != 0 ]]; then
  NAMESPACE+=(--user --map-root-user)
  # shellcheck disable=SC2034 # some tests use it
  ENTER+=(--user --preserve-credentials)
fi

requires_root() {
  [[ $(id -u) == 0 ]] || skip 'requires root'
}

is_static() {
  ! readelf -lW "$FOSTER" | grep -q INTERP
}

requires_static() {
  is_static || skip 'requires a static foster'
}

# Runs a command in a mode, within 60 s.
run_in() {
  local mode=$1
  shift
  if [[ $mode == pid1 ]]; then
    timeout --kill-after 5 60 "${NAMESPACE[@]}" -- "$@"
  else
    timeout --kill-after 5 60 "$@"
  fi
}

# Starts a command in a mode in the background. Its output goes to the files $OUT and $ERR; $INIT is its pid, as seen
# from here.
start_in() {
  local mode=$1
  shift
  OUT=$BATS_TEST_TMPDIR/out
  ERR=$BATS_TEST_TMPDIR/err
  : >"$OUT"
  : >"$ERR"
  if [[ $mode == pid1 ]]; then
    "${NAMESPACE[@]}" -- "$@" >"$OUT" 2>"$ERR" 3>&- &
    STARTED=$!
    wait_until eval 'pgrep -P "$STARTED" || has_ended "$STARTED"'
    INIT=$(pgrep -P "$STARTED") || INIT=$STARTED
  else
    "$@" >"$OUT" 2>"$ERR" 3>&- &
    STARTED=$!
    INIT=$STARTED
  fi
}

# Waits for the end of what start_in started and leaves its exit status in $status.
finish() {
  wait_until has_ended "$STARTED"
  status=0
  wait "$STARTED" || status=$?
  STARTED=
}

teardown() {
  local name
  if [[ -z ${BATS_TEST_COMPLETED:-} ]]; then
    # In which rounds of its loops the test has failed.
    for name in mode kind signal error call option options words; do
      [[ ! -v $name ]] || echo "$name: ${!name}"
    done
  fi
  if [[ -n ${CGROUP:-} ]]; then
    # What a failed test has left in it.
    [[ ! -e $CGROUP/freezer.state ]] || echo THAWED >"$CGROUP/freezer.state"
    [[ -n ${BATS_TEST_COMPLETED:-} ]] || xargs -r kill -KILL <"$CGROUP/cgroup.procs" || true
  fi
  if [[ -n ${STARTED:-} ]]; then
    kill -KILL "$INIT" 2>/dev/null || true
    wait "$STARTED" || true
  fi
  if [[ -n ${CGROUP:-} ]]; then
    wait_until rmdir "$CGROUP"
  fi
}

# Milliseconds since boot.
now() {
  awk '{ printf "%d", $1 * 1000 }' /proc/uptime
}

# Whether this time since boot, in milliseconds, is over.
is_past() {
  (($(now) > $1))
}

# Waits for a command to succeed, within 20 s.
wait_until() {
  local end=$((SECONDS + 20)) nap=0
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS > end)); then
      echo "waited in vain for: $*" >&2
      cat "${OUT:-/dev/null}" "${ERR:-/dev/null}" >&2
      return 1
    fi
    sleep 0.0$((nap += nap < 5))
  done
}

wait_ready() {
  wait_until grep -q READY "$OUT"
}

# Attaches strace, with these options, to a process. Leaves its pid in $TRACER, and what it traces in $TRACE. Ends with
# the process.
trace_process() {
  local process=$1
  shift
  TRACE=$BATS_TEST_TMPDIR/trace
  rm -f "$TRACE.errors"
  strace -o "$TRACE" "$@" -p "$process" 2>"$TRACE.errors" 3>&- &
  TRACER=$!
  wait_until grep -q attached "$TRACE.errors"
}

# Waits for the end of that strace, which has the exit status of what it has traced.
end_trace() {
  wait "$TRACER" || true
}

state_of() {
  sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null
}

voluntary_switches_of() {
  sed -n 's/^voluntary_ctxt_switches:\t//p' "/proc/$1/status"
}

# Nanoseconds of CPU that a process has used.
cpu_of() {
  cut -d' ' -f1 "/proc/$1/schedstat"
}

# Whether a process has slept this many times since voluntary_switches_of told the count.
has_slept_again() {
  (($(voluntary_switches_of "$1") >= $2 + $3))
}

is_zombie() {
  [[ $(state_of "$1") == Z ]]
}

is_gone() {
  [[ ! -e /proc/$1 ]]
}

has_ended() {
  is_gone "$1" || is_zombie "$1"
}

is_asleep() {
  [[ $(state_of "$1") == S ]]
}

is_stopped() {
  [[ $(state_of "$1") == T ]]
}

# The one child of a process, or the one whose name is given. A helper of foster's, which has its name, is none.
child_of() {
  local helper=
  if [[ $# -gt 1 ]]; then
    pgrep -P "$1" -x "$2"
    return
  fi
  [[ ! /proc/$1/exe -ef $FOSTER ]] || helper=$(cat "/proc/$1/comm")
  ps -o pid=,comm= --ppid "$1" | awk -v helper="$helper" '$2 != helper { print $1; found = 1 } END { exit !found }'
}

# What pgrep finds, but only processes that this test has started, whosever children they are: its directory is in their
# environment.
own() {
  local pid
  for pid in $(pgrep "$@"); do
    ! grep -qszx "BATS_TEST_TMPDIR=$BATS_TEST_TMPDIR" "/proc/$pid/environ" || echo "$pid"
  done
}

has_zombies() {
  pgrep -P "$1" -r Z
}

has_no_zombies() {
  ! has_zombies "$1"
}

expect_status() {
  if [[ $status != "$1" ]]; then
    echo "status $status, not $1; output: ${output:-}$(cat "${OUT:-/dev/null}" "${ERR:-/dev/null}")" >&2
    return 1
  fi
}

expect() {
  if ! "$@"; then
    echo "not so: $*" >&2
    return 1
  fi
}

# Whether the second text holds the first.
expect_in() {
  if [[ $2 != *"$1"* ]]; then
    printf 'not found: %s\nin: %s\n' "$1" "$2" >&2
    return 1
  fi
}

# Whether so many lines of the text match the extended regular expression.
expect_lines() {
  local found
  found=$(grep -Ec -- "$2" <<<"$3" || true)
  if ((found != $1)); then
    printf '%s lines in place of %s match %s, of:\n%s\n' "$found" "$1" "$2" "$3" >&2
    return 1
  fi
}

requires_x86_64() {
  [[ $(uname -m) == x86_64 ]] || skip 'requires x86_64'
}

# Makes a cgroup with a controller, of version 1 or 2, as root; $CGROUP is its directory until the test's end.
make_cgroup() {
  requires_root
  local root=/sys/fs/cgroup
  if [[ -d $root/$1 ]]; then
    root+=/$1
  else
    grep -qw "$1" "$root/cgroup.controllers" || skip "requires a cgroup with the controller '$1'"
    echo "+$1" >"$root/cgroup.subtree_control"
  fi
  CGROUP=$root/foster.$BATS_SUITE_TEST_NUMBER.$$
  mkdir "$CGROUP"
}
