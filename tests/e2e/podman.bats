#!/usr/bin/env bats
# podman, with foster as its init.
load engines

setup_file() {
  requires_root
  requires_static
  STORE=$(mktemp -d /tmp/foster-podman.XXXXXX)
  export STORE
  make_root "$STORE/root"
  tar -C "$STORE/root" -c . | podman import -c 'ENV PATH=/bin' - busybox
}

teardown_file() {
  podman rm --all --force --time 0
  umount -R "$STORE"/store/* 2>/dev/null || true
  rm -rf "$STORE"
}

podman() {
  command podman --root "$STORE/store" --runroot "$STORE/run" --storage-driver vfs --runtime runc --cgroup-manager cgroupfs "$@"
}

podman_run() {
  podman run --ulimit nofile=4096:4096 --ulimit nproc=20000:20000 --network none --init --init-path "$FOSTER" "$@"
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
