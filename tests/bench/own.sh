#!/bin/bash
# Measures what foster does beyond its peers. FOSTER is its binary, MEASURES the directory of the measuring programs.
# Each timed figure is the least of ROUNDS rounds, in which the candidates take turns.
set -euo pipefail
export LC_ALL=C

rounds=${ROUNDS:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
declare -A rounds_of figures
for tool in hyperfine jq runc; do
  command -v $tool >/dev/null || { echo "bench: $tool is not installed" >&2; exit 1; }
done

# Keeps a figure of a candidate for a row in this round.
keep() {
  rounds_of[$1,$2]+=" $3"
}

take_figures() {
  local key
  for key in "${!rounds_of[@]}"; do
    figures[$key]=$(tr ' ' '\n' <<<"${rounds_of[$key]# }" | sort -g | head -n 1)
  done
}

switches() {
  awk '/^voluntary_ctxt_switches/ { print $2 }' "/proc/$1/status"
}

# What --zombies costs: a look at 2,000 processes, and a remote wait of a parent of 1,000 zombies.
measure_zombies() {
  # shellcheck disable=SC2016 # for the shell inside
  "$FOSTER" --zombies=report --zombie-age=200ms -- sh -c 'for i in $(seq 2000); do sleep 1000 & done; wait' 2>/dev/null &
  local init=$! slept spent
  until (($(pgrep -c -P "$(pgrep -P $init)") >= 2000)); do sleep 0.1; done
  slept=$(switches $init) spent=$(cut -d' ' -f1 "/proc/$init/schedstat")
  sleep 5
  slept=$(($(switches $init) - slept)) spent=$(($(cut -d' ' -f1 "/proc/$init/schedstat") - spent))
  echo "a scan of $(find /proc -maxdepth 1 -name '[0-9]*' | wc -l) processes: $((spent / slept / 1000)) µs of CPU"
  pgrep -P "$(pgrep -P $init)" | xargs kill
  wait $init || true
  "$FOSTER" -v --zombies=reap --zombie-age=100ms -- "$MEASURES/../workloads/neglect" 1000 nanosleep 2>&1 |
    sed -n 's/.* reaped 16 zombies .* stopped for \([0-9]*\)us/\1/p' | sort -n |
    awk '{ v[NR] = $1 } END { print "a remote wait of a parent of 1,000 zombies, median of " NR ": " v[int((NR + 1) / 2)] / 16 " µs a zombie" }'
}

# How long it takes from the child's end until 500 leftovers that obey have ended: by foster's --grace, and by kill and
# wait in a loop.
measure_leftovers() {
  local row
  for ((round = 0; round < rounds; ++round)); do
    keep ended loop "$("$MEASURES/end-leftovers" 500)"
    for mode in pid1 subreaper; do
      keep ended "$mode" "$("$MEASURES/end-leftovers" 500 "$mode" "$FOSTER" --grace=1m --)"
    done
  done
  take_figures
  for row in loop pid1 subreaper; do
    echo "ending 500 leftovers, $row: $(awk "BEGIN { printf \"%.1f ms, %.2f of the loop's\", ${figures[ended,$row]} / 1e6, ${figures[ended,$row]} / ${figures[ended,loop]} }")"
  done
}

# What foster-runtime adds to a container's start and end, and the least address space that it works in.
measure_runtime() {
  local bundle=$work/bundle kib=0
  mkdir -p "$bundle/rootfs/proc"
  cp "$FOSTER" "$bundle/rootfs/program" # which prints its version, and is no init by this name
  ln -s "${FOSTER%/*}/foster-runtime" "$work/foster-runc"
  (cd "$bundle" && runc spec)
  jq '.process.terminal = false | .process.rlimits = [] | .process.args = ["/program", "--version"]' "$bundle/config.json" >"$work/config"
  for ((round = 0; round < rounds; ++round)); do
    hyperfine --shell none --warmup 2 --runs 20 --prepare "cp $work/config $bundle/config.json" --export-csv "$work/times" \
      "runc --root $work/state run -b $bundle bench" "$work/foster-runc --root $work/state run -b $bundle bench" >/dev/null 2>&1
    # The fastest one: medians differ by as much as there is to be measured.
    keep container plain "$(awk -F, 'NR == 2 { print $7 * 1e3 }' "$work/times")"
    keep container foster "$(awk -F, 'NR == 3 { print $7 * 1e3 }' "$work/times")"
  done
  grep -q /dev/.foster "$bundle/config.json"
  take_figures
  cp "$work/config" "$bundle/config.json"
  # Its address space is all of it and more; the foster that stands for the real runtime is smaller still.
  cp "$work/config" "$bundle/config.json"
  until grep -q /dev/.foster "$bundle/config.json"; do
    kib=$((kib + 32))
    (prlimit --as=$((kib * 1024)) "$work/foster-runc" --foster-runtime="$FOSTER" create -b "$bundle" || true) >/dev/null 2>&1
  done
  awk "BEGIN { printf \"the fastest of $((rounds * 20)) containers by runc: %.1f ms; by foster-runc: %.2f ms more, in less than $kib KiB\\n\", ${figures[container,plain]},
    ${figures[container,foster]} - ${figures[container,plain]} }"
}

measure_zombies
measure_leftovers
measure_runtime
