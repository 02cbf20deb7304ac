#!/usr/bin/env bats
load helpers

# The most bytes of the file, and KiB of resident memory. Of glibc much is always there.
limits() {
  case $(uname -m),$(grep -qa GLIBC_TUNABLES "$FOSTER" && echo glibc) in
    x86_64,) echo "$((60 * 1024 - 1)) 39" ;;
    *,) echo "$((72 * 1024)) 48" ;;
    *) echo "800000 800" ;;
  esac
}

expect_at_most() {
  (($2 <= $1)) || { echo "$3: $2, more than $1"; return 1; }
}

resident_of() {
  awk '$1 == "Rss:" { print $2 }' "/proc/$INIT/smaps_rollup"
}

# Waits until foster sleeps with at most this much resident, in KiB.
expect_resident() {
  wait_until is_asleep "$INIT"
  wait_until eval "((\$(resident_of) <= $1))" || { echo "resident: $(resident_of) KiB, more than $1 $2"; return 1; }
}

@test "the file has less than 60 KiB" {
  requires_static
  local most _
  read -r most _ <<<"$(limits)"
  expect_at_most "$most" "$(stat -c %s "$FOSTER")" 'bytes of the file'
}

@test "less than 40 KiB are resident while the child runs, also after signals and orphans" {
  requires_static
  local _ most
  read -r _ most <<<"$(limits)"
  for mode in "${MODES[@]}"; do
    # shellcheck disable=SC2016 # for the shell inside
    start_in "$mode" env -i PATH="$PATH" "$FOSTER" bash -c 'trap "echo READY" USR1
      trap "\"$0\" 20; echo ORPHANS" USR2; echo STARTED; while :; do read -r -t 1 <> <(:); done' "$WORKLOADS/orphans"
    wait_until grep -q STARTED "$OUT"
    expect_resident "$most" "$mode: idle"
    kill -USR1 "$INIT"
    wait_ready
    expect_resident "$most" "$mode: after a signal"
    kill -USR2 "$INIT"
    wait_until grep -q ORPHANS "$OUT"
    expect_resident "$most" "$mode: after 20 orphans"
    kill "$INIT"
    finish
    expect_status 143
  done
}
