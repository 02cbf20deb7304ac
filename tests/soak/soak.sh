#!/bin/bash
# soak.sh: a million orphans and a million queued signals through one foster, as PID 1 and as a subreaper; ORPHANS and
# SIGNALS say how many else. Fails if a signal is lost or out of order, if an orphan is not reaped, or if foster has
# more memory or descriptors than before. Prints what it has measured.
set -euo pipefail
cd "$(dirname "$0")/../.."
orphans=${ORPHANS:-1000000} signals=${SIGNALS:-1000000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

wait_for() {
  until "$@"; do
    kill -0 "$started" 2>/dev/null || { cat "$work"/*; exit 1; }
    sleep 0.2
  done
}

resident() {
  awk '$1 == "Rss:" { print $2 }' "/proc/$1/smaps_rollup"
}

descriptors() {
  find "/proc/$1/fd" -mindepth 1 | wc -l
}

soak() {
  local init=$1 before before_fds after start=$SECONDS
  wait_for grep -q READY "$work/out"
  before_fds=$(descriptors "$init")
  kill -USR1 "$init"
  # What one signal brings into memory is no growth.
  sleep 1
  before=$(resident "$init")
  wait_for grep -q 'orphans made' "$work/out"
  sleep 1 # until foster sleeps
  after=$(resident "$init")
  echo "$2: $(tail -n 1 "$work/out"), in $((SECONDS - start)) s; resident $before KiB, then $after KiB;" \
    "$(descriptors "$init") descriptors; $(awk '{ printf "%.1f", ($14 + $15) / 100 }' "/proc/$init/stat") s of CPU"
  ((after <= before + 8)) || { echo 'it has more memory than before'; exit 1; }
  [[ $(descriptors "$init") == "$before_fds" ]] || { echo 'it has other descriptors than before'; exit 1; }
  kill "$init"
  wait "$started" || true
  grep -q "orphans reaped: $orphans;" "$work/log" || { cat "$work/log"; exit 1; }
}

for mode in pid1 subreaper; do
  command=("$FOSTER" "--termination-log=$work/log" -- build/workloads/soak "$orphans" "$signals")
  if [[ $mode == pid1 ]]; then
    unshare --pid --fork --mount-proc -- "${command[@]}" >"$work/out" &
    started=$!
    wait_for eval 'init=$(pgrep -P "$started")'
  else
    "${command[@]}" >"$work/out" &
    started=$! init=$!
  fi
  soak "$init" "$mode"
done
