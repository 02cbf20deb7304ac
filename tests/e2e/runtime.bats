#!/usr/bin/env bats
# foster-runtime before runc and crun, each with a bundle of its own that knows nothing of foster.
load engines

RUNTIMES=(foster-runc foster-crun)

setup() {
  requires_root
  requires_static
  mkdir "$BATS_TEST_TMPDIR/bin"
  make_runtimes "$BATS_TEST_TMPDIR/bin"
  PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

# Runs a bundle in the background until READY, with what is on its way between here and the container in $OUT.
start_container() {
  OUT=$BATS_TEST_TMPDIR/out
  ERR=$BATS_TEST_TMPDIR/err
  : >"$OUT"
  oci "$1" run -b "$BUNDLE" container </dev/null >"$OUT" 2>"$ERR" 3>&- &
  # shellcheck disable=SC2034 # finish and teardown use them
  STARTED=$! INIT=$!
  wait_ready
}

@test "foster-runc, foster-crun: the command runs under foster, which reaps, forwards, and ends with its exit status" {
  for runtime in "${RUNTIMES[@]}"; do
    make_bundle . leave-orphans
    start_container "$runtime"
    for probe in 1 2 3; do
      run -"$probe" oci "$runtime" exec container sh -c "(sleep 0 &); exit $probe" </dev/null
    done
    oci "$runtime" kill container TERM
    finish
    expect_status 7
    expect_reaped_under "$(cat "$OUT")" .foster
    expect [ ! -s "$ERR" ]
  done
}

@test "foster-runc, foster-crun: create and start, too; a killed command is 137, one that is not there 127" {
  for runtime in "${RUNTIMES[@]}"; do
    make_bundle . sh -c 'kill -KILL $$'
    run -137 oci "$runtime" run -b "$BUNDLE" killed </dev/null
    make_bundle . no-such-command
    run -127 oci "$runtime" run -b "$BUNDLE" absent </dev/null
    expect_in "foster: error: cannot run 'no-such-command'" "$output"
    make_bundle '.root.readonly = false' sh -c 'cat /proc/1/comm >/tmp/name'
    oci "$runtime" create --bundle "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" created </dev/null >/dev/null 2>&1 3>&-
    oci "$runtime" start created
    wait_until eval 'oci "$runtime" state created | grep stopped'
    oci "$runtime" delete created
    expect [ "$(cat "$BUNDLE/rootfs/tmp/name")" = .foster ]
  done
}

@test "foster-runc, foster-crun: as another user, without capabilities or new privileges, on a read-only root" {
  for runtime in "${RUNTIMES[@]}"; do
    make_bundle '.process.capabilities = {} | .process.noNewPrivileges = true | .process.user = {uid: 1234, gid: 5678} | .root.readonly = true' \
      sh -c 'cat /proc/1/comm; id -u; id -g; grep CapBnd /proc/1/status; echo x 2>/dev/null >>/dev/.foster || exit 9'
    run oci "$runtime" run -b "$BUNDLE" bare </dev/null
    expect_status 9
    expect_in $'.foster\n1234\n5678\nCapBnd:\t0000000000000000' "$output"
  done
}

@test "foster-runc, foster-crun: in a user namespace" {
  local outer=$BATS_TEST_TMPDIR
  make_bundle . true
  chown -R 100000:100000 "$BUNDLE/rootfs"
  while [[ -n $outer && $outer != /tmp ]]; do
    chmod a+x "$outer"
    outer=${outer%/*}
  done
  for runtime in "${RUNTIMES[@]}"; do
    make_bundle '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
      .linux.gidMappings = .linux.uidMappings' sh -c 'cat /proc/1/comm; cat /proc/self/uid_map'
    run -0 oci "$runtime" run -b "$BUNDLE" mapped </dev/null
    expect_in $'.foster\n' "$output"
    expect_in 100000 "$output"
  done
}

@test "foster-runc, foster-crun: with a terminal, which the command has" {
  for runtime in "${RUNTIMES[@]}"; do
    make_bundle '.process.terminal = true' sh -c 'cat /proc/1/comm; tty'
    OUT=$BATS_TEST_TMPDIR/out
    export -f oci
    export runtime BUNDLE
    # An exported function wants a bash.
    SHELL=$BASH timeout 30 script -qefc 'oci "$runtime" run -b "$BUNDLE" terminal' /dev/null </dev/null >"$OUT" 2>&1 3>&-
    # The terminal may show the end of script's input.
    expect_in $'.foster\n/dev/' "$(tr -d '\r' <"$OUT" | sed 's/\^@//')"
  done
}

@test "foster-runc, foster-crun: a shared PID namespace and a bound /dev are left as they are" {
  for runtime in "${RUNTIMES[@]}"; do
    make_bundle '.linux.namespaces |= map(select(.type != "pid"))' cat /proc/self/cmdline
    run -0 oci "$runtime" run -b "$BUNDLE" shared </dev/null
    run ! grep foster "$BUNDLE/config.json"
    make_bundle '.mounts |= map(if .destination == "/dev" then {destination: "/dev", type: "bind", source: "/dev", options: ["rbind"]} else . end)' \
      cat /proc/1/comm
    run -0 oci "$runtime" --log "$BATS_TEST_TMPDIR/log" run -b "$BUNDLE" bound </dev/null
    expect_in cat "$output"
    expect [ ! -e /dev/.foster ]
    grep -q 'its /dev is not a tmpfs of its own' "$BATS_TEST_TMPDIR/log"
    rm "$BATS_TEST_TMPDIR/log"
  done
}

@test "what runc and crun specify is edited as python's reader of JSON would have it" {
  local spec
  BUNDLE=$BATS_TEST_TMPDIR/bundle
  mkdir "$BUNDLE"
  cd "$BUNDLE"
  for spec in 'runc spec' 'runc spec --rootless' 'crun spec' 'crun spec --rootless'; do
    rm -f config.json
    $spec
    # Nothing is run: the bundle has no root.
    run ! record-before --root "$BATS_TEST_TMPDIR/state" create --bundle "$BUNDLE" x </dev/null
    expect_edited "$BATS_TEST_TMPDIR/bin/before" "$BATS_TEST_TMPDIR/bin/after"
    rm "$BATS_TEST_TMPDIR"/bin/{before,after}
  done
}
