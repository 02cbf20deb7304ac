#!/bin/bash
# run.sh: has spin prove the properties of reap.pml; then breaks one rule after the other, and spin must find each by
# the property that the rule is for. Prints a line each; exits with 1 if a property does not hold or a broken rule is
# not found. FORKS=n or SIGNALS=n: proves the properties for as many, which takes longer.
set -euo pipefail
cd "$(dirname "$0")"
for tool in spin cc; do
  command -v "$tool" >/dev/null || { echo "run.sh: needs $tool (in Debian: spin, gcc)" >&2; exit 1; }
done
model=$PWD/reap.pml
mkdir -p ../../build/model
cd ../../build/model
status=0

# search CLAIM RULE FORKS SIGNALS CFLAG...: leaves spin's report in the file report.
search() {
  local define=("-DBREAK=$2" "-DFORKS=$3" "-DSIGNALS=$4") claim=(-a -f -N "$1") of_claim=(-DNFAIR=3)
  [[ $1 != assertions ]] || { claim=(); of_claim=(-DSAFETY -DNOCLAIM); }
  spin "${define[@]}" -a "$model" >report || { cat report >&2; exit 1; }
  cc -w "${@:5}" "${of_claim[@]}" -o pan pan.c
  ./pan "${claim[@]}" -E -m20000 -w22 >report 2>&1 || true
  replay="cd $PWD && spin -t -p -g ${define[*]} $model"
}

failed() {
  status=1
  echo "not ok: $1; to see why: $replay"
}

# proves CLAIM FORKS SIGNALS
proves() {
  search "$1" NOTHING "${FORKS:-$2}" "${SIGNALS:-$3}" -O2
  if grep -q 'errors: 0' report && ! grep -qE 'max search depth|not completed|out of memory' report; then
    echo "ok: $1, ${FORKS:-$2} forks, ${SIGNALS:-$3} signals, $(awk '/states, stored/ { print $1 }' report) states"
  else
    failed "$1"
  fi
}

# breaks RULE CLAIM PATTERN FORKS SIGNALS: the pattern is in spin's line on the violation.
breaks() {
  search "$2" "$1" "$4" "$5" -O0
  if grep -qE "^pan:.*$3" report; then
    echo "ok: $1 is found by $2"
  else
    failed "$1 is not found by $2"
  fi
}

# The assertions are checked in all runs.
proves assertions 2 0
proves zombies 1 1
proves wait_all_ends 2 0
proves grace_ends 2 0

blocks='assertion.*sweep_pending' cycle='acceptance cycle' ends='assertion.*child_status'
breaks NO_SWEEP_AT_START assertions "$blocks" 0 0
breaks NO_SWEEP_AFTER_HINT assertions "$blocks" 1 1
breaks NO_SWEEP_AFTER_SENT_SIGCHLD assertions "$blocks" 1 1
breaks HELD_SWEEP_DROPPED assertions "$blocks" 1 1
breaks UNFINISHED_SWEEP_DROPPED assertions "$blocks" 1 1
breaks NO_SWEEP_DEADLINE zombies "$cycle" 1 0
breaks READ_BEFORE_PPOLL zombies "$cycle" 1 0
breaks READ_BLOCKS_AFTER_PPOLL wait_all_ends "$cycle" 1 1
breaks NO_LOOK_IN_BATCH assertions 'assertion.*noticed' 1 1
breaks SIGNAL_AFTER_EXIT assertions 'assertion.*is_original' 1 1
breaks STATUS_OF_REUSED_PID assertions 'assertion.*is_original' 2 0
breaks NO_SWEEP_WITH_SEARCH wait_all_ends "$cycle" 1 0
breaks NO_LOOK_FOR_LEFTOVERS assertions "$ends" 2 0
breaks NO_SECOND_LOOK assertions "$ends" 2 0
breaks ONE_KILL grace_ends "$cycle" 2 0
breaks PIDFD_AFTER_CHECK assertions 'assertion.*parent\[n\]' 2 0
exit "$status"
