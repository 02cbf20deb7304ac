#!/usr/bin/env bats
# Docker, with a daemon of its own that has foster as its init, with an image from the project's Dockerfile, and with
# foster-runtime.
load engines

ROOT_OF_PROJECT=$BATS_TEST_DIRNAME/../..

docker() {
  # Another client may come first in PATH, without what Debian's daemon wants.
  /usr/bin/docker -H "unix://$DAEMON/socket" "$@"
}

setup_file() {
  requires_root
  requires_static
  # A socket's path is short.
  DAEMON=$(mktemp -d /tmp/foster-docker.XXXXXX)
  export DAEMON DOCKER_BUILDKIT=0 DOCKER_CONFIG=$DAEMON
  mkdir "$DAEMON/bin"
  make_runtimes "$DAEMON/bin"
  cat >"$DAEMON/daemon.json" <<EOF
{
  "runtimes": {
    "foster": {"path": "$DAEMON/bin/foster-runc", "runtimeArgs": ["--foster-options=--termination-log=/tmp/log", "--foster-options=-q"]},
    "plain-foster": {"path": "$DAEMON/bin/foster-runc"},
    "record": {"path": "$DAEMON/bin/record-before"}
  }
}
EOF
  dockerd --config-file "$DAEMON/daemon.json" --data-root "$DAEMON/data" --exec-root "$DAEMON/exec" --pidfile "$DAEMON/pid" -H "unix://$DAEMON/socket" \
    --storage-driver overlay2 --bridge=none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false \
    --exec-opt native.cgroupdriver=cgroupfs --init-path="$FOSTER" >"$DAEMON/log" 2>&1 3>&- &
  export DAEMON_PID=$!
  wait_until docker version
  make_root "$DAEMON/root"
  tar -C "$DAEMON/root" -c . | docker import -c 'ENV PATH=/bin' - busybox
  make_compiler_image
  docker build --network=none --build-arg BASE=compiler -t foster "$ROOT_OF_PROJECT"
  printf '%s\n' 'FROM busybox' 'COPY --from=foster /foster /foster' 'ENTRYPOINT ["/foster", "--"]' |
    docker build --network=none -t app -
}

# What the Dockerfile's build stage would install, from this machine, for there may be no registry. /bin and the like
# are links into /usr, which no package lists as such.
make_compiler_image() {
  local path
  apt-cache depends --recurse --installed --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances \
    bash coreutils dash sed grep make g++ gcc binutils libc6-dev musl-tools | grep -E '^[a-z0-9][^:]*$' |
    sed "s,$,:$(dpkg --print-architecture)," | sort -u | xargs dpkg -L |
    sed -E 's,^/((s?bin|lib(64)?)/),usr/\1,; s,^/,,' | sort -u | while read -r path; do
    if [[ $path == */* && ( -L /$path || -f /$path ) ]]; then echo "$path"; fi
  done >"$DAEMON/files"
  tar -C / -c --no-recursion bin sbin lib lib64 -T "$DAEMON/files" | docker import -c 'ENV PATH=/usr/bin:/bin' - compiler
}

teardown_file() {
  kill "$DAEMON_PID" 2>/dev/null || true
  wait_until has_ended "$DAEMON_PID"
  rm -rf "$DAEMON"
}

@test "moby: docker info knows foster's commit and warns of nothing" {
  local commit
  commit=$("$FOSTER" --version | grep -Eo '[0-9a-f]{7}$|unknown$')
  run -0 docker info
  expect_in "init version: $commit" "$output"
  run ! grep -i -e 'warning.*init' -e 'failed.*init' <<<"$output"
  run ! grep -F "$FOSTER version" "$DAEMON/log"
}

@test "docker run --init: foster is PID 1, reaps, forwards, and its exit status is the child's" {
  docker run --detach --init --name init busybox leave-orphans
  wait_until eval 'docker logs init | grep READY'
  docker kill -s TERM init
  [[ $(docker wait init) == 7 ]]
  expect_reaped_under "$(docker logs init)" docker-init
  docker rm init
  run -127 docker run --rm --init busybox no-such-command
  expect_in "foster: error: cannot run 'no-such-command'" "$output"
}

@test "docker stop ends a shell that knows no SIGTERM at once: 143" {
  for arguments in '--init busybox' app; do
    # shellcheck disable=SC2086 # several words
    docker run --detach --name stopped $arguments sh -c 'echo READY; while :; do sleep 1000; done'
    wait_until eval 'docker logs stopped | grep READY'
    docker stop -t 20 stopped
    [[ $(docker inspect -f '{{.State.ExitCode}}' stopped) == 143 ]]
    docker rm stopped
  done
}

@test "docker run --init, FOSTER_OPTIONS=--zombies=reap: Docker's own rights suffice, also where the parent is another user's" {
  for user in 0 65534; do
    run -0 docker run --rm --init --env "FOSTER_OPTIONS=-v --zombies=reap --zombie-age=200ms --user=$user" busybox \
      sh -c 'id -u; sleep 0.1 & exec sleep 3'
    expect_in 'reaped 1 zombie through sleep[' "$output"
    grep -qx "$user" <<<"$output"
  done
}

@test "docker kill -s: every signal reaches the workload" {
  docker run --detach --name killed app sh -c 'trap "echo got USR1" USR1; trap "echo got WINCH" WINCH; trap "exit 9" QUIT
    echo READY; while :; do sleep 0.05; done'
  wait_until eval 'docker logs killed | grep READY'
  for signal in USR1 WINCH; do
    docker kill -s "$signal" killed
    wait_until eval "docker logs killed | grep 'got $signal'"
  done
  docker kill -s QUIT killed
  [[ $(docker wait killed) == 9 ]]
  docker rm killed
}

@test "docker run -it: the workload has the terminal, and Ctrl-C reaches it" {
  OUT=$BATS_TEST_TMPDIR/out
  mkfifo "$BATS_TEST_TMPDIR/keys"
  exec 5<>"$BATS_TEST_TMPDIR/keys"
  env --default-signal=INT,QUIT script -qefc "/usr/bin/docker -H unix://$DAEMON/socket run --rm -it app sh -c 'tty; exec leave-orphans'" \
    /dev/null <&5 >"$OUT" 2>&1 3>&- 5>&- &
  # shellcheck disable=SC2034 # finish and teardown use them
  STARTED=$! INIT=$!
  wait_ready
  printf '\x03' >&5
  finish
  exec 5>&-
  expect_status 7
  expect_in /dev/pts/0 "$(cat "$OUT")"
  expect_reaped_under "$(tr -d '\r' <"$OUT")" foster
}

@test "docker run: as another user, on a read-only root, without capabilities or new privileges" {
  run -3 docker run --rm --user 1234:5678 --read-only --cap-drop ALL --security-opt no-new-privileges app \
    sh -c 'id -u; id -g; grep -E "CapEff|NoNewPrivs" /proc/1/status; exit 3'
  expect_in $'1234\n5678\nCapEff:\t0000000000000000\nNoNewPrivs:\t1' "$output"
}

@test "docker run --pids-limit: where no process can be made foster says so, and ends with 125" {
  run -4 docker run --rm --pids-limit 3 app sh -c 'exit 4'
  run -125 docker run --rm --pids-limit 1 app true
  expect_in 'foster: error: cannot fork: Resource temporarily unavailable: a limit on processes is reached (pids cgroup, ulimit -u)' "$output"
}

@test "an image from the Dockerfile holds foster alone" {
  docker save foster | tar -xO --wildcards '*/layer.tar' >"$BATS_TEST_TMPDIR/layer.tar"
  [[ $(tar -tf "$BATS_TEST_TMPDIR/layer.tar") == foster ]]
  run -0 docker run --rm --entrypoint /foster foster --version
  expect_in "$("$FOSTER" --version | head -n 1 | cut -d' ' -f1-3)" "$output"
}

@test "docker run --runtime: an image that knows nothing of foster runs under it, with the options of the daemon's configuration" {
  docker run --detach --runtime foster --name under busybox leave-orphans
  wait_until eval 'docker logs under | grep READY'
  run -3 docker exec under sh -c '(sleep 0 &); exit 3'
  docker kill -s TERM under
  [[ $(docker wait under) == 7 ]]
  expect_reaped_under "$(docker logs under)" .foster
  docker cp under:/tmp/log "$BATS_TEST_TMPDIR/log"
  grep -q '^foster: leave-orphans\[[0-9]*\] exited with 7 after ' "$BATS_TEST_TMPDIR/log"
  docker restart under
  [[ $(docker exec under cat /proc/1/comm) == .foster ]]
  docker stop under
  [[ $(docker inspect -f '{{.State.ExitCode}}' under) == 7 ]]
  docker rm under
}

@test "docker run --runtime: with an init already, or in a PID namespace of others, a container stays as it is" {
  run -0 docker run --rm --runtime plain-foster --init busybox cat /proc/1/comm
  expect_in docker-init "$output"
  run ! grep -F .foster <<<"$output"
  run -0 --separate-stderr docker run --rm --runtime plain-foster app sh -c 'tr "\0" " " </proc/1/cmdline'
  expect [ "${output%% -- *}" = /foster ]
  run -0 docker run --rm --runtime plain-foster --pid host busybox sh -c 'cat "/proc/$PPID/comm"'
  expect [ "$output" != .foster ]
  run -0 --separate-stderr docker run --rm --runtime plain-foster busybox cat /proc/1/comm
  expect [ "$output" = .foster ]
}

@test "what Docker configures is edited as python's reader of JSON would have it" {
  local options count=0
  while read -r options; do
    # shellcheck disable=SC2086 # several words
    run docker run --rm --runtime record $options busybox sh -c 'echo "\"]}\\ ä"; exit 3'
    expect_status 3
    expect_edited "$DAEMON/bin/before" "$DAEMON/bin/after"
    rm "$DAEMON"/bin/{before,after}
    count=$((count + 1))
  done <<'EOF'

--cap-add SYS_ADMIN --security-opt systempaths=unconfined
--read-only --tmpfs /tmp --cap-drop ALL
--user 1234:5678 --security-opt no-new-privileges --security-opt seccomp=unconfined
--env A="}]" --env FOSTER_OPTIONS=-v --label x={"args":[]}
--volume /etc:/mnt:ro --workdir /tmp --hostname h
--memory 64m --cpus 0.5 --pids-limit 100 --ulimit nofile=100
--device /dev/null:/dev/other --shm-size 1m --sysctl kernel.shm_rmid_forced=1
--tty --ipc private --uts host --cgroupns private
EOF
  expect [ "$count" = 9 ]
}

# The README's lines for those who come from another init, as they stand there.
switches_from() {
  local peer=$1 signal=$2 lines
  lines=$(sed -n "/^### Switching from $peer\$/,/^#\{2,3\} /s/^    //p" "$ROOT_OF_PROJECT/README.md")
  expect [ "$(wc -l <<<"$lines")" = 3 ]
  mkdir -p "$BATS_TEST_TMPDIR/context"
  cat >"$BATS_TEST_TMPDIR/context/my-program" <<'EOF'
#!/bin/sh
trap 'exit 6' TERM
trap 'exit 5' QUIT
cat /proc/1/comm
echo READY
while :; do sleep 0.05; done
EOF
  chmod 755 "$BATS_TEST_TMPDIR/context/my-program"
  { echo 'FROM busybox' && echo 'COPY my-program /bin/my-program' && echo "$lines"; } >"$BATS_TEST_TMPDIR/context/Dockerfile"
  docker build --network=none -t switched "$BATS_TEST_TMPDIR/context"
  docker run --detach --name switched switched
  wait_until eval 'docker logs switched | grep READY'
  [[ $(docker logs switched | head -n 1) == "$peer" ]]
  docker stop switched
  [[ $(docker inspect -f '{{.State.ExitCode}}' switched) == "$signal" ]]
  docker rm switched
}

@test "the README's three lines for those who switch from tini, dumb-init or catatonit work" {
  switches_from tini 6
  switches_from dumb-init 5
  switches_from catatonit 6
}
