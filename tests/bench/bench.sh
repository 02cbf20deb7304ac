#!/bin/bash
# Measures foster beside its peers in one run and prints a table. FOSTER is its binary. Each timed figure is the least
# of several rounds, in which the inits take turns: what else the machine does can only add to it. How much it did is
# the noise: by how much the best peer's median round is above its least, which one round cannot tell.
set -euo pipefail
export LC_ALL=C

measures=$(dirname "$0")/../../build/bench
rounds=${ROUNDS:-5}
work=$(mktemp -d)

# Where the scheduler shares CPUs out by sessions it favours the init whose workload has one of its own, dumb-init. What
# an init itself does is to be compared. Wants root.
autogroup=/proc/sys/kernel/sched_autogroup_enabled
grouped=$(cat "$autogroup" 2>/dev/null || true)
trap 'rm -rf "$work"; [[ ! -w $autogroup ]] || echo "$grouped" >"$autogroup"' EXIT
[[ ! -w $autogroup ]] || echo 0 >"$autogroup"

# One CPU for all of it: whether two processes share one is chance otherwise, and moves a round trip tenfold.
allowed=$(taskset -cp $$)
taskset -cp "${allowed##*[ ,-]}" $$ >/dev/null

names=(foster tini tini-static dumb-init catatonit)
declare -A paths figures medians rounds_of
for name in "${names[@]}"; do
  if [[ $name == foster ]]; then
    paths[foster]=$FOSTER
  else
    paths[$name]=$(command -v "$name") || {
      echo "bench: $name is not installed (Debian: tini dumb-init catatonit)" >&2
      exit 1
    }
  fi
done
for tool in hyperfine jq runc; do
  command -v $tool >/dev/null || {
    echo "bench: $tool is not installed" >&2
    exit 1
  }
done

as_pid1() {
  unshare --pid --fork --mount-proc --kill-child -- "$@"
}

# Keeps the figure of an init for a row in this round.
keep() {
  rounds_of[$1,$2]+=" $3"
}

take_figures() {
  local key
  for key in "${!rounds_of[@]}"; do
    read -r "figures[$key]" "medians[$key]" <<<"$(tr ' ' '\n' <<<"${rounds_of[$key]# }" | sort -g | awk '
      { v[NR] = $1 } END { print v[1], (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }')"
  done
}

start_idle() {
  env -i PATH=/usr/bin:/bin "${paths[$1]}" -- sleep 1000 2>/dev/null </dev/null >"$work/idle" &
  started+=($!)
  until pgrep -P $! -x sleep >/dev/null; do sleep 0.01; done
}

smaps() {
  awk -v keys="$2" '$1 ~ "^(" keys "):" { sum += $2 } END { print sum }' "/proc/$1/smaps_rollup"
}

switches() {
  awk '/^voluntary_ctxt_switches/ { print $2 }' "/proc/$1/status"
}

# Two of each run at the same time: a page that both share is private to neither.
measure_memory_and_wakeups() {
  local name started=() before=()
  for name in "${names[@]}"; do
    start_idle "$name"
    start_idle "$name"
  done
  sleep 0.5
  for index in "${!names[@]}"; do
    before[index]=$(switches "${started[2 * index]}")
  done
  sleep 5
  for index in "${!names[@]}"; do
    name=${names[index]}
    local pid=${started[2 * index]}
    figures[size,$name]=$(awk "BEGIN { print $(stat -Lc %s "${paths[$name]}") / 1000 }")
    figures[resident,$name]=$(smaps "$pid" Rss)
    figures[private,$name]=$(smaps "$pid" 'Private_Clean|Private_Dirty')
    figures[wakeups,$name]=$(($(switches "$pid") - before[index]))
  done
  kill "${started[@]}"
  wait "${started[@]}" || true
}

# The median start and end of a command, in microseconds; "bare" is the command without an init.
measure_start_up() {
  local name option index median commands=(/bin/true) measured=(bare "${names[@]}")
  for name in "${names[@]}"; do
    option=
    if [[ $name == tini* ]]; then
      option=-s # it is not PID 1 here, and would warn
    fi
    commands+=("${paths[$name]} $option -- /bin/true")
  done
  hyperfine --shell none --warmup 20 --runs 300 --export-csv "$work/times" "${commands[@]}" >/dev/null 2>&1
  for index in "${!measured[@]}"; do
    median=$(awk -F, -v row=$((index + 2)) 'NR == row { print $4 * 1e6 }' "$work/times")
    keep whole "${measured[index]}" "$median"
  done
}

# A row, an init, and the measuring workload that is run under it and prints nanoseconds.
measure() {
  local row=$1 name=$2
  shift 2
  keep "$row" "$name" "$(as_pid1 "${paths[$name]}" -- "$@" | awk '{ print $1 / 1000 }')"
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
  "$FOSTER" -v --zombies=reap --zombie-age=100ms -- "$measures/../workloads/neglect" 1000 nanosleep 2>&1 |
    sed -n 's/.* reaped 16 zombies .* stopped for \([0-9]*\)us/\1/p' | sort -n |
    awk '{ v[NR] = $1 } END { print "a remote wait of a parent of 1,000 zombies, median of " NR ": " v[int((NR + 1) / 2)] / 16 " µs a zombie" }'
}

print_row() {
  local row=$1 title=$2 best='' cells='' name ratio='-' noise=''
  for name in "${names[@]}"; do
    cells+=" $(awk "BEGIN { v = ${figures[$row,$name]}; printf v < 10 && v != int(v) ? \"%.1f\" : \"%.0f\", v }") |"
    if [[ $name != foster ]] && { [[ -z $best ]] || awk "BEGIN { exit !(${figures[$row,$name]} < ${figures[$row,$best]}) }"; }; then
      best=$name
    fi
  done
  if [[ ${figures[$row,$best]} != 0 ]]; then
    ratio=$(awk "BEGIN { printf \"%.2f\", ${figures[$row,foster]} / ${figures[$row,$best]} }")
  fi
  if [[ -n ${medians[$row,$best]:-} && $rounds != 1 ]]; then
    noise=$(awk "BEGIN { n = (${medians[$row,$best]} / ${figures[$row,$best]} - 1) * 100; n = n > 0 ? n : 0; printf \"%.0f %%\", n }")
  fi
  echo "| $title |$cells $ratio | $noise |"
}

# How long it takes from the child's end until 500 leftovers that obey have ended: by foster's --grace, and by kill and
# wait in a loop.
measure_leftovers() {
  local row
  for ((round = 0; round < rounds; ++round)); do
    keep ended loop "$("$measures/end-leftovers" 500)"
    for mode in pid1 subreaper; do
      keep ended "$mode" "$("$measures/end-leftovers" 500 "$mode" "$FOSTER" --grace=1m --)"
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

measure_memory_and_wakeups
for ((round = 0; round < rounds; ++round)); do
  measure_start_up
  for name in "${names[@]}"; do
    measure at100 "$name" "$measures/orphan-cost" 100 500
    measure at5000 "$name" "$measures/orphan-cost" 5000 300
    measure storm "$name" "$measures/orphan-cost" 0 20000 storm
    measure roundtrip "$name" "$measures/round-trip" 20000
  done
done

take_figures
for name in "${names[@]}"; do
  figures[startup,$name]=$(awk "BEGIN { print ${figures[whole,$name]} - ${figures[whole,bare]} }")
  medians[startup,$name]=$(awk "BEGIN { print ${medians[whole,$name]} - ${medians[whole,bare]} }")
done
echo "| |$(printf ' %s |' "${names[@]}") foster / best peer | noise |"
echo "|---|$(printf -- '---|%.0s' "${names[@]}")---|---|"
print_row size 'file, kB'
print_row resident 'resident, KiB'
print_row private 'of it private, KiB'
print_row wakeups 'wakeups in 5 s of idleness'
print_row startup 'start-up and end over the bare command, µs'
print_row at100 'CPU per orphan, 100 alive, µs'
print_row at5000 'CPU per orphan, 5,000 alive, µs'
print_row storm 'CPU per orphan in a storm of 20,000, µs'
print_row roundtrip 'signal round trip, µs'
echo
measure_zombies
measure_leftovers
measure_runtime
