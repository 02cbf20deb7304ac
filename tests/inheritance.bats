#!/usr/bin/env bats
load helpers

# Compares a command's own word on itself, run bare and under foster, after the same launcher.
same_as_bare() {
  local mode=$1
  shift
  local -a launcher=() command=()
  while [[ $1 != -- ]]; do
    launcher+=("$1")
    shift
  done
  command=("${@:2}")
  run_in "$mode" "$WORKLOADS/inherit" "${launcher[@]}" -- "${command[@]}" >"$BATS_TEST_TMPDIR/bare"
  run_in "$mode" "$WORKLOADS/inherit" "${launcher[@]}" -- "$FOSTER" "${command[@]}" >"$BATS_TEST_TMPDIR/under"
  expect [ -s "$BATS_TEST_TMPDIR/bare" ]
  diff "$BATS_TEST_TMPDIR/bare" "$BATS_TEST_TMPDIR/under"
}

MASKS=(grep -E '^Sig(Blk|Ign|Cgt|Pnd)|^ShdPnd' /proc/self/status)

# Every signal that can be blocked or ignored, as the launcher wants it.
for signal in {1..8} {10..18} {20..64}; do
  BLOCK_ALL+=(block "$signal")
  IGNORE_ALL+=(ignore "$signal")
done

@test "catatonit: the child's signal mask is the inherited one, TSTP, TTIN and TTOU included" {
  for mode in "${MODES[@]}"; do
    same_as_bare "$mode" -- "${MASKS[@]}"
    same_as_bare "$mode" block 15 -- "${MASKS[@]}"
    same_as_bare "$mode" block 20 block 22 -- "${MASKS[@]}"
    same_as_bare "$mode" block 17 block 32 block 33 block 34 block 64 -- "${MASKS[@]}"
    same_as_bare "$mode" "${BLOCK_ALL[@]}" -- "${MASKS[@]}"
  done
}

@test "dumb-init: the child's dispositions are the inherited ones, as nohup sets them" {
  for mode in "${MODES[@]}"; do
    same_as_bare "$mode" ignore 1 -- "${MASKS[@]}"
    same_as_bare "$mode" ignore 2 ignore 3 block 15 -- "${MASKS[@]}"
    same_as_bare "$mode" ignore 17 -- "${MASKS[@]}"
    same_as_bare "$mode" ignore 32 ignore 33 ignore 34 ignore 64 -- "${MASKS[@]}"
    same_as_bare "$mode" "${IGNORE_ALL[@]}" -- "${MASKS[@]}"
  done
}

@test "tini, catatonit: a SIGCHLD inherited as ignored does not hang, and is ignored in the child" {
  for mode in "${MODES[@]}"; do
    run run_in "$mode" "$WORKLOADS/inherit" ignore 17 -- "$FOSTER" sh -c 'exit 3'
    expect_status 3
    run -0 run_in "$mode" "$WORKLOADS/inherit" ignore 17 -- "$FOSTER" sed -n 's/^SigIgn:.//p' /proc/self/status
    expect [ $((0x$output >> 16 & 1)) = 1 ]
  done
}

@test "the child has the descriptors, the directory and the environment that the same command has without foster" {
  cd "$BATS_TEST_TMPDIR"
  exec 7<helpers 8>"$BATS_TEST_TMPDIR/eight" 2>/dev/null || exec 8>"$BATS_TEST_TMPDIR/eight"
  for mode in "${MODES[@]}"; do
    same_as_bare "$mode" -- sh -c 'ls /proc/$$/fd; pwd; readlink /proc/$$/fd/0 /proc/$$/fd/8'
    same_as_bare "$mode" close 0 -- sh -c 'ls /proc/$$/fd'
    same_as_bare "$mode" close 0 close 2 -- sh -c 'ls /proc/$$/fd'
    same_as_bare "$mode" -- env
  done
}

@test "tini: foster's environment does not reach the child, nor a foster in it" {
  for mode in "${MODES[@]}"; do
    FOSTER_OPTIONS='-g -v' run -0 run_in "$mode" "$FOSTER" "$FOSTER" env
    expect [ "$(grep -c 'foster: spawned' <<<"$output")" = 1 ]
    run ! grep FOSTER_OPTIONS <<<"$output"
  done
}

@test "the child leads a process group of its own in foster's session; --same-group leaves it in foster's" {
  for mode in "${MODES[@]}"; do
    run -0 run_in "$mode" "$FOSTER" sh -c 'ps -o pid=,pgid=,sid= -p $$,$PPID | sort -n'
    read -r _ foster_group foster_session <<<"${lines[0]}"
    read -r child child_group child_session <<<"${lines[1]}"
    expect [ "$child" = "$child_group" ]
    expect [ "$child_group" != "$foster_group" ]
    expect [ "$child_session" = "$foster_session" ]
    run -0 run_in "$mode" "$FOSTER" --same-group sh -c 'ps -o pgid= -p $$,$PPID | sort -u | wc -l'
    expect [ "$output" = 1 ]
  done
}

@test "on a terminal the child's process group is put in the foreground" {
  for mode in "${MODES[@]}"; do
    run -0 run_in "$mode" script -qec "\"\$FOSTER\" sh -c 'ps -o pgid=,tpgid= -p \$\$'" /dev/null </dev/null
    read -r group foreground <<<"${output//$'\r'/}"
    expect [ "$group" = "$foreground" ]
    run -0 run_in "$mode" script -qec "\"\$FOSTER\" --same-group sh -c 'ps -o pgid=,tpgid= -p \$\$,\$PPID'" /dev/null </dev/null
    expect [ "$(tr -d '\r' <<<"$output" | tr -s ' ' '\n' | sort -u | grep -c .)" = 1 ]
  done
}
