#!/usr/bin/env bats
# Pods as a kubelet makes them: containerd's CRI, with foster-runtime as the handler of a RuntimeClass, and foster as the sandbox process.
load engines

setup_file() {
  requires_root
  requires_static
  # A socket's path is short.
  NODE=$(mktemp -d /tmp/foster-node.XXXXXX)
  export NODE
  mkdir "$NODE/bin" "$NODE/logs" "$NODE/python"
  make_runtimes "$NODE/bin"
  protoc --python_out="$NODE/python" --proto_path="$BATS_TEST_DIRNAME" cri.proto
  cat >"$NODE/config.toml" <<EOF
version = 2
root = "$NODE/root"
state = "$NODE/state"
[grpc]
address = "$NODE/socket"
[ttrpc]
address = "$NODE/ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "docker.io/library/pause:test"
restrict_oom_score_adj = true
disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".containerd]
default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.record]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.record.options]
BinaryName = "$NODE/bin/record-before"
EOF
  # As the manifest has it, but for where foster-runtime is.
  sed -e '/^version/d' -e "s,/usr/local/bin,$NODE/bin," "$BATS_TEST_DIRNAME/../../src/kubernetes/containerd.toml" >>"$NODE/config.toml"
  containerd --config "$NODE/config.toml" >"$NODE/log" 2>&1 3>&- &
  export NODE_PID=$!
  wait_until cri Version '{}'
  make_root "$NODE/busybox"
  import_image busybox '{"Env": ["PATH=/bin"]}'
  mkdir "$NODE/pause"
  cp "$FOSTER" "$NODE/pause/pause"
  import_image pause '{"Entrypoint": ["/pause"], "User": "65535:65535"}'
}

teardown_file() {
  local id
  for id in "$NODE"/pods/*; do
    id=${id##*/}
    cri StopPodSandbox "{\"pod_sandbox_id\": \"$id\"}" || true
    cri RemovePodSandbox "{\"pod_sandbox_id\": \"$id\"}" || true
  done
  kill "$NODE_PID" 2>/dev/null || true
  wait_until has_ended "$NODE_PID"
  rm -rf "$NODE"
}

cri() {
  PYTHONPATH=$NODE/python /usr/bin/python3 "$BATS_TEST_DIRNAME/cri.py" "$NODE/socket" "$@"
}

# Makes an image of the directory of this name, with this configuration, and gives it to containerd.
import_image() {
  local name=$1 config=$2 dir=$NODE/image sum
  mkdir "$dir"
  tar -C "$NODE/$name" -cf "$dir/layer.tar" .
  sum=$(sha256sum <"$dir/layer.tar" | cut -d' ' -f1)
  jq -n --arg sum "sha256:$sum" --arg cpu "$(dpkg --print-architecture)" --argjson config "$config" \
    '{architecture: $cpu, os: "linux", $config, rootfs: {type: "layers", diff_ids: [$sum]}}' >"$dir/config.json"
  jq -n --arg name "docker.io/library/$name:test" '[{Config: "config.json", RepoTags: [$name], Layers: ["layer.tar"]}]' >"$dir/manifest.json"
  tar -C "$dir" -cf "$NODE/image.tar" manifest.json config.json layer.tar
  ctr -a "$NODE/socket" -n k8s.io images import "$NODE/image.tar" >/dev/null
  rm -r "$dir" "$NODE/image.tar"
}

# Makes a pod: $POD. Its handler, and whose PID namespace its containers are in: POD or CONTAINER.
run_pod() {
  PID_NAMESPACE=$2
  POD_CONFIG=$(jq -n --arg name "pod-$BATS_TEST_NUMBER-$RANDOM" --arg logs "$NODE/logs" --arg pid "$2" '{
    metadata: {$name, uid: $name, namespace: "default"}, log_directory: $logs,
    linux: {security_context: {namespace_options: {network: "NODE", $pid}}}}')
  POD=$(cri RunPodSandbox "$(jq -n --argjson config "$POD_CONFIG" --arg runtime_handler "$1" '{$config, $runtime_handler}')" |
    jq -r .pod_sandbox_id)
  mkdir -p "$NODE/pods"
  touch "$NODE/pods/$POD"
}

# Starts a container in that pod, with a change to its configuration by jq: $CONTAINER. Its log is $LOG.
start_container() {
  local edit=$1 words
  shift
  words=$(/usr/bin/python3 -c 'import json, sys; print(json.dumps(sys.argv[1:]))' "$@")
  LOG=$NODE/logs/$BATS_TEST_NUMBER-$RANDOM
  CONTAINER=$(cri CreateContainer "$(jq -n --arg pod "$POD" --argjson pod_config "$POD_CONFIG" --argjson words "$words" --arg log "${LOG##*/}" \
    --arg pid "$PID_NAMESPACE" "{pod_sandbox_id: \$pod, sandbox_config: \$pod_config, config: ({metadata: {name: \$log},
      image: {image: \"docker.io/library/busybox:test\"}, command: \$words, log_path: \$log,
      linux: {security_context: {namespace_options: {network: \"NODE\", \$pid}}}} | $edit)}")" | jq -r .container_id)
  cri StartContainer "{\"container_id\": \"$CONTAINER\"}"
}

container() {
  cri ContainerStatus "{\"container_id\": \"$CONTAINER\"}" | jq -r ".status.$1"
}

has_exited() {
  [[ $(container state) == CONTAINER_EXITED ]]
}

# Runs a probe in the container: its output in $output, its exit code in $status.
probe() {
  local answer
  answer=$(cri ExecSync "$(jq -n --arg id "$CONTAINER" --arg script "$1" '{container_id: $id, cmd: ["sh", "-c", $script], timeout: 20}')")
  output=$(jq -r '.stdout + .stderr | @base64d' <<<"$answer")
  status=$(jq .exit_code <<<"$answer")
}

# Without what the log says before each line.
log() {
  sed -E 's/^[^ ]+ (stdout|stderr) [FP] //' "$LOG" | tr -d '\r'
}

says_ready() {
  log | grep -q READY
}

stop_container() {
  cri StopContainer "{\"container_id\": \"$CONTAINER\", \"timeout\": 20}"
}

@test "without a runtime handler the command is PID 1, as ever" {
  run_pod '' CONTAINER
  start_container . sleep 1000
  probe 'cat /proc/1/comm'
  expect [ "$output" = sleep ]
}

@test "a runtime handler is all that a pod needs to run under foster: zombies are reaped, TERM arrives, the exit code is the program's" {
  run_pod foster CONTAINER
  start_container . leave-orphans
  wait_until says_ready
  stop_container
  expect [ "$(container exit_code)" = 7 ]
  expect_reaped_under "$(log)" .foster
}

@test "exec probes, and what they leave in the background, leave no zombie" {
  run_pod foster CONTAINER
  start_container . leave-orphans
  wait_until says_ready
  for code in 1 2 3 4 5 6 7 8; do
    probe "(sleep 0 &); (sleep 0.1 &); exit $code"
    expect_status "$code"
  done
  wait_until eval 'probe "ps -o stat,comm"; ! grep "^Z" <<<"$output"'
  expect_in .foster "$output"
}

@test "exit codes in the container's status: the program's own, 137 and 143 by signals, 127 for one that is not there" {
  run_pod foster CONTAINER
  for case in '42 exit 42' '137 kill -KILL $$' '143 kill -TERM $$' '127 exec no-such-command'; do
    start_container . sh -c "${case#* }"
    wait_until has_exited
    expect [ "$(container exit_code)" = "${case%% *}" ]
  done
  start_container . no-such-command
  wait_until has_exited
  expect [ "$(container exit_code)" = 127 ]
  expect_in "foster: error: cannot run 'no-such-command': No such file or directory" "$(log)"
}

@test "the termination log, a file of the node's that is mounted as a kubelet does it, tells how the program ended" {
  run_pod foster CONTAINER
  touch "$NODE/termination-log"
  start_container ".mounts = [{container_path: \"/dev/termination-log\", host_path: \"$NODE/termination-log\"}] |
    .envs = [{key: \"FOSTER_OPTIONS\", value: \"--termination-log\"}]" sh -c 'env | grep FOSTER_; exec leave-orphans'
  wait_until says_ready
  expect [ "$(log)" = READY ]
  stop_container
  grep -Eq '^foster: leave-orphans\[[0-9]+\] exited with 7 after [0-9]+m?s; last signal: SIGTERM ' "$NODE/termination-log"
}

@test "as another user, on a read-only root, without new privileges, with a terminal" {
  run_pod foster CONTAINER
  start_container '.linux.security_context += {run_as_user: {value: 1234}, run_as_group: {value: 5678}, readonly_rootfs: true, no_new_privs: true}' \
    sh -c 'id -u; id -g; cat /proc/1/comm; exit 9'
  wait_until has_exited
  expect [ "$(container exit_code)" = 9 ]
  expect [ "$(log)" = $'1234\n5678\n.foster' ]
  start_container '.tty = true' sh -c 'tty; cat /proc/1/comm'
  wait_until has_exited
  expect [ "$(container exit_code)" = 0 ]
  expect_in $'/dev/' "$(log)"
  expect_in .foster "$(log)"
}

@test "foster as the sandbox process reaps in a shared PID namespace, where the containers stay as they are; and it ends at once" {
  local asked
  run_pod foster POD
  start_container . leave-orphans
  wait_until says_ready
  wait_until eval 'probe "ps -o pid,ppid,stat,comm"; ! grep " Z " <<<"$output"'
  grep -Eq '^ +1 +0 +S +pause$' <<<"$output"
  run ! grep foster <<<"$output"
  probe '(sleep 0 &); (sleep 0 &); exit 3'
  expect_status 3
  wait_until eval 'probe "ps -o pid,ppid,stat,comm"; ! grep " Z " <<<"$output"'
  stop_container
  expect [ "$(container exit_code)" = 7 ]
  asked=$(now)
  cri StopPodSandbox "{\"pod_sandbox_id\": \"$POD\"}"
  expect [ $(($(now) - asked)) -lt 5000 ] # a kill comes after 10 s
}

@test "what containerd configures is edited as python's reader of JSON would have it, a pod's sandbox not at all" {
  run_pod record CONTAINER
  cmp "$NODE/bin/before" "$NODE/bin/after"
  start_container '.envs = [{key: "A", value: "}]\"\\"}]' sleep 1000
  expect_edited "$NODE/bin/before" "$NODE/bin/after"
  probe 'cat /proc/1/comm'
  expect [ "$output" = .foster ]
}
