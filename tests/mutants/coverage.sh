#!/bin/bash
# coverage.sh, by `make coverage`: builds foster by clang with counters, which live in a file that every foster maps, so
# that also one that is killed is counted. Runs the tests (TESTS, or those of the loop, the reaper and the leftovers),
# prints the figures of src/supervisor, and writes build/coverage/report: each line with its count, and each branch.
# A test may fail here: it finds a larger foster, one that is not ours to measure.
set -euo pipefail
cd "${BASH_SOURCE%/*}/../.."
[[ $(id -u) == 0 ]] || { echo 'make coverage: requires root' >&2; exit 1; }
for tool in clang++ llvm-cov llvm-profdata; do
  command -v "$tool" >/dev/null || { echo "make coverage: needs $tool" >&2; exit 1; }
done
build=$PWD/build/coverage
rm -rf "$build/raw"
mkdir -p "$build/raw"
make -s BUILD=build/coverage LIBC=glibc CC=clang++ CXX=clang++ LDFLAGS=-fprofile-instr-generate \
  CXXFLAGS="-fprofile-instr-generate=$build/raw/%m%c.profraw -fcoverage-mapping -mllvm -runtime-counter-relocation" \
  build/coverage/foster
build/coverage/foster true
chmod 777 "$build/raw"
chmod 666 "$build/raw/"* # of fosters of other users, too
some=$(echo tests/{child_setup,exit_report,exit_status,forwarding,json,leftovers,limits,messages,parents}.bats \
  tests/{personalities,pid_limit,reaping,refusals,signalfd,stopping,terminal,zombies}.bats)
# shellcheck disable=SC2086 # several files
env -i PATH="$PATH" HOME="$HOME" FOSTER="$build/foster" tests/run.sh ${TESTS:-$some} >"$build/tap" || true
tail -n 1 "$build/tap"
llvm-profdata merge -o "$build/profile" "$build/raw/"*
show() {
  llvm-cov "$1" "$build/foster" -instr-profile="$build/profile" "${@:2}" src/supervisor
}
show report | awk '/\.[ch]pp |^TOTAL/ { printf "%-22s lines %4d of %4d, %7s; branches %4d of %4d, %7s\n", $1, $8 - $9, $8, $10,
  $11 - $12, $11, $13 }'
show show -show-branches=count >"$build/report"
