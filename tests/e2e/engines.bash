# What the tests of the container engines and of real kernels share. They need root, and the engines' packages.
load ../helpers

# Files run beside each other; the tests of one share a daemon.
# shellcheck disable=SC2034 # bats reads it
BATS_NO_PARALLELIZE_WITHIN_FILE=true

# A root directory with busybox in it, and a workload: "leave-orphans" makes five orphans that die at once, prints READY
# and goes on until SIGTERM or SIGINT, upon which it prints the process table without the tools that made it, and ends
# with 7.
make_root() {
  local root=$1 applet
  mkdir -p "$root"/{bin,dev,etc,proc,sys,tmp}
  cp "$(command -v busybox)" "$root/bin/busybox"
  "$root/bin/busybox" --list | while read -r applet; do
    [[ $applet == busybox ]] || ln -s busybox "$root/bin/$applet"
  done
  cat >"$root/bin/leave-orphans" <<'EOF'
#!/bin/sh
trap 'ps -o pid,ppid,stat,comm | grep -v -e ps -e grep; exit 7' TERM INT
for orphan in 1 2 3 4 5; do (sleep 0 &); done
echo READY
while :; do sleep 0.05; done
EOF
  chmod 755 "$root/bin/leave-orphans"
}

# Whether a process table that the workload printed shows foster, by the name that the engine gave it, as PID 1, the
# workload as its child, and no zombie.
expect_reaped_under() {
  local table=$1 name=$2
  [[ $table =~ [[:space:]]*1[[:space:]]+0[[:space:]]+S[[:space:]]+$name ]] || expect_in "1 0 S $name" "$table"
  grep -Eq '^ +[0-9]+ +1 [DRS] +leave-orphans$' <<<"$table" || expect_in "a child of PID 1" "$table"
  ! grep -E ' Z ' <<<"$table"
}

# Runs an OCI runtime, or foster's before it, with its own state. crun refuses a machine that has cgroups of both
# versions: it gets a view without the second one.
oci() {
  local runtime=$1
  shift
  if [[ $runtime == *crun && -d /sys/fs/cgroup/unified ]]; then
    # shellcheck disable=SC2016 # for the shell inside
    unshare --mount sh -c 'umount /sys/fs/cgroup/unified && exec "$@"' sh "$runtime" --root "$BATS_TEST_TMPDIR/state" "$@"
  else
    "$runtime" --root "$BATS_TEST_TMPDIR/state" "$@"
  fi
}

# A bundle that runs these words; an edit of its config.json, by jq, comes first.
make_bundle() {
  local edit=$1
  shift
  BUNDLE=$BATS_TEST_TMPDIR/bundle
  if [[ ! -d $BUNDLE ]]; then
    make_root "$BUNDLE/rootfs"
    cp "$FOSTER" "$BUNDLE/rootfs/foster"
  fi
  rm -f "$BUNDLE/config.json"
  (cd "$BUNDLE" && runc spec)
  # Not by jq's --args, which takes words like -c for its own.
  jq --argjson words "$(/usr/bin/python3 -c 'import json, sys; print(json.dumps(sys.argv[1:]))' "$@")" \
    ".process.terminal = false | .process.rlimits = [] | .process.args = \$words | .linux.cgroupsPath = \"/bats.$BATS_SUITE_TEST_NUMBER.$$\" | $edit" "$BUNDLE/config.json" >"$BUNDLE/edited"
  mv "$BUNDLE/edited" "$BUNDLE/config.json"
}

# Makes foster-runtime's links in a directory, and beside them what stands before and behind it: record-before keeps the
# configuration of each bundle in DIR/before and runs foster-runc, which runs record-after, which keeps it in DIR/after
# and runs runc.
make_runtimes() {
  local dir=$1 runtime=${FOSTER%/*}/foster-runtime stage
  ln -s "$runtime" "$dir/foster-runc"
  ln -s "$runtime" "$dir/foster-crun"
  for stage in before after; do
    cat >"$dir/record-$stage" <<EOF
#!/bin/sh
bundle=.
for word; do
  [ "\$last" != --bundle ] || bundle=\$word
  [ "\$word" != create ] || creates=yes
  last=\$word
done
[ -z "\$creates" ] || cp "\$bundle/config.json" "$dir/$stage"
exec $([[ $stage == after ]] && echo runc || echo "$dir/foster-runc --foster-runtime=$dir/record-after") "\$@"
EOF
  done
  chmod +x "$dir"/record-*
}

# Whether foster-runtime has edited a configuration as it should, as python reads JSON: but for the words before the
# process's own and the mount behind the others the two files are the same, byte for byte.
expect_edited() {
  /usr/bin/python3 - "$1" "$2" "$FOSTER" <<'EOF'
import json
import sys

before, after = (open(path, encoding="utf-8").read() for path in sys.argv[1:3])
mount = {"destination": "/dev/.foster", "type": "bind", "source": sys.argv[3], "options": ["bind", "ro", "nosuid", "nodev"]}
expected = json.loads(before)
expected["process"]["args"][:0] = ["/dev/.foster", "--"]
expected["mounts"].append(mount)
assert json.loads(after) == expected
for inserted in ('"/dev/.foster","--",', "," + json.dumps(mount, separators=(",", ":"))):
    assert after.count(inserted) == 1
    after = after.replace(inserted, "")
assert after == before
EOF
}

# Debian's cloud kernel for this architecture, unpacked from its package into the build directory, never installed:
# $KERNEL.
unpack_kernel() {
  local dir=$BUILD/kernel package
  KERNEL=$dir/vmlinuz
  export KERNEL
  if [[ ! -e $KERNEL ]]; then
    rm -rf "$dir"
    mkdir -p "$dir"
    package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: //p')
    (cd "$dir" && apt-get download "$package" && dpkg-deb --extract ./*.deb . && mv boot/vmlinuz-* vmlinuz && rm -r ./*.deb boot lib usr)
  fi
}

# Packs a root directory for boot to start from. Whatever is to be in its /dev beside the console is mounted by what
# runs in it.
make_initramfs() {
  local root=$1 file=$2
  mkdir -p "$root/dev"
  [[ -e $root/dev/console ]] || mknod "$root/dev/console" c 5 1
  (cd "$root" && find . -mindepth 1 -printf '%P\0' | cpio --null --create --format=newc --quiet) >"$file"
}

# Boots that kernel in a machine of its own, within a time in seconds; its console is standard output. Words for the
# kernel follow, and behind -- those for /init. The machine is over when it powers off, or panics.
boot() {
  local seconds=$1 initramfs=$2 memory=$3
  shift 3
  timeout --kill-after 5 "$seconds" qemu-system-x86_64 -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m "$memory" -nodefaults \
    -no-user-config -display none -serial stdio -no-reboot -kernel "$KERNEL" -initrd "$initramfs" \
    -append "console=ttyS0 quiet panic=-1 $*" </dev/null | tr -d '\r'
}

# Of what a machine has printed: the lines between "== TITLE" and the next such line.
section() {
  sed -n "/^== $1\$/,/^== /{/^== /d;p}" <<<"$CONSOLE"
}
