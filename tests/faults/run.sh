#!/bin/bash
# run.sh, by `make faults`: each system call that foster makes fails with each error at its first, its second and every
# call, in six settings: as a subreaper and as PID 1, each without options, with all but --harden, and with all. case.sh
# judges each case.
# CASE=SETTING:CALL:ERROR:WHEN runs that one and shows what is said; SAMPLE=N so many that SEED chooses, and prints
# SEED. JOBS at a time. Writes build/faults/results, what was said in failed cases, and of a full run
# build/faults/table.md.
set -euo pipefail
cd "${BASH_SOURCE%/*}"
errors=(EPERM ENOSYS EINVAL EAGAIN EINTR ENOMEM EMFILE)
settings=(subreaper pid1 subreaper-all pid1-all subreaper-all-harden pid1-all-harden)
build=../../build/faults
export FOSTER
[[ $(id -u) == 0 ]] || { echo 'make faults: requires root' >&2; exit 1; }
rm -rf "$build/failed"
if [[ -n ${CASE:-} ]]; then
  VERBOSE=1 exec ./case.sh "$CASE"
fi

list_cases() {
  local setting call count error when
  for setting in "${settings[@]}"; do
    while read -r call count _; do
      for error in "${errors[@]}"; do
        for when in 1 2 every; do
          [[ $when != 2 || $count -gt 1 ]] || continue
          echo "$setting:$call:$error:$when"
        done
      done
    done < <(./case.sh "$setting" trace)
  done
}

# A row a call, a column an error; in which ways its cases have ended: on, ref(used), exc(eption), FAU(LT).
make_table() {
  awk -v errors="${errors[*]}" '
    BEGIN { kinds = split("goes refuses exception FAILED:", words, " "); split("on refused exception FAULT", short, " ") }
    { split($1, part, ":"); calls[part[2]]; seen[part[2], part[3], $2] }
    END {
      count = split(errors, names, " ")
      head = "| call |"; line = "|---|"
      for (n = 1; n <= count; ++n) { head = head " " names[n] " |"; line = line "---|" }
      print head; print line
      for (call in calls) {
        row = "| `" call "` |"
        for (n = 1; n <= count; ++n) {
          cell = ""
          for (kind = 1; kind <= kinds; ++kind)
            if ((call, names[n], words[kind]) in seen) cell = cell " " substr(short[kind], 1, 3)
          row = row cell " |"
        }
        print row | "sort"
      }
    }' "$build/results"
}

list_cases | sort -u >"$build/cases"
if [[ -n ${SAMPLE:-} ]]; then
  SEED=${SEED:-$RANDOM}
  echo "SEED=$SEED"
  awk -v seed="$SEED" 'BEGIN { srand(seed) } { print rand(), $0 }' "$build/cases" | sort -n |
    awk -v count="$SAMPLE" 'NR <= count { print $2 }' >"$build/sample"
  mv "$build/sample" "$build/cases"
fi
xargs -P "${JOBS:-$(($(nproc) * 3))}" -n 1 ./case.sh <"$build/cases" >"$build/results" || true
sort -o "$build/results" "$build/results"
[[ -n ${SAMPLE:-} ]] || make_table >"$build/table.md"

count() {
  grep -c " $1" "$build/results" || true
}

missing=$(($(wc -l <"$build/cases") - $(wc -l <"$build/results")))
sed -n 's/^\([^ ]*\) FAILED: \(.*\)/make faults CASE=\1  # \2/p' "$build/results"
((missing == 0)) || echo "$missing cases have not run"
echo "$(wc -l <"$build/cases") cases: $(count 'goes on') go on, $(count refuses) refuse to start, $(count exception)" \
  "are exceptions, $(count 'not reached') not reached, $(count FAILED) failed, after $SECONDS s"
[[ $(count FAILED) == 0 && $missing == 0 ]]
