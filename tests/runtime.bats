#!/usr/bin/env bats
load helpers

INIT_WORDS='"/dev/.foster","--",'

setup() {
  RUNTIME=${FOSTER%/*}/foster-runtime
  DIR=$BATS_TEST_TMPDIR
  BUNDLE=$DIR/bundle
  mkdir "$BUNDLE" "$DIR/bin"
  # Stands for runc: keeps its words and the configuration that it finds.
  cat >"$DIR/bin/runc" <<'END'
#!/bin/sh
printf '%s\n' "${0##*/}" "$@" >"$KEEP/words"
exit 7
END
  chmod +x "$DIR/bin/runc"
  sed 's,runc,crun,' "$DIR/bin/runc" >"$DIR/bin/crun"
  chmod +x "$DIR/bin/crun"
  export KEEP=$DIR PATH=$DIR/bin:$PATH
  MOUNT=",{\"destination\":\"/dev/.foster\",\"type\":\"bind\",\"source\":\"$FOSTER\",\"options\":[\"bind\",\"ro\",\"nosuid\",\"nodev\"]}"
}

# What runc writes for a new bundle, but for what does not matter here.
CONFIG='{
	"ociVersion": "1.0.2",
	"process": {
		"terminal": false,
		"args": [
			"sh", "-c", "echo \"]}\\ \u00e4\""
		],
		"cwd": "/"
	},
	"hostname": "a ] } \" b",
	"mounts": [
		{"destination": "/proc", "type": "proc", "source": "proc"},
		{"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid"]}
	],
	"annotations": {"some": "thing"},
	"linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}], "resources": {"memory": {"limit": -1.5e+3}}}
}'

# Lets foster-runtime create a container of this configuration, then has the edited one in $edited.
create() {
  printf '%s' "$1" >"$BUNDLE/config.json"
  shift
  run "$RUNTIME" "$@" create --bundle "$BUNDLE" some-id
  edited=$(cat "$BUNDLE/config.json"; printf .)
  edited=${edited%.}
}

# The configuration after an edit by jq.
changed() {
  jq "$1" <<<"$CONFIG"
}

expect_under_foster() {
  local before=$1 without=$edited
  expect_status 7
  expect [ -z "$output" ]
  without=${without/"${2:-$INIT_WORDS}"/}
  expect [ "$without" != "$edited" ]
  expect [ "${without/"$MOUNT"/}" != "$without" ]
  expect [ "${without/"$MOUNT"/}" == "$before" ]
  jq -e '.process.args[0] == "/dev/.foster" and .mounts[-1].destination == "/dev/.foster"' <<<"$edited" >/dev/null
}

expect_unchanged() {
  expect_status 7
  expect [ "$edited" == "$1" ]
}

@test "the process is put under foster, a mount brings it, and all else stays byte for byte" {
  create "$CONFIG"
  expect_under_foster "$CONFIG"
  diff <(jq -S --arg foster "$FOSTER" '.process.args = ["/dev/.foster", "--"] + .process.args | .mounts +=
    [{destination: "/dev/.foster", type: "bind", source: $foster, options: ["bind", "ro", "nosuid", "nodev"]}]' <<<"$CONFIG") \
    <(jq -S . <<<"$edited")
  for config in "$(jq -c . <<<"$CONFIG")" "$(jq '{mounts, linux, process}' <<<"$CONFIG")" $' \r\n\t'"$CONFIG"$' \n' "${CONFIG/'"args"'/'"\u0061rgs"'}" \
    "$(changed '.mounts[1].destination = "/dev/"')" "$(changed '.process.args[0] = "/x/init/sh"')" \
    "${CONFIG/'"thing"'/"$(nested 60)"}" "$(changed '.linux.namespaces[1].path = ""')" "$(changed '.annotations = null')" "$(changed 'del(.annotations)')"; do
    create "$config"
    expect_under_foster "$config"
  done
}

@test "run is like create, and all other commands are handed on without a look at the bundle" {
  printf '%s' "$CONFIG" >"$BUNDLE/config.json"
  for command in start exec kill delete state restore spec features; do
    run -7 "$RUNTIME" --root /r $command --bundle "$BUNDLE" x
    expect [ "$(cat "$BUNDLE/config.json")" == "$CONFIG" ]
    diff <(printf '%s\n' runc --root /r $command --bundle "$BUNDLE" x) "$DIR/words"
  done
  run -7 "$RUNTIME" --log create kill create # words that are no commands
  diff <(printf '%s\n' runc --log create kill create) "$DIR/words"
  for words in '' --version --help; do
    # shellcheck disable=SC2086 # none is a word too many
    run -7 "$RUNTIME" $words
  done
  for option in log log-format log-level root criu rootless cgroup-manager; do # with a value that is no command
    for words in "--$option value" "--$option=value" "-$option value"; do
      printf '%s' "$CONFIG" >"$BUNDLE/config.json"
      # shellcheck disable=SC2086 # two words
      run -7 "$RUNTIME" $words create -b "$BUNDLE" x
      # shellcheck disable=SC2086
      diff <(printf '%s\n' runc $words create -b "$BUNDLE" x) "$DIR/words"
      grep -q '/dev/.foster' "$BUNDLE/config.json"
    done
  done
  for bundle in "--bundle $BUNDLE" "--bundle=$BUNDLE" "-b $BUNDLE" "-b=$BUNDLE" "-b$BUNDLE" "-bundle $BUNDLE"; do
    printf '%s' "$CONFIG" >"$BUNDLE/config.json"
    # shellcheck disable=SC2086 # two words
    run -7 "$RUNTIME" --debug --root=/r run --pid-file p $bundle x
    # shellcheck disable=SC2086
    diff <(printf '%s\n' runc --debug --root=/r run --pid-file p $bundle x) "$DIR/words"
    grep -q '/dev/.foster' "$BUNDLE/config.json"
  done
  printf '%s' "$CONFIG" >"$BUNDLE/config.json"
  cd "$BUNDLE"
  run -7 "$RUNTIME" run x
  grep -q '/dev/.foster' config.json
  printf '%s' "$CONFIG" >config.json
  run -7 "$RUNTIME" run --bundle= x
  grep -q '/dev/.foster' config.json
  # crun's and later runc's: another file, which is named from the working directory
  for option in '-f other.json' '--config=other.json' "--config $DIR/other.json"; do
    printf '%s' "$CONFIG" | tee "$BUNDLE/other.json" >"$DIR/other.json"
    # shellcheck disable=SC2086 # two words
    (cd "$DIR" && run -7 "$RUNTIME" run -b "$BUNDLE" $option x)
    grep -q '/dev/.foster' "$DIR/other.json"
    expect [ "$(cat "$BUNDLE/other.json")" == "$CONFIG" ]
  done
  printf '%s' "$CONFIG" >"$BUNDLE/config.json"
  (cd "$DIR" && run -7 "$RUNTIME" run -b "$BUNDLE" -f config.json x)
  grep -q '/dev/.foster' "$BUNDLE/config.json"
}

@test "what has no need of foster is left as it is, without a word: pod sandboxes, a shared PID namespace, an init" {
  local configs=()
  for key in io.kubernetes.cri.container-type io.kubernetes.cri-o.ContainerType; do
    configs+=("$(changed ".annotations.\"$key\" = \"sandbox\"")")
  done
  configs+=("$(changed '.linux.namespaces[1].path = "/proc/7/ns/pid"')" "$(changed 'del(.linux.namespaces[1])')"
    "$(changed 'del(.linux)')" "$(changed 'del(.process)')" "$(changed '.process = null')" "$(changed '.process.args = []')"
    "$(changed 'del(.process.args)')")
  for init in /sbin/docker-init /run/podman-init tini /usr/bin/dumb-init catatonit /pause /dev/.foster /foster /init /sbin/init \
    /lib/systemd/systemd tini-static /sbin/my_init s6-svscan runit runit-init openrc-init pid1 pid1-rs; do
    configs+=("$(changed ".process.args[0] = \"$init\"")")
  done
  configs+=("${CONFIG/'"sh", "-c"'/'"\/sbin\/\u0069nit"'}")
  for config in "${configs[@]}"; do
    create "$config"
    expect_unchanged "$config"
    expect [ -z "$output" ]
  done
  create "$(changed '.annotations."io.kubernetes.cri.container-type" = "container"')"
  expect_in '/dev/.foster' "$edited"
}

@test "a container that is created again is under foster once" {
  create "$CONFIG"
  local once=$edited
  create "$once"
  expect_unchanged "$once"
}

# So many arrays, one in the other.
nested() {
  printf "%0$1d" 0 | tr 0 '['
  printf "%0$1d" 0 | tr 0 ']'
}

@test "what is not understood is left as it is, with one line that says why" {
  local reason
  tells() {
    create "$1"
    expect_unchanged "$1"
    expect [ "${#lines[@]}" = 1 ]
    expect [ "$output" = "foster-runtime: not put under foster: $2: '$BUNDLE/config.json'" ]
  }
  reason='it is not one JSON object, or it is nested too deep'
  for config in '' ' ' '{' "${CONFIG%\}}" "$CONFIG}" "$CONFIG 1" "[$CONFIG]" nul "${CONFIG/-1.5e+3/01}" "${CONFIG/-1.5e+3/1.}" \
    "${CONFIG/-1.5e+3/-}" "${CONFIG/-1.5e+3/.5}" "${CONFIG/-1.5e+3/tru}" "${CONFIG/'"cwd": "/"'/'"cwd": "/",'}" \
    "${CONFIG/'"cwd"'/cwd}" "${CONFIG/some/'\x41'}" "${CONFIG/some/'\u004'}" "${CONFIG/some/$'\t'}" "${CONFIG/'"mount"'/'"mount'}" \
    "${CONFIG/some/'\u00zz'}" "${CONFIG/'"thing"'/"$(nested 70)"}"; do
    tells "$config" "$reason"
  done
  reason='it names one thing twice, or in another case'
  for config in "${CONFIG/'"cwd"'/'"args": ["true"], "cwd"'}" "${CONFIG/'"args"'/'"Args"'}" "${CONFIG/'"cwd"'/'"ARGS": ["x"], "cwd"'}" \
    "${CONFIG/'"hostname"'/'"mounts": [], "hostname"'}" "${CONFIG/'"args"'/'"arg\u017f"'}" "${CONFIG/'"args"'/'"argſ"'}" \
    "${CONFIG/'{"type": "pid"}'/'{"type": "pid", "\u0074ype": "pid"}'}"; do
    tells "$config" "$reason"
  done
  reason='something in it is not of the kind that the specification says'
  for edit in '.process = []' '.process.args = "sh"' '.process.args[0] = 1' '.linux = 1' '.linux.namespaces = {}' '.mounts = {}' \
    '.linux.namespaces[1].type = 1' '.annotations = []' '.mounts[0].destination = 1'; do
    tells "$(changed "$edit")" "$reason"
  done
  reason='its /dev is not a tmpfs of its own, where foster could be put'
  for edit in '.mounts[1].type = "bind"' 'del(.mounts)' '.mounts = []' 'del(.mounts[1])' '.mounts[2] = {destination: "/dev", type: "bind"}' \
    '.mounts[2] = {destination: "/", type: "tmpfs"}'; do
    tells "$(changed "$edit")" "$reason"
  done
  tells "$(changed '.mounts[2] = {destination: "/dev/.foster", type: "bind"}')" 'something else is mounted where foster would be put'
}

@test "no bundle, no config.json, or one that is no regular file: said, and the real runtime has the last word" {
  run "$RUNTIME" create --bundle "$DIR/none" x
  expect_status 7
  expect_in "it cannot be read, or is no regular file: '$DIR/none/config.json'" "$output"
  run "$RUNTIME" create --bundle "$BUNDLE" x
  expect_status 7
  expect_in "it cannot be read, or is no regular file: '$BUNDLE/config.json'" "$output"
  printf '%s' "$CONFIG" >"$DIR/elsewhere"
  ln -s "$DIR/elsewhere" "$BUNDLE/config.json"
  run "$RUNTIME" create --bundle "$BUNDLE" x
  expect_status 7
  expect_in 'it cannot be read, or is no regular file' "$output"
  expect [ "$(cat "$DIR/elsewhere")" == "$CONFIG" ]
  for make in mkfifo mkdir; do
    rm -r "$BUNDLE/config.json"
    $make "$BUNDLE/config.json"
    run timeout 20 "$RUNTIME" create --bundle "$BUNDLE" x
    expect_status 7
    expect_in 'it cannot be read, or is no regular file' "$output"
  done
}

@test "the line goes into the runtime's log, in its format" {
  create '{' --log "$DIR/log" --log-format json
  expect [ -z "$output" ]
  expect [ "$(jq -r '[.level, .msg] | join(" ")' <"$DIR/log")" = \
    "warning foster-runtime: not put under foster: it is not one JSON object, or it is nested too deep: '$BUNDLE/config.json'" ]
  expect [ "$(date -u -d "$(jq -r .time <"$DIR/log")" +%F)" = "$(date -u +%F)" ]
  create '{' --log="$DIR/log"
  expect [ -z "$output" ]
  tail -n 1 "$DIR/log" | grep -Eq '^time="[^"]+Z" level=warning msg="foster-runtime: not put under foster: .*"$'
  expect [ "$(wc -l <"$DIR/log")" = 2 ]
  # A quote in a name does not end the value.
  mkdir "$DIR/a\"b\\c"
  echo '{' >"$DIR/a\"b\\c/config.json"
  run -7 "$RUNTIME" --log "$DIR/quoted" create -b "$DIR/a\"b\\c" x
  grep -q 'a\\"b\\\\c/config.json'"'"'"$' "$DIR/quoted"
  create '{' --log "file:$DIR/crun"
  grep -q 'not put under foster' "$DIR/crun"
  cd "$BUNDLE"
  for log in journald:name syslog:name; do # which foster-runtime does not write to
    create '{' --log "$log"
    expect_in 'foster-runtime: not put under foster: ' "$output"
    expect [ "$(ls -A)" = config.json ]
  done
  local long
  long=$(printf '%s/%0200d' "$BUNDLE" 0)
  mkdir "$long"
  echo '{' >"$long/config.json"
  run -7 "$RUNTIME" --log "$DIR/long" --log-format json create -b "$long" x
  jq -r .msg <"$DIR/long" | grep -q 'it is not one JSON object, or it is nested too deep'
  create '{' --log "$DIR/none/log"
  expect_in 'foster-runtime: not put under foster: ' "$output"
}

@test "a standard error that nobody reads, or that is full or closed, does not keep a container from its start" {
  echo '{' >"$BUNDLE/config.json"
  run -7 bash -c 'exec 2> >(:); wait $!; exec "$0" create -b "$1" x' "$RUNTIME" "$BUNDLE"
  run -7 bash -c 'exec "$0" create -b "$1" x 2>&-' "$RUNTIME" "$BUNDLE"
  mkfifo "$BATS_TEST_TMPDIR/drain"
  run -7 timeout -s KILL 20 "$WORKLOADS/stuck-stderr" pipe "$BATS_TEST_TMPDIR/drain" "$RUNTIME" create -b "$BUNDLE" x
}

@test "config.json keeps its owner and its mode, nothing else is left in the bundle, and nobody sees a half of it" {
  requires_root
  printf '%s' "$CONFIG" >"$BUNDLE/config.json"
  chown 12:34 "$BUNDLE/config.json"
  chmod 640 "$BUNDLE/config.json"
  ln "$BUNDLE/config.json" "$DIR/before" # a file that is replaced, not written over
  run -7 "$RUNTIME" create -b "$BUNDLE" x
  expect [ "$(stat -c '%u:%g %a' "$BUNDLE/config.json")" = '12:34 640' ]
  expect [ "$(ls -A "$BUNDLE")" = config.json ]
  expect [ "$(cat "$DIR/before")" == "$CONFIG" ]
  grep -q '/dev/.foster' "$BUNDLE/config.json"
}

@test "where there is no room for the edited file, or no right to make it, the old one stays whole" {
  requires_root
  unshare --mount bash -euc '
    mount -t tmpfs -o size=64k none "$1"
    { printf "%s" "${2%\}}"; printf "%050000d" 0 | tr 0 " "; printf "}"; } >"$1/config.json"
    before=$(sha256sum "$1/config.json")
    "$3" create -b "$1" x || test $? = 7
    test "$(sha256sum "$1/config.json")" = "$before"
    test "$(ls -A "$1")" = config.json
    mount -o remount,ro "$1"
    "$3" create -b "$1" x || test $? = 7
    test "$(sha256sum "$1/config.json")" = "$before"' bash "$BUNDLE" "$CONFIG" "$RUNTIME" >"$DIR/out" 2>&1 || {
    cat "$DIR/out"
    return 1
  }
  expect [ "$(grep -c "it cannot be replaced by an edited one: '.*config.json'" "$DIR/out")" = 2 ]
}

@test "a limit on the size of files, or a signal in the midst of the edit, leaves no half-made file in the bundle" {
  local long
  long="$CONFIG$(printf '%4000s' '')"
  printf '%s' "$long" >"$BUNDLE/config.json"
  run -7 bash -c 'ulimit -f 1; exec "$0" create -b "$1" x' "$RUNTIME" "$BUNDLE"
  expect_in "it cannot be replaced by an edited one: '$BUNDLE/config.json'" "$output"
  expect [ "$(cat "$BUNDLE/config.json"; printf .)" == "$long." ]
  printf '%2000s' '' >"$DIR/log"
  run -7 bash -c 'ulimit -f 1; exec "$0" --log "$2" create -b "$1" x' "$RUNTIME" "$BUNDLE" "$DIR/log"
  # It is ended by the signal, but only when the edit is whole.
  run -143 strace -o /dev/null -e inject=fchown:signal=TERM "$RUNTIME" create -b "$BUNDLE" x
  expect [ "$(ls -A "$BUNDLE")" = config.json ]
  grep -q '/dev/.foster' "$BUNDLE/config.json"
}

@test "a stack of 16 KiB, where the real runtime gets by with that, is enough" {
  requires_static # a sanitizer takes more
  for config in "$CONFIG" '{'; do
    printf '%s' "$config" >"$BUNDLE/config.json"
    run -7 env -i KEEP="$DIR" PATH="$PATH" prlimit --stack=16384 "$RUNTIME" --foster-options=-v --log "$DIR/log" --log-format json create -b "$BUNDLE" x
    expect [ -z "$output" ]
  done
  expect [ "$(jq -r .level "$DIR/log")" = warning ]
}

@test "a configuration of 16 MiB is edited like any other" {
  local end=$'"annotations": {"big": "'
  {
    printf '%s' "${CONFIG/'"annotations": {'*/"$end"}"
    head -c 16777216 /dev/zero | tr '\0' x
    printf '"},%s' "${CONFIG#*'"annotations": {"some": "thing"},'}"
  } >"$BUNDLE/config.json"
  local before
  before=$(jq -S . "$BUNDLE/config.json" | sha256sum)
  run -7 timeout 20 "$RUNTIME" create -b "$BUNDLE" x
  expect [ -z "$output" ]
  expect [ "$(jq -S '.process.args |= .[2:] | .mounts |= .[:-1]' "$BUNDLE/config.json" | sha256sum)" = "$before" ]
  expect [ "$(jq -r '.process.args[0]' "$BUNDLE/config.json")" = /dev/.foster ]
}

@test "the real runtime is the one in the name, the one that is named, or the first of runc and crun in PATH" {
  local foster_name
  for foster_name in foster-runc foster-crun; do
    ln -s "$RUNTIME" "$DIR/$foster_name"
    run -7 "$DIR/$foster_name" state x
    expect [ "$(head -n 1 "$DIR/words")" = "${foster_name#foster-}" ]
    run -7 "$DIR/$foster_name" --foster-runtime=runc state x
    expect [ "$(head -n 1 "$DIR/words")" = runc ]
  done
  run -7 "$RUNTIME" --foster-runtime "$DIR/bin/crun" state x
  diff <(printf '%s\n' crun state x) "$DIR/words"
  PATH=/nonexistent:$DIR/bin run -7 "$RUNTIME" state
  expect [ "$(head -n 1 "$DIR/words")" = runc ]
  rm "$DIR/bin/runc"
  PATH=$DIR/bin run -7 "$RUNTIME" state
  expect [ "$(head -n 1 "$DIR/words")" = crun ]
}

@test "foster-runtime in the place of runc does not call itself for ever" {
  mkdir "$DIR/first"
  ln -s "$RUNTIME" "$DIR/first/runc"
  run -7 timeout 20 env PATH="$DIR/first:$DIR/bin" "$DIR/first/runc" state x
  diff <(printf '%s\n' runc state x) "$DIR/words"
  run -125 timeout 20 env PATH="$DIR/first" "$DIR/first/runc" state x
}

@test "relative and empty entries of PATH are no place for the real runtime: they are whose the working directory is" {
  local entry
  mkdir "$DIR/here" "$DIR/here/inner"
  printf '#!/bin/sh\necho taken\n' | tee "$DIR/here/runc" "$DIR/here/crun" "$DIR/here/inner/runc" >"$DIR/here/inner/crun"
  chmod +x "$DIR/here/"{,inner/}{runc,crun}
  ln -s "$RUNTIME" "$DIR/foster-crun"
  cd "$DIR/here"
  for entry in '' . ./ inner ./inner ../here ''{::,:}; do
    for words in '' --foster-runtime=runc; do
      for runtime in "$RUNTIME" "$DIR/foster-crun"; do
        # shellcheck disable=SC2086 # no or one word
        PATH=$entry run -125 "$runtime" $words state
        expect_in 'No such file or directory' "$output"
        # shellcheck disable=SC2086 # no or one word
        PATH=$entry:$DIR/bin:$entry run -7 "$runtime" $words state
      done
    done
  done
  # One that is named is taken.
  run -0 "$RUNTIME" --foster-runtime=./runc state
  expect [ "$output" = taken ]
  cd inner
  run -0 "$RUNTIME" --foster-runtime=../runc state
}

@test "copies of foster-runtime that are called runc do not start each other for ever, be they the same or not" {
  local place
  mkdir "$DIR/one" "$DIR/two" "$DIR/three"
  for place in one two three; do
    cp "$RUNTIME" "$DIR/$place/runc"
  done
  for place in one two three; do
    run -125 timeout 20 env PATH="$DIR/one:$DIR/two:$DIR/three" "$DIR/$place/runc" state x
    expect_in "cannot run the real runtime 'runc or crun': " "$output"
    run -7 timeout 20 env PATH="$DIR/one:$DIR/two:$DIR/three:$DIR/bin" "$DIR/$place/runc" state x
    diff <(printf '%s\n' runc state x) "$DIR/words"
  done
  printf x >>"$DIR/two/runc"
  printf yy >>"$DIR/three/runc"
  for place in one two three; do
    run -125 timeout 20 env PATH="$DIR/one:$DIR/two:$DIR/three" "$DIR/$place/runc" state x
    expect [ "$output" = "foster-runtime: error: cannot run the real runtime 'runc or crun': it is foster-runtime again, nine times over" ]
  done
  # A container's hook that calls foster-runtime anew may do so.
  run -7 env FOSTER_RUNTIME_STARTS=3 "$RUNTIME" state
  for starts in '' 0 x 99; do
    run -7 env FOSTER_RUNTIME_STARTS=$starts NEXT=there "$RUNTIME" state
  done
  # The rest of the environment stays.
  diff <(env -i "PATH=$PATH" A=1 FOSTER_RUNTIME_STARTS=2 B= "$RUNTIME" --foster-runtime=/usr/bin/env | sort) \
    <(printf '%s\n' "PATH=$PATH" A=1 FOSTER_RUNTIME_STARTS=3 B= | sort)
  diff <(env -i A=1 B= "$RUNTIME" --foster-runtime=/usr/bin/env) <(printf '%s\n' A=1 B= FOSTER_RUNTIME_STARTS=1)
  # Nor by way of a script.
  for exec in exec ''; do
    printf '#!/bin/sh\n%s "%s" --foster-runtime=runc "$@"\n' "$exec" "$RUNTIME" >"$DIR/one/runc"
    run -125 timeout 20 env PATH="$DIR/one" "$DIR/one/runc" state x
    expect_in "cannot run the real runtime 'runc': it is foster-runtime again" "$output"
  done
}

@test "without a real runtime there is one line and 125" {
  PATH=$DIR/none run -125 "$RUNTIME" state
  expect [ "$output" = "foster-runtime: error: cannot run the real runtime 'runc or crun': No such file or directory" ]
  run -125 "$RUNTIME" --foster-runtime=/nonexistent/runc state
  expect [ "$output" = "foster-runtime: error: cannot run the real runtime '/nonexistent/runc': No such file or directory" ]
  run -125 "$RUNTIME" --foster-runtime="$RUNTIME" state
  chmod -x "$DIR/bin/runc"
  run -125 "$RUNTIME" --foster-runtime="$DIR/bin/runc" state
  expect [ "$output" = "foster-runtime: error: cannot run the real runtime '$DIR/bin/runc': Permission denied" ]
  rm "$DIR/bin/crun"
  PATH=$DIR/bin run -125 "$RUNTIME" state
  expect [ "$output" = "foster-runtime: error: cannot run the real runtime 'runc or crun': Permission denied" ]
}

@test "--foster-init and --foster-options: another foster, and options for it" {
  cp "$FOSTER" "$DIR/another"
  MOUNT=${MOUNT/"$FOSTER"/"$DIR/another"}
  create "$CONFIG" --foster-init="$DIR/another" --foster-options ' --grace=5s  -v ' --root /r --foster-options=-w
  expect_under_foster "$CONFIG" '"/dev/.foster","--grace=5s","-v","-w","--",'
  diff <(printf '%s\n' runc --root /r create --bundle "$BUNDLE" some-id) "$DIR/words"
  cp "$FOSTER" "$DIR/\"quote"
  chmod -x "$DIR/another"
  for init in "$DIR/another" "$DIR" /nonexistent "$DIR/\"quote"; do
    create "$CONFIG" --foster-init="$init"
    expect_unchanged "$CONFIG"
    expect_in 'foster is not there to be executed' "$output"
  done
  # shellcheck disable=SC1003 # a backslash
  for options in '"' '\' $'a\nb' "$(printf '%05000d' 0)" "$(printf -- '-v %.0s' {1..1300})"; do
    create "$CONFIG" --foster-options="$options"
    expect_unchanged "$CONFIG"
    expect_in 'the options for foster are too long, or hold quotes' "$output"
  done
}

@test "foster-runtime: a bad word is named, with exit status 125" {
  refuses() {
    run -125 "$RUNTIME" "$2" create x
    expect [ "$output" = "foster-runtime: error: $1" ]
  }
  refuses "unknown option '--foster-nothing=1'; see 'foster-runtime --foster-help'" --foster-nothing=1
  refuses "unknown option '--foster-runtimes=x'; see 'foster-runtime --foster-help'" --foster-runtimes=x
  refuses "'foster' is no absolute path, which '--foster-init' needs" --foster-init=foster
  refuses "option '--foster-options=' needs a value; see 'foster-runtime --foster-help'" --foster-options=
  run -125 "$RUNTIME" --foster-runtime
  expect_in "option '--foster-runtime' needs a value" "$output"
}
