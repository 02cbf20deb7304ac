#!/bin/bash
# run.sh FILE...|DIRECTORY: runs test files, six tests at a time, for most of them wait; then, two at a time, those that
# are tagged "exact", which have upper limits of time; then, one by one, those that are tagged "alone", such as those
# with hundreds of processes, which all others would find in /proc. Prints TAP, the ten slowest tests and a summary;
# ends with 0 if all that was planned has passed.
set -euo pipefail
for tool in bats parallel; do
  command -v "$tool" >/dev/null || { echo "run.sh: needs $tool (in Debian the package of that name)" >&2; exit 1; }
done
# For root in a PID namespace of their own: what else the machine does is not in /proc, and no process is left behind.
if [[ $(id -u) == 0 && $$ != 1 ]]; then
  exec unshare --pid --fork --mount-proc --kill-child -- "$0" "$@"
fi
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
trap 'exit 130' INT
export PARALLEL_HOME=$log # GNU parallel writes there

[[ $# != 1 || ! -d $1 ]] || set -- "$1"/*.bats
# The largest file takes longest, but for those that say so.
sorted=$(ls -S "$@")
first=$(grep -l '^# run.sh: first' "$@" || true)
mapfile -t files < <(awk 'NF && !seen[$0]++' <<<"$first"$'\n'"$sorted")
status=0
for some in '--jobs 6 --filter-tags !exact,!alone' '--jobs 2 --filter-tags exact' '--filter-tags alone'; do
  # shellcheck disable=SC2086 # several words
  bats --tap --timing $some "${files[@]}" </dev/null | tee -a "$log/tap" || status=1
done

count() {
  grep -Ec "$1" "$log/tap" || true
}

echo '# the slowest:'
sed -nE 's/^(not )?ok [0-9]+ (.*) in ([0-9]+)ms.*/\3 \2/p' "$log/tap" | sort -rn |
  awk 'NR <= 10 { $1 = sprintf("# %.1f s", $1 / 1000); print }'
skipped=$(count '^ok .* # skip')
missing=$(($(sed -n 's/^1\.\.//p' "$log/tap" | paste -sd+) - $(count '^(not )?ok ')))
((missing == 0)) || echo "$missing tests were planned and have not run"
echo "$(($(count '^ok ') - skipped)) passed, $(count '^not ok ') failed, $skipped skipped"
((status == 0 && missing == 0))
