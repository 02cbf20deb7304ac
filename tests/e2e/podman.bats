#!/usr/bin/env bats
# podman, with foster as its init, and with foster-runtime.
load engines

setup_file() {
  requires_root
  requires_static
  STORE=$(mktemp -d /tmp/foster-podman.XXXXXX)
  export STORE
  make_root "$STORE/root"
  mkdir "$STORE/bin"
  make_runtimes "$STORE/bin"
  tar -C "$STORE/root" -c . | podman import -c 'ENV PATH=/bin' - busybox
}

teardown_file() {
  podman rm --all --force --time 0
  umount -R "$STORE"/store/* 2>/dev/null || true
  rm -rf "$STORE"
}

podman() {
  command podman --root "$STORE/store" --runroot "$STORE/run" --storage-driver vfs --runtime "${RUNTIME:-runc}" --cgroup-manager cgroupfs "$@"
}

run_plainly() {
  podman run --ulimit nofile=4096:4096 --ulimit nproc=20000:20000 --network none "$@"
}

podman_run() {
  run_plainly --init --init-path "$FOSTER" "$@"
}

@test "podman run --init: foster is PID 1, reaps, forwards, and its exit status is the child's" {
  podman_run --detach --name init busybox leave-orphans
  wait_until eval 'podman logs init | grep READY'
  podman kill -s TERM init
  [[ $(podman wait init) == 7 ]]
  expect_reaped_under "$(podman logs init)" podman-init
  run -1 podman_run --rm busybox no-such-command
  expect_in "foster: error: cannot run 'no-such-command'" "$output"
}

@test "podman stop ends a shell that knows no SIGTERM at once: 143" {
  podman_run --detach --name stopped busybox sh -c 'echo READY; while :; do sleep 1000; done'
  wait_until eval 'podman logs stopped | grep READY'
  podman stop -t 20 stopped
  [[ $(podman inspect -f '{{.State.ExitCode}}' stopped) == 143 ]]
}

@test "podman --runtime: an image that knows nothing of foster runs under it" {
  local RUNTIME=$STORE/bin/foster-runc # for podman()
  run_plainly --detach --name under busybox leave-orphans
  wait_until eval 'podman logs under | grep READY'
  podman kill -s TERM under
  [[ $(podman wait under) == 7 ]]
  expect_reaped_under "$(podman logs under)" .foster
  run -0 podman_run --rm busybox cat /proc/1/comm
  expect [ "$output" = podman-init ]
  run -0 podman --runtime-flag foster-options=--grace=5s run --rm --ulimit nofile=4096:4096 --ulimit nproc=20000:20000 --network none \
    busybox sh -c 'tr "\0" " " </proc/1/cmdline'
  expect_in '/dev/.foster --grace=5s -- ' "$output"
}

@test "what podman configures is edited as python's reader of JSON would have it" {
  local options count=0 RUNTIME=$STORE/bin/record-before
  while read -r options; do
    # shellcheck disable=SC2086 # several words
    run -3 run_plainly --rm $options busybox sh -c 'echo "\"]}\\ ä"; exit 3'
    expect_edited "$STORE/bin/before" "$STORE/bin/after"
    rm "$STORE"/bin/{before,after}
    count=$((count + 1))
  done <<'EOF'

--privileged
--read-only --cap-drop ALL --user 1234:5678
--env A="}]" --volume /etc:/mnt:ro --workdir /tmp --hostname h
--tty --ipc private --uts host --security-opt no-new-privileges
EOF
  expect [ "$count" = 5 ]
}
