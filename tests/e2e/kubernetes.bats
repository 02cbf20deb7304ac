#!/usr/bin/env bats
# Pods as a kubelet makes them: containerd's CRI, with foster-runtime as the handler of a RuntimeClass, and foster as
# the sandbox process.
load engines

# Not in setup_file, where bats 1.8 takes a skip for a failure.
setup() {
  requires_root
  requires_static
}

setup_file() {
  [[ $(id -u) == 0 ]] || return 0
  # A socket's path is short.
  NODE=$(mktemp -d /tmp/foster-node.XXXXXX)
  export NODE
  mkdir "$NODE/bin" "$NODE/logs" "$NODE/python"
  make_runtimes "$NODE/bin"
  make_crun_handler "$NODE/bin/crun-handler"
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
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.record]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.record.options]
BinaryName = "$NODE/bin/record-before"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.foster-crun]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.foster-crun.options]
BinaryName = "$NODE/bin/crun-handler"
EOF
  # As the manifest has it, but for where foster-runtime is.
  sed -e '/^version/d' -e "s,/usr/local/bin,$NODE/bin," "$BATS_TEST_DIRNAME/../../src/kubernetes/containerd.toml" >>"$NODE/config.toml"
  # In a session of its own: Ctrl-C leaves it to teardown_file, which needs it.
  setsid containerd --config "$NODE/config.toml" >"$NODE/log" 2>&1 3>&- &
  echo $! >"$NODE/pid"
  export SOCKET=$NODE/socket
  wait_until cri Version '{}'
  make_root "$NODE/busybox"
  import_image busybox '{"Env": ["PATH=/bin"]}'
  mkdir "$NODE/pause"
  cp "$FOSTER" "$NODE/pause/pause"
  import_image pause '{"Entrypoint": ["/pause"], "User": "65535:65535"}'
  # As the Dockerfile makes it.
  mkdir "$NODE/foster"
  cp "$FOSTER" "$NODE/foster/foster"
  import_image foster '{"Entrypoint": ["/foster", "--"]}'
}

# foster-crun, with the view of the cgroups that oci() gives to crun.
make_crun_handler() {
  cat >"$1" <<EOF
#!/bin/sh
[ ! -d /sys/fs/cgroup/unified ] ||
  exec unshare --mount sh -c 'umount /sys/fs/cgroup/unified && exec "\$@"' sh "$NODE/bin/foster-crun" "\$@"
exec "$NODE/bin/foster-crun" "\$@"
EOF
  chmod +x "$1"
}

teardown_file() {
  local node id
  for node in ${NODE:+"$NODE" "$NODE"/nodes/*}; do
    [[ -e $node/pid ]] || continue
    SOCKET=$node/socket
    # Those that were not made to the end, too.
    for id in $(cri ListPodSandbox '{}' | jq -r '.items[].id'); do
      cri StopPodSandbox "{\"pod_sandbox_id\": \"$id\"}" || true
      cri RemovePodSandbox "{\"pod_sandbox_id\": \"$id\"}" || true
    done
    kill "$(cat "$node/pid")" 2>/dev/null || true
    wait_until has_ended "$(cat "$node/pid")"
  done
  rm -rf "${NODE:-}"
}

cri() {
  PYTHONPATH=$NODE/python /usr/bin/python3 "$BATS_TEST_DIRNAME/cri.py" "$SOCKET" "$@"
}

# Makes an image of the directory of this name, with this configuration, NAME.tar, and gives it to containerd.
import_image() {
  local name=$1 config=$2 dir=$NODE/image sum
  mkdir "$dir"
  tar -C "$NODE/$name" -cf "$dir/layer.tar" .
  sum=$(sha256sum <"$dir/layer.tar" | cut -d' ' -f1)
  jq -n --arg sum "sha256:$sum" --arg cpu "$(dpkg --print-architecture)" --argjson config "$config" \
    '{architecture: $cpu, os: "linux", $config, rootfs: {type: "layers", diff_ids: [$sum]}}' >"$dir/config.json"
  jq -n --arg name "docker.io/library/$name:test" '[{Config: "config.json", RepoTags: [$name], Layers: ["layer.tar"]}]' >"$dir/manifest.json"
  tar -C "$dir" -cf "$NODE/$name.tar" manifest.json config.json layer.tar
  ctr -a "$SOCKET" -n k8s.io images import "$NODE/$name.tar" >/dev/null
  rm -r "$dir"
}

# Starts a containerd of its own with a configuration file, which is changed only where a test's node is not a real one:
# $SOCKET. Its CRI plugin may not have been loaded; what was is in $PLUGINS.
start_node() {
  local node=$NODE/nodes/$1 cri='plugins."io.containerd.grpc.v1.cri"'
  mkdir -p "$node"
  sed -E -e '/^ *(restrict_oom_score_adj|disable_apparmor|sandbox_image) =/d' -e "s,/usr/local/bin,$NODE/bin," \
    -e "s,\"/(opt|var/lib)/containerd(/opt)?\",\"$node/opt\"," "$2" >"$node/config.toml"
  grep -q "^ *\[$cri\]" "$node/config.toml" || sed -i "s/^version.*/&\n[$cri]/" "$node/config.toml"
  sed -i "s,^ *\[$cri\],&\nrestrict_oom_score_adj = true\ndisable_apparmor = true\nsandbox_image = \"docker.io/library/pause:test\"," \
    "$node/config.toml"
  SOCKET=$node/socket
  setsid containerd --config "$node/config.toml" --root "$node/root" --state "$node/state" --address "$SOCKET" >"$node/log" 2>&1 3>&- &
  echo $! >"$node/pid"
  wait_until ctr -a "$SOCKET" version
  PLUGINS=$(ctr -a "$SOCKET" plugins ls)
}

# Whether the CRI plugin of that node is loaded, by the command in the README.
cri_is() {
  grep -Eq "^io.containerd.grpc.v1 +cri .* $1 *\$" <<<"$PLUGINS"
}

# Makes a pod: $POD. Its handler, and whose PID namespace its containers are in: POD or CONTAINER.
run_pod() {
  PID_NAMESPACE=$2
  POD_CONFIG=$(jq -n --arg name "pod-$BATS_TEST_NUMBER-$RANDOM" --arg logs "$NODE/logs" --arg pid "$2" '{
    metadata: {$name, uid: $name, namespace: "default"}, log_directory: $logs,
    linux: {security_context: {namespace_options: {network: "NODE", $pid}}}}')
  POD=$(cri RunPodSandbox "$(jq -n --argjson config "$POD_CONFIG" --arg runtime_handler "$1" '{$config, $runtime_handler}')" |
    jq -r .pod_sandbox_id)
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

# The event of the sandbox's end, of containerd's events in $OUT.
end_of_sandbox() {
  grep "/tasks/exit .*\"id\":\"$POD\"" "$OUT"
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
  for handler in foster foster-crun; do
    run_pod "$handler" CONTAINER
    start_container . leave-orphans
    wait_until says_ready
    probe '(sleep 0 &); exit 5'
    expect_status 5
    stop_container
    expect [ "$(container exit_code)" = 7 ]
    expect_reaped_under "$(log)" .foster
  done
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
    sh -c 'id -u; id -g; cat /proc/1/comm; grep NoNewPrivs /proc/self/status; touch /tmp/file || exit 9'
  wait_until has_exited
  expect [ "$(container exit_code)" = 9 ]
  expect_in $'1234\n5678\n.foster\nNoNewPrivs:\t1' "$(log)" # standard error is logged before or after it
  expect_in 'Read-only file system' "$(log)"
  start_container '.tty = true' sh -c 'tty; cat /proc/1/comm'
  wait_until has_exited
  expect [ "$(container exit_code)" = 0 ]
  expect_in $'/dev/' "$(log)"
  expect_in .foster "$(log)"
}

@test "foster as the sandbox process reaps in a shared PID namespace, where the containers stay as they are; SIGTERM ends it with 0" {
  run_pod foster POD
  start_container . leave-orphans
  wait_until says_ready
  wait_until eval 'probe "ps -o pid,ppid,stat,comm"; ! grep " Z " <<<"$output"'
  grep -Eq '^ +1 +0 +S +pause$' <<<"$output"
  run ! grep foster <<<"$output"
  probe '(sleep 0 &); (sleep 0 &); exit 3'
  expect_status 3
  wait_until eval 'probe "ps -o pid,ppid,stat,comm"; ! grep " Z " <<<"$output"'
  start_in subreaper ctr -a "$SOCKET" -n k8s.io events
  wait_until eval 'probe true; [[ -s $OUT ]]'
  stop_container
  expect [ "$(container exit_code)" = 7 ]
  # Not by StopPodSandbox: containerd's kills the sandbox process at once.
  ctr -a "$SOCKET" -n k8s.io tasks kill --signal TERM "$POD"
  wait_until end_of_sandbox
  run ! grep exit_status <<<"$(end_of_sandbox)" # 0 is left out
}

@test "an init container installs foster into a volume, from which the container starts it, as init-container.yaml has it" {
  local mount='container_path: "/foster-bin", host_path: env.VOLUME'
  export VOLUME=$NODE/volume
  mkdir -m 777 "$VOLUME" # as a kubelet makes an emptyDir
  run_pod '' CONTAINER
  for _ in 1 2; do # a restart of the pod's sandbox runs it again
    start_container ".image.image = \"docker.io/library/foster:test\" | .mounts = [{$mount}] |
      .linux.security_context += {run_as_user: {value: 65532}, readonly_rootfs: true, no_new_privs: true}" /foster --install /foster-bin/
    wait_until has_exited
    expect [ "$(container exit_code)" = 0 ]
    expect [ -z "$(log)" ]
    expect [ "$(ls -A "$VOLUME")" = foster ]
  done
  start_container ".mounts = [{$mount, readonly: true}]" /foster-bin/foster -- leave-orphans
  wait_until says_ready
  stop_container
  expect [ "$(container exit_code)" = 7 ]
  expect_reaped_under "$(log)" foster
}

# Whether it is the annotation that spares the sandbox that was recorded last, not its program's name, which is an
# init's, too. Nothing is run: the bundle has no root.
expect_spared_as_sandbox() {
  local bundle=$BATS_TEST_TMPDIR/bundle type
  mkdir "$bundle"
  jq '.process.args = ["/hold"]' "$NODE/bin/before" >"$bundle/sandbox"
  for type in container sandbox; do
    jq --arg type "$type" '.annotations["io.kubernetes.cri.container-type"] |= if . == "sandbox" then $type else error end' \
      "$bundle/sandbox" >"$bundle/config.json"
    run ! "$NODE/bin/record-before" --root "$BATS_TEST_TMPDIR/state" create --bundle "$bundle" x </dev/null
    [[ $type == sandbox ]] || expect_edited "$NODE/bin/before" "$NODE/bin/after"
  done
  cmp "$NODE/bin/before" "$NODE/bin/after"
}

@test "a container in the node's PID namespace stays as it is" {
  run_pod foster NODE
  start_container . sh -c 'cat "/proc/$PPID/comm"'
  wait_until has_exited
  expect [ "$(log)" = containerd-shim ]
}

@test "what containerd configures is edited as python's reader of JSON would have it, a pod's sandbox not at all" {
  run_pod record CONTAINER
  cmp "$NODE/bin/before" "$NODE/bin/after"
  expect_spared_as_sandbox
  start_container '.envs = [{key: "A", value: "}]\"\\"}]' sleep 1000
  expect_edited "$NODE/bin/before" "$NODE/bin/after"
  probe 'cat /proc/1/comm'
  expect [ "$output" = .foster ]
}

# A file of containerd's as there are in the wild: $CONFIG. Debian's own has no runtimes, that of `containerd config
# default` has runc.
make_config() {
  CONFIG=$BATS_TEST_TMPDIR/$1.toml
  case $1 in
    distribution) cp /etc/containerd/config.toml "$CONFIG" ;;
    default) containerd config default >"$CONFIG" ;;
    none) rm -f "$CONFIG" ;;
  esac
}

# Does with that file what the README says, with this tree in place of what `make install` has put elsewhere.
follow_readme() {
  local words
  words=$(sed -n 's,^    sh /usr/local/share/foster/\(.*\) && systemctl restart containerd$,\1,p' "$BATS_TEST_DIRNAME/../../src/kubernetes/README.md")
  sh "$BATS_TEST_DIRNAME/../../src/$words" "$CONFIG"
}

# Does by hand what the README says: appends the tables that it has for a handler.
append_tables() {
  sed -n "/^    \[plugins.*runtimes\.$1\]/,/^\$/{s/^    //;p}" "$BATS_TEST_DIRNAME/../../src/kubernetes/README.md" >>"$CONFIG"
}

@test "containerd's configuration, made as the README says: the CRI plugin is loaded, and runs pods with foster and without" {
  for kind in distribution default none; do
    make_config "$kind"
    follow_readme
    start_node "$kind" "$CONFIG"
    cri_is ok
    for image in busybox pause; do
      ctr -a "$SOCKET" -n k8s.io images import "$NODE/$image.tar" >/dev/null
    done
    for case in '.foster foster' 'sleep '; do
      run_pod "${case#* }" CONTAINER
      start_container . sleep 1000
      probe 'cat /proc/1/comm'
      expect [ "$output" = "${case%% *}" ]
    done
  done
}

@test "containerd's configuration, made by hand as the README says, comes to the same; with a table less there is no CRI plugin" {
  local by_script
  for kind in distribution default; do
    make_config "$kind"
    follow_readme
    by_script=$(containerd --config "$CONFIG" config dump)
    make_config "$kind"
    append_tables foster
    if [[ $kind == distribution && $(containerd --version) == *' 1.'* ]]; then
      start_node "$kind-less" "$CONFIG"
      cri_is error
    fi
    if [[ $kind == default ]]; then
      cp "$CONFIG" "$CONFIG.twice"
      sed -n '/runtimes\.runc\]/,/^$/p' "$BATS_TEST_DIRNAME/../../src/kubernetes/containerd.toml" >>"$CONFIG.twice"
      run ! containerd --config "$CONFIG.twice" config dump
    else
      append_tables runc
    fi
    diff <(echo "$by_script") <(containerd --config "$CONFIG" config dump)
    start_node "$kind-by-hand" "$CONFIG"
    cri_is ok
    # The whole manifest, too, where its first line is not the file's.
    if [[ $kind == distribution ]]; then
      make_config "$kind"
      sed '1,/^version/d' "$BATS_TEST_DIRNAME/../../src/kubernetes/containerd.toml" >>"$CONFIG"
      diff <(echo "$by_script") <(containerd --config "$CONFIG" config dump)
    fi
  done
}

@test "why a container was left alone is told, as the README says, in log.json of its task, as long as that runs" {
  local log
  run_pod foster CONTAINER
  start_container '.mounts = [{container_path: "/dev", host_path: "/dev"}]' sleep 1000
  probe 'cat /proc/1/comm'
  expect [ "$output" = sleep ]
  log=$NODE/state/io.containerd.runtime.v2.task/k8s.io/$CONTAINER/log.json
  expect grep -qF '/run/containerd/io.containerd.runtime.v2.task/k8s.io/ID/log.json' "$BATS_TEST_DIRNAME/../../src/kubernetes/README.md"
  expect_in 'foster-runtime: not put under foster: its /dev is not a tmpfs of its own' "$(jq -r 'select(.level == "warning").msg' "$log")"
  stop_container
  expect [ ! -e "$log" ]
}

@test "under conmon, with the words that CRI-O gives it, that line is in the container's own log, on standard error" {
  local dir=$BATS_TEST_TMPDIR/conmon terminal mounts
  for terminal in '' --terminal; do
    mounts='map(if .destination == "/dev" then {destination: "/dev", type: "bind", source: "/dev", options: ["rbind"]} else . end)'
    [[ -z $terminal ]] || mounts='map(select(.destination != "/dev"))' # runc makes no terminal in a bound /dev
    make_bundle ".process.terminal = $([[ $terminal ]] && echo true || echo false) | .mounts |= $mounts" cat /proc/1/comm
    rm -rf "$dir"
    mkdir -p "$dir/exits"
    # shellcheck disable=SC2086 # an absent word
    conmon --bundle "$BUNDLE" --cid container --cuuid container --name container --exit-dir "$dir/exits" --log-path "$dir/log" \
      --log-level info --conmon-pidfile "$dir/conmon" --container-pidfile "$dir/pidfile" --persist-dir "$dir" \
      --runtime "$NODE/bin/foster-runc" --runtime-arg --root="$dir/state" --socket-dir-path "$dir" --syslog $terminal 3>&-
    wait_until [ -s "$dir/pidfile" ]
    runc --root "$dir/state" start container
    wait_until [ -e "$dir/exits/container" ]
    runc --root "$dir/state" delete container
    expect [ "$(LOG=$dir/log log | tail -n 1)" = cat ]
    grep -Eq '^[^ ]+ stderr F foster-runtime: not put under foster: its /dev is not a tmpfs of its own' "$dir/log"
  done
}
