#!/usr/bin/env bats
# runc and crun, each with a bundle of its own.
load engines

RUNTIMES=(runc crun)

setup() {
  requires_root
  requires_static
}

@test "runc, crun: foster is PID 1, reaps, forwards, and its exit status is the child's" {
  for runtime in "${RUNTIMES[@]}"; do
    make_bundle . /foster -- leave-orphans
    OUT=$BATS_TEST_TMPDIR/out ERR=$BATS_TEST_TMPDIR/err
    oci "$runtime" run -b "$BUNDLE" reaps </dev/null >"$OUT" 2>"$ERR" 3>&- &
    wait_ready
    oci "$runtime" kill reaps TERM
    status=0
    wait $! || status=$?
    expect_status 7
    expect_reaped_under "$(cat "$OUT")" foster
    expect [ ! -s "$ERR" ]
    : >"$OUT"
  done
}

@test "runc, crun: foster runs without capabilities, with no-new-privileges, as another user, on a read-only root" {
  for runtime in "${RUNTIMES[@]}"; do
    make_bundle '.process.capabilities = {} | .process.noNewPrivileges = true | .process.user = {uid: 1234, gid: 5678} | .root.readonly = true' \
      /foster -- sh -c 'id -u; id -g; grep CapBnd /proc/1/status; touch /file || exit 9'
    run oci "$runtime" run -b "$BUNDLE" bare </dev/null
    expect_status 9
    expect_in $'1234\n5678\nCapBnd:\t0000000000000000' "$output"
    run ! grep foster <<<"$output"
  done
}

@test "runc, crun: a command that is not there ends with 127, one that cannot be run with 126" {
  for runtime in "${RUNTIMES[@]}"; do
    make_bundle . /foster -- no-such-command
    run -127 oci "$runtime" run -b "$BUNDLE" absent </dev/null
    expect_in "foster: error: cannot run 'no-such-command'" "$output"
    make_bundle . /foster -- /etc
    run -126 oci "$runtime" run -b "$BUNDLE" directory </dev/null
  done
}

@test "runc, crun: what is run by exec beside foster leaves no zombie" {
  for runtime in "${RUNTIMES[@]}"; do
    make_bundle . /foster -- leave-orphans
    OUT=$BATS_TEST_TMPDIR/out ERR=$BATS_TEST_TMPDIR/err
    : >"$OUT"
    oci "$runtime" run -b "$BUNDLE" probed </dev/null >"$OUT" 2>"$ERR" 3>&- &
    wait_ready
    for probe in 1 2 3; do
      run -"$probe" oci "$runtime" exec probed sh -c "(sleep 0 &); exit $probe" </dev/null
    done
    oci "$runtime" kill probed TERM
    status=0
    wait $! || status=$?
    expect_status 7
    expect_reaped_under "$(cat "$OUT")" foster
  done
}
