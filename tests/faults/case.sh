#!/bin/bash
# case.sh SETTING:CALL:ERROR:WHEN: runs foster while one of its system calls fails. Prints the case and what comes of
# it: "refuses" to start, "goes on", "exception" (see exceptions.sh), "not reached" or "FAILED: " and all that is wrong.
# case.sh SETTING trace: prints foster's system calls, how often it makes each, and "refused" for those that --harden
# refuses.
set -euo pipefail
# In a PID namespace of its own: the /proc that foster scans is short, and no process is left behind.
if [[ $$ != 1 ]]; then
  exec unshare --pid --fork --mount-proc --kill-child -- "$0" "$@"
fi
here=${BASH_SOURCE%/*}
# shellcheck source=faults/exceptions.sh
. "$here/exceptions.sh"
programs=$(realpath "$here/../../build/faults")
scratch=$(mktemp -d)
limit=25 # s
trap 'rm -rf "$scratch"' EXIT

IFS=: read -r setting call error when <<<"${1/ trace/}"
kind=${setting%-harden} # which has the exceptions of that without
options=()
words=()
expected=7
if [[ $kind == *-all ]]; then
  words=(neglect)
  expected=9
  options=(--rewrite RTMAX:0 --delay USR2:20ms --parent-death HUP --tether --user root --chdir / --env A=B
    --stop-timeout 60s --stop-signal PWR --grace 100ms --wait-all --remap-exit 7:9 --mirror-signal
    "--termination-log=$scratch/log" --zombies reap --zombie-age 20ms -vv --warn-reaped --warn-pids 90 --log json)
fi
[[ $setting != *-harden ]] || options+=(--harden)
case $kind in
  subreaper | subreaper-all) mode=() ;;
  pid1) mode=(--pid1) ;;
  # With a session of the child's own, where the others give it foster's terminal; and to the group signals go without
  # their values.
  pid1-all) mode=(--pid1) options+=(--setsid --group) ;;
  *) echo "unknown setting '$setting'" >&2; exit 2 ;;
esac

run() {
  "$programs/inject" "${mode[@]}" "$limit" "$1" "$scratch/report" "$FOSTER" "${options[@]}" -- \
    "$programs/workload" "${words[@]}" >"$scratch/out" 2>"$scratch/err"
}

if [[ ${2:-} == trace ]]; then
  run trace
  cat "$scratch/report"
  exit
fi

wrong=()

complain() {
  wrong+=("$*")
}

# Something is lost: is that said?
expect_message() {
  [[ $err =~ $2 ]] || complain "without a message: $1"
}

judge_start() {
  local errors
  errors=$(grep -cE '^foster: error: |"level":"error"' <<<"$err" || true)
  [[ $errors == 1 ]] || complain "$errors messages of the error instead of one"
  [[ $status == 125 || ($call == execve && $status == 126) ]] || complain "ends with $status"
  ((left == 0)) || complain "$left processes left"
}

judge_run() {
  local line
  [[ $status == "$expected" ]] || complain "ends with $status, not $expected"
  [[ $out == *done* ]] || complain 'the workload has not got to its end'
  while read -r line; do
    case $line in
      started | done) ;;
      'signal '*)
        carries_signals "$call" || complain "$line"
        expect_message "$line" 'cannot forward|cannot wait for signals'
        ;;
      'value lost') [[ $kind == pid1-all ]] || complain "$line" ;;
      'neglected zombie left') expect_message "$line" 'cannot reap the zombies|cannot look for neglected zombies' ;;
      *) complain "$line" ;;
    esac
  done <<<"$out"
  ((left == 0)) || expect_message "$left processes left" \
    'cannot end|cannot find what the child has left|cannot name|cannot become a child subreaper'
  [[ $kind != *-all || -s $scratch/log ]] || expect_message 'no termination log' 'cannot write the termination log'
  [[ -z $refused ]] || complain "refused by the filter:$refused"
  if [[ $setting == *-harden && $call == @(capget|capset|seccomp) && $injected != 0 && $error:$when != EINVAL:1 ]]; then
    expect_message 'privileges kept' 'cannot give up'
  fi
}

! is_hang_expected "$kind:$call:$error:$when" || limit=10
# What inject writes: numbers, and "hang".
status=unknown injected=1 calls=0 cpu=0 ms=0 left=0 refused=
if run "$call:$error:$when" 2>"$scratch/shell"; then
  # shellcheck source=/dev/null
  . "$scratch/report"
else
  complain 'the injector has failed'
fi
out=$(<"$scratch/out")
err=$(<"$scratch/err")
if [[ $out == *started* ]]; then
  judge_run
  result='goes on'
else
  judge_start
  result=refuses
fi
((calls < FREE_CALLS + CALLS_PER_MS * ms)) || complain "$calls system calls in $ms ms"
((cpu < FREE_CPU + ms / 5)) || complain "$cpu ms of CPU time in $ms ms"
if ((injected == 0)); then
  result='not reached'
fi
if ((${#wrong[@]} > 0)); then
  printf -v text '%s; ' "${wrong[@]}"
  result="FAILED: ${text%; }"
  ! is_exception "$kind:$call:$error:$when" "${text%; }" || result=exception
fi
if [[ $result == FAILED* ]]; then
  mkdir -p "$programs/failed"
  cp -r "$scratch" "$programs/failed/$setting:$call:$error:$when"
fi
echo "$setting:$call:$error:$when $result"
if [[ -n ${VERBOSE:-} ]]; then
  cat "$scratch/report" "$scratch/out" "$scratch/err"
  cat "$scratch/log" 2>/dev/null || true
fi
[[ $result != FAILED* ]]
