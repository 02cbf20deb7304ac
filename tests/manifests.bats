#!/usr/bin/env bats
load helpers

MANIFESTS=$(realpath "$BATS_TEST_DIRNAME/../src/kubernetes")

# Kubernetes' own schema and a YAML parser come from the npm registry, once for this file, in the versions and with the
# checksums of the lock file.
requires_schema() {
  command -v npm >/dev/null || skip 'requires npm'
  SCHEMA=$BATS_FILE_TMPDIR/schema
  (
    flock 9
    [[ -d $SCHEMA ]] || load_schema
  ) 9>"$SCHEMA.lock"
}

load_schema() {
  cp -r "$BATS_TEST_DIRNAME/kubernetes" "$SCHEMA.new"
  if ! (cd "$SCHEMA.new" && timeout 120 npm ci --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error \
    --fetch-retries=3 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000); then
    rm -r "$SCHEMA.new"
    echo 'the packages of tests/kubernetes cannot be had from the npm registry: no manifest was checked' >&2
    return 1
  fi
  mv "$SCHEMA.new" "$SCHEMA"
}

check() {
  node "$SCHEMA/check.mjs" "$@"
}

# What a manifest says, by a filter of jq.
manifest() {
  local json=$SCHEMA/$1.json
  if [[ ! -e $json ]]; then
    check "$MANIFESTS/$1.yaml" >"$json.$BASHPID"
    mv "$json.$BASHPID" "$json"
  fi
  jq -er "$2" "$json"
}

# Whether a filter of jq holds for a manifest.
holds() {
  if ! manifest "$@" >/dev/null; then
    echo "not so in $1: $2" >&2
    return 1
  fi
}

# A TOML file as JSON.
toml() {
  /usr/bin/python3 -c 'import json, sys, tomllib; json.dump(tomllib.load(open(sys.argv[1], "rb")), sys.stdout)' "$1"
}

requires_toml() {
  /usr/bin/python3 -c 'import tomllib' 2>/dev/null || skip 'requires python3 3.11'
}

# The manifest, changed by sed, must be refused with these words: by all_are_refused, which looks at all of them.
REFUSED=()
refused() {
  local changed=$BATS_TEST_TMPDIR/${#REFUSED[@]}.yaml
  sed "$2" "$MANIFESTS/$1.yaml" >"$changed"
  expect [ "$(cmp "$MANIFESTS/$1.yaml" "$changed")" ]
  REFUSED+=("$changed: $3")
}

all_are_refused() {
  run -1 --separate-stderr check "${REFUSED[@]%%: *}"
  for words in "${REFUSED[@]}"; do
    # shellcheck disable=SC2154 # run sets it
    expect_in "$words" "$stderr"
  done
}

@test "each manifest fits Kubernetes' own schema, and has no field that the schema does not know" {
  requires_schema
  run -0 --separate-stderr check "$MANIFESTS"/*.yaml
  expect [ -z "$stderr" ]
  expect [ "${#lines[@]}" = 8 ]
}

@test "a field that is misspelt, missing, given twice or of a wrong type, a word and a kind that are not Kubernetes' are refused" {
  requires_schema
  refused runtime-class 's/^handler/handlr/' '/handlr: unknown field'
  refused runtime-class '/^handler/d' '/: required {"missingProperty":"handler"}'
  refused runtime-class 's/^handler: foster/&\n&/' 'Map keys must be unique'
  refused runtime-class 's/^kind: RuntimeClass/kind: RuntimeKlass/' "no kind 'RuntimeKlass' in 'node.k8s.io/v1'"
  refused runtime-class-pod 's/runtimeClassName/runtimeClass/' '/spec/runtimeClass: unknown field'
  refused runtime-class-pod 's/value: .*/value: 1/' '/spec/containers/0/env/0/value: type {"type":"string"}'
  refused admission-policy 's/foster: "true"/foster: true/' \
    '/spec/matchResources/namespaceSelector/matchLabels/foster: type {"type":"string"}'
  refused admission-policy 's/namespaceSelector/namespaceSelectors/' '/spec/matchResources/namespaceSelectors: unknown field'
  refused admission-policy 's/patchType: JSONPatch/patchType: Patch/' '/spec/mutations/0/patchType: enum '
  refused admission-policy 's,k8s.io/v1$,k8s.io/v2,' "no kind 'MutatingAdmissionPolicy' in 'admissionregistration.k8s.io/v2'"
  refused init-container 's/readOnly:/readonly:/' '/spec/containers/0/volumeMounts/0/readonly: unknown field'
  refused init-container 's/sizeLimit/sizelimit/' '/spec/volumes/0/emptyDir/sizelimit: unknown field'
  refused image-volume 's/reference/ref/' '/spec/volumes/0/image/ref: unknown field'
  refused shared-process-namespace 's/shareProcessNamespace/sharedProcessNamespace/' '/spec/sharedProcessNamespace: unknown field'
  refused agent-daemonset 's/allowPrivilegeEscalation/allowPrivilegesEscalation/' \
    '/spec/template/spec/initContainers/0/securityContext/allowPrivilegesEscalation: unknown field'
  refused agent-daemonset 's/hostPath:/hostpath:/' '/spec/template/spec/volumes/1/hostpath: unknown field'
  refused agent-daemonset '/^  selector:/,/app: agent/d' '/spec: required {"missingProperty":"selector"}'
  all_are_refused
}

@test "each manifest begins with two to four lines that say when to choose it" {
  for file in "$MANIFESTS"/*; do
    [[ $file != */README.md ]] || continue
    local heading
    heading=$(sed '/^#/!Q' "$file")
    expect_in 'Choose it ' "$heading"
    expect [ "$(wc -l <<<"$heading")" -ge 2 ]
    expect [ "$(wc -l <<<"$heading")" -le 4 ]
  done
}

@test "the pod, the policy, the RuntimeClass, containerd and CRI-O name one another" {
  requires_schema
  requires_toml
  local name handler
  name=$(manifest runtime-class .metadata.name)
  handler=$(manifest runtime-class .handler)
  expect [ "$(manifest runtime-class-pod .spec.runtimeClassName)" = "$name" ]
  expect [ "$(manifest admission-policy '.spec.mutations[]?.jsonPatch.expression')" = \
    "[JSONPatch{op: \"add\", path: \"/spec/runtimeClassName\", value: \"$name\"}]" ]
  expect [ "$(manifest admission-policy 'select(.kind == "MutatingAdmissionPolicyBinding").spec.policyName')" = \
    "$(manifest admission-policy 'select(.kind == "MutatingAdmissionPolicy").metadata.name')" ]
  toml "$MANIFESTS/containerd.toml" | jq -e --arg handler "$handler" '. == { version: 2, plugins: { "io.containerd.grpc.v1.cri":
    { containerd: { runtimes: { runc: { runtime_type: "io.containerd.runc.v2", options: {} }, ($handler):
      { runtime_type: "io.containerd.runc.v2", options: { BinaryName: "/usr/local/bin/foster-runc" } } } } } } }'
  toml "$MANIFESTS/crio.conf" | jq -e --arg handler "$handler" '. == { crio: { runtime: { runtimes: { ($handler):
    { runtime_path: "/usr/local/bin/foster-crun", runtime_type: "oci", runtime_root: "/run/crun" } } } } }'
}

@test "containerd takes its stanza, in version 2 and, where it knows that, in version 3" {
  command -v containerd >/dev/null || skip 'requires containerd'
  containerd --config "$MANIFESTS/containerd.toml" config dump >"$BATS_TEST_TMPDIR/dump"
  grep -A 30 'containerd\.runtimes\.foster\]' "$BATS_TEST_TMPDIR/dump" | grep -m 1 -qE "BinaryName = [\"']/usr/local/bin/foster-runc[\"']"
  grep -A 30 'containerd\.runtimes\.foster\]' "$BATS_TEST_TMPDIR/dump" | grep -m 1 -qE "runtime_type = [\"']io.containerd.runc.v2[\"']"
  if [[ $(containerd config default) == *'version = 3'* ]]; then
    sed 's/io.containerd.grpc.v1.cri/io.containerd.cri.v1.runtime/; s/^version = 2/version = 3/' "$MANIFESTS/containerd.toml" \
      >"$BATS_TEST_TMPDIR/v3"
    containerd --config "$BATS_TEST_TMPDIR/v3" config dump | grep -A 30 'containerd\.runtimes\.foster\]' | grep -m 1 -q foster-runc
  fi
}

@test "containerd.sh adds the handlers that a file has not, once, with runc's SystemdCgroup, and keeps what the file was" {
  command -v containerd >/dev/null || skip 'requires containerd'
  local dir=$BATS_TEST_TMPDIR/containerd
  local file=$dir/config.toml before=$BATS_TEST_TMPDIR/before cri='plugins."io.containerd.grpc.v1.cri".containerd' kind
  for kind in none empty one-line default no-end systemd runc foster quoted link; do
    rm -rf "$dir" "$before"
    [[ $kind == none ]] || mkdir "$dir"
    case $kind in
      none) ;;
      empty) : >"$file" ;;
      one-line) echo 'version = 2' >"$file" ;;
      default | link) containerd config default >"$file" ;;
      no-end) printf 'version = 2\n#[%s.runtimes.runc]\n[%s]\nsnapshotter = "native"' "$cri" "$cri" >"$file" ;;
      systemd) containerd config default | sed 's/SystemdCgroup = false/SystemdCgroup = true/' >"$file" ;;
      runc | foster) printf 'version = 2\n[%s.runtimes.%s]\nruntime_type = "io.containerd.runc.v2"\n' "$cri" "$kind" >"$file" ;;
      quoted) printf 'version = 2\n[%s.runtimes."runc"]\nruntime_type = "io.containerd.runc.v2"\n' "$cri" >"$file" ;;
    esac
    if [[ $kind == link ]]; then
      mv "$file" "$file.real"
      ln -s config.toml.real "$file"
    fi
    [[ $kind == none ]] || cp "$file" "$before"
    sh "$MANIFESTS/containerd.sh" "$file"
    expect [ "$(grep -c "^[^#]*\.runtimes\.[\"]\?foster[\"]\?\]" "$file")" = 1 ]
    expect [ "$(grep -c "^[^#]*\.runtimes\.[\"]\?runc[\"]\?\]" "$file")" = 1 ]
    expect [ "$(grep -c '^ *SystemdCgroup = true' "$file")" = "$([[ $kind == systemd ]] && echo 2 || echo 0)" ]
    expect [ ! -e "$file.new" ]
    containerd --config "$file" config dump >"$BATS_TEST_TMPDIR/dump"
    grep -q 'runtimes\.foster\]' "$BATS_TEST_TMPDIR/dump"
    grep -q 'runtimes\.runc\]' "$BATS_TEST_TMPDIR/dump"
    if [[ $kind == none ]]; then
      expect [ ! -e "$file.before" ]
    else
      cmp "$before" "$file.before"
      # What the file said stays, and stands first.
      cmp -n "$(stat -c %s "$before")" "$before" "$file"
    fi
    [[ $kind != link ]] || expect [ "$(readlink "$file")" = config.toml.real ]
    # A second time there is nothing to do.
    cp "$file" "$before"
    rm -f "$file.before"
    sh "$MANIFESTS/containerd.sh" "$file"
    cmp "$before" "$file"
    expect [ ! -e "$file.before" ]
  done
}

@test "containerd.sh leaves a file alone with which containerd would not know both handlers, and says so" {
  command -v containerd >/dev/null || skip 'requires containerd'
  local file=$BATS_TEST_TMPDIR/config.toml cri='plugins."io.containerd.grpc.v1.cri"' kind
  for kind in version-1 disabled inline broken; do
    case $kind in
      version-1) echo 'root = "/var/lib/containerd"' ;;
      disabled) printf 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n' ;;
      inline) printf 'version = 2\n[%s.containerd]\nruntimes = { runc = { runtime_type = "io.containerd.runc.v2" } }\n' "$cri" ;;
      broken) printf 'version = 2\n[plugins\n' ;;
    esac >"$file"
    cp "$file" "$file.was"
    run -1 sh "$MANIFESTS/containerd.sh" "$file"
    expect_in "$file stays as it is: with what was added containerd has no handler '" "${lines[-1]}"
    cmp "$file.was" "$file"
    expect [ ! -e "$file.before" ]
  done
}

@test "containerd.sh gives a file of version 3 the tables by their names there" {
  # This stands for a containerd 2.x, which may not be here: it shows what it was given.
  local file=$BATS_TEST_TMPDIR/config.toml
  mkdir "$BATS_TEST_TMPDIR/bin"
  printf '#!/bin/sh\ncat "$2"\n' >"$BATS_TEST_TMPDIR/bin/containerd"
  chmod +x "$BATS_TEST_TMPDIR/bin/containerd"
  printf "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]\nruntime_type = 'io.containerd.runc.v2'\n" >"$file"
  PATH=$BATS_TEST_TMPDIR/bin:$PATH sh "$MANIFESTS/containerd.sh" "$file"
  expect [ "$(grep -c '^\[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.foster' "$file")" = 2 ]
  expect [ "$(grep -c 'runtimes\.runc' "$file")" = 1 ]
  run ! grep grpc "$file"
}

# All containers of a manifest, init containers first.
CONTAINERS='(.spec.template.spec // .spec) | (.initContainers // [])[], .containers[]'

@test "each option that a manifest gives foster is one of foster's" {
  requires_schema
  local help option options count=0
  help=$("$FOSTER" --help)
  for file in "$MANIFESTS"/*.yaml; do
    # The words between foster and the end of its options, and those in FOSTER_OPTIONS.
    options=$(check "$file" | jq -r "select(.kind == \"Pod\" or .kind == \"DaemonSet\") | $CONTAINERS |
      (.command // [] | select((.[0] // \"\") | endswith(\"foster\")) | .[1:(index(\"--\") // length)][] | select(startswith(\"-\"))),
      (.env // [] | .[] | select(.name == \"FOSTER_OPTIONS\").value | split(\" \")[])")
    for option in $options; do
      expect grep -Eq -- "(^| )${option%%=*}([[ ]|\$)" <<<"$help"
      count=$((count + 1))
    done
  done
  expect [ "$count" -ge 8 ]
}

@test "each image has a tag, in the manifests and in their README; foster's is its version" {
  local version references
  version=$("$FOSTER" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)
  # Of pods, of image volumes, and of the builds that take foster from the image with that name.
  references=$(grep -hoE '(image|reference): +[^ ,{]+|--from=example[^ ]+|build -t example[^ ]+' "$MANIFESTS"/*.yaml "$MANIFESTS/README.md" |
    grep -oE '[^ =]+$')
  expect [ "$(wc -l <<<"$references")" -ge 15 ]
  while read -r reference; do
    [[ $reference =~ ^[a-z./-]+:[0-9.]+$ ]] || expect_in 'a tag' "$reference"
    [[ $reference != */foster:* ]] || expect [ "${reference#*:}" = "$version" ]
  done <<<"$references"
}

@test "each container that runs foster falls back to its log for a message: a command that is not there is told in the pod's status" {
  requires_schema
  local file
  for file in init-container image-volume runtime-class-pod shared-process-namespace agent-daemonset; do
    holds "$file" "[$CONTAINERS | select(.image | contains(\"/sidecar:\") | not) | .terminationMessagePolicy] |
      length >= 1 and all(. == \"FallbackToLogsOnError\")"
  done
}

@test "foster is started from where the image or the init container has put it" {
  requires_schema
  local dir=$BATS_TEST_TMPDIR/volume file target
  mkdir "$dir"
  for file in init-container agent-daemonset; do
    # What is installed is what is started, from a volume that both mount, the second one read-only.
    target=$(manifest "$file" "$CONTAINERS | select(.command[1] == \"--install\") | .command[2]")
    expect [ "$(manifest "$file" "$CONTAINERS | select(.command[1] != \"--install\") | .command[0]")" = "${target}foster" ]
    holds "$file" "[$CONTAINERS | .volumeMounts[] | select(.mountPath + \"/\" == \"$target\")] | length == 2 and
      .[0].name == .[1].name and .[1].readOnly"
    rm -f "$dir/foster"
    "$FOSTER" --install "$dir/"
    run -7 "$dir/foster" -- sh -c 'exit 7'
  done
  holds image-volume '(.spec.containers[0] | .command[0] == .volumeMounts[0].mountPath + "/foster") and .spec.volumes[0].image.reference'
  holds shared-process-namespace '.spec.containers[0].command[0] == "/foster"'
  # What the Dockerfile puts there.
  grep -q '^COPY --from=build .*/foster /foster$' "$BATS_TEST_DIRNAME/../Dockerfile"
}

@test "the agent's rights are enough for its sudo and for foster, and none of them is idle" {
  requires_root
  requires_schema
  local dir agent user options capability add flags
  dir=$(mktemp -d /tmp/foster.XXXXXX)
  chmod 755 "$dir"
  cp "$FOSTER" "$dir/foster"
  agent="$CONTAINERS | select(.name == \"agent\")"
  user=$(manifest agent-daemonset .spec.template.spec.securityContext.runAsUser)
  holds agent-daemonset "$agent | .securityContext.capabilities.drop == [\"ALL\"]"
  holds agent-daemonset '.spec.template.spec | (.hostPID // false | not) and .securityContext.runAsNonRoot'
  mapfile -t options < <(manifest agent-daemonset "$agent | .command | .[1:index(\"--\")][]")
  options=("${options[@]/#--termination-log/--termination-log=$dir/log}")
  mapfile -t add < <(manifest agent-daemonset "$agent | .securityContext.capabilities.add[]")
  expect [ "${#add[@]}" = 2 ]
  holds agent-daemonset "$agent | .securityContext.allowPrivilegeEscalation"
  printf 'agent:*:%s:%s::/:/bin/sh\n' "$user" "$user" | cat /etc/passwd - >"$dir/passwd"
  echo 'agent ALL=(ALL) NOPASSWD: ALL' >"$dir/sudoers"
  chmod 440 "$dir/sudoers"
  for without in none "${add[@]}" privilege-escalation; do
    flags=(--reuid="$user" --regid="$user" --clear-groups --inh-caps=-all --bounding-set=-all)
    for capability in "${add[@]}"; do
      [[ $capability == "$without" ]] || flags[4]+=,+${capability,,}
    done
    [[ $without != privilege-escalation ]] || flags+=(--no-new-privs)
    rm -f "$dir/log"
    install -o "$user" /dev/null "$dir/log"
    # shellcheck disable=SC2016 # for the shell inside, and perl
    start_in pid1 unshare --mount sh -c 'mount --bind "$0/sudoers" /etc/sudoers && mount --bind "$0/passwd" /etc/passwd &&
      mount --bind "$0" "$0" && mount -o remount,ro,bind / && exec setpriv "$@"' "$dir" "${flags[@]}" "$dir/foster" "${options[@]}" \
      -v --zombie-age=300ms -- perl -e 'for (1 .. 4) { if (fork == 0) { exec "sudo", "-n", "id", "-u" } }
        $| = 1; print "READY\n"; sleep 3 while 1'
    wait_ready
    wait_until grep -Eq 'foster: perl\[[0-9]+\] neglects no zombie any more' "$ERR"
    if [[ $without == none ]]; then
      expect [ "$(grep -xc 0 "$OUT")" = 4 ]
      expect [ -z "$(grep cannot "$ERR")" ]
    else
      expect [ "$(grep -xc 0 "$OUT")" = 0 ]
    fi
    kill "$INIT"
    finish
    expect_status 143
    expect_in 'SIGTERM' "$(cat "$dir/log")"
  done
  rm -r "$dir"
}
