#!/bin/bash
# run.sh SECONDS RUNS SEED NAME...: what `make fuzz` does with the fuzzers in build/fuzz. Each first gets the inputs of
# tests/fuzz/NAME, then new ones. An input that is a fault is kept in build/fuzz; build/fuzz/NAME.fuzzer FILE runs it
# again. Those that reach further are in build/fuzz/NAME; to keep the smallest set of all:
#   mkdir NEW; build/fuzz/NAME.fuzzer -merge=1 NEW tests/fuzz/NAME build/fuzz/NAME
set -euo pipefail
seconds=$1 runs=$2 seed=${3:-$((RANDOM * 32768 + RANDOM + 1))}
shift 3
if [[ -n $runs ]]; then
  limit=-runs=$runs
else
  limit=-max_total_time=$(((seconds + $# - 1) / $#))
fi
# libFuzzer's choices depend on addresses, too. A container's seccomp filter may refuse this.
setarch -R true 2>/dev/null && at_same_addresses=(setarch -R) || at_same_addresses=()
echo "seed $seed"
for name; do
  rm -rf "build/fuzz/$name"
  mkdir -p "build/fuzz/$name"
  options=("$limit" -seed="$seed" -artifact_prefix="build/fuzz/$name-" -timeout=10 -max_len=2000 -verbosity=0
    -print_final_stats=1)
  if [[ -e tests/fuzz/$name.dict ]]; then
    options+=(-dict="tests/fuzz/$name.dict")
  fi
  start=${EPOCHREALTIME/./}
  log=build/fuzz/$name.log
  "${at_same_addresses[@]}" "build/fuzz/$name.fuzzer" "${options[@]}" "build/fuzz/$name" "tests/fuzz/$name" \
    >"$log" 2>&1 ||
    { cat "$log"; exit 1; }
  inputs=$(awk '/number_of_executed_units/ { print $2 }' "$log")
  printf '%-16s %9d inputs, %6d a second\n' "$name" "$inputs" \
    $((inputs * 1000000 / (${EPOCHREALTIME/./} - start)))
done
