#!/usr/bin/env bats
# The aarch64 build as the first process of Debian's own kernel for that CPU, in QEMU. The kernel and a busybox come out
# of their packages, which are not installed; dpkg must know the architecture arm64.
# bats file_tags=alone
load engines

SYSTEM=$BUILD/aarch64

setup_file() {
  if [[ ! -s $SYSTEM/vmlinuz && $(dpkg --print-foreign-architectures) == *arm64* ]]; then
    unpack_system
  fi
  if command -v aarch64-linux-gnu-g++; then
    env -u MAKEFLAGS make -s -C "$BUILD/.." ARCH=aarch64 all build/aarch64/workloads/neglect
  fi
}

setup() {
  command -v qemu-system-aarch64 aarch64-linux-gnu-g++ cpio >/dev/null ||
    skip 'requires qemu-system-arm, g++-aarch64-linux-gnu and cpio'
  [[ -s $SYSTEM/vmlinuz ]] || skip 'requires the architecture arm64: dpkg --add-architecture arm64 && apt-get update'
}

unpack_system() {
  local kernel package
  kernel=$(apt-cache depends linux-image-cloud-arm64:arm64 | sed -n 's/.*Depends: \(linux-image-[^ ]*\)$/\1/p')
  (cd "$BATS_FILE_TMPDIR" && apt-get -o APT::Sandbox::User=root download busybox-static:arm64 "$kernel")
  for package in "$BATS_FILE_TMPDIR"/*.deb; do
    dpkg-deb -x "$package" "$BATS_FILE_TMPDIR"
  done
  mkdir -p "$SYSTEM"
  cp "$BATS_FILE_TMPDIR/bin/busybox" "$SYSTEM/busybox"
  cp "$BATS_FILE_TMPDIR"/boot/vmlinuz-* "$SYSTEM/vmlinuz"
}

# Boots with foster as PID 1 and a script, from the standard input, as its child. The console is what `run` would take.
# The end of PID 1 makes the kernel panic, which tells its exit status and ends the machine.
boot() {
  local root=$BATS_TEST_TMPDIR/root
  mkdir -p "$root"/{bin,dev,proc,tmp}
  cp "$SYSTEM/foster" "$root/foster"
  cp "$SYSTEM/busybox" "$SYSTEM/workloads/neglect" "$root/bin"
  ln -s busybox "$root/bin/sh"
  {
    echo '#!/bin/sh'
    echo 'PATH=/bin; for at in proc devtmpfs:dev; do busybox mount -t "${at%:*}" none "/${at#*:}"; done; /bin/busybox --install -s /bin'
    cat
  } >"$root/story"
  chmod 755 "$root/story"
  (cd "$root" && find . | cpio --quiet -o -H newc) >"$BATS_TEST_TMPDIR/initrd"
  timeout --kill-after 5 120 qemu-system-aarch64 -machine virt -accel tcg -cpu cortex-a57 -m 256 -nodefaults -no-user-config \
    -display none -serial stdio -no-reboot -kernel "$SYSTEM/vmlinuz" -initrd "$BATS_TEST_TMPDIR/initrd" \
    -append 'console=ttyAMA0 quiet panic=-1 rdinit=/foster -- /story' </dev/null 3>&- | tr -d '\r'
}

@test "aarch64: as PID 1 of a kernel foster reaps, forwards, and its exit status is the child's" {
  run -0 boot <<'EOF'
foster=/proc/1/exe
trap 'ps -o pid,ppid,stat,comm | grep -E " (1|$$) +[RSZ]|^ +1 "; exit 7' TERM
for orphan in 1 2 3 4 5; do (sleep 0 &); done
$foster sh -c 'exit 5' || echo "exit status $?"
$foster sh -c 'kill -KILL $$' || echo "exit status $?"
$foster /no/such || echo "exit status $?"
kill -TERM 1
while :; do sleep 0.1; done
EOF
  expect_in $'exit status 5\nexit status 137\nfoster: error: cannot run \'/no/such\': No such file or directory\nexit status 127' "$output"
  grep -Eq '^ +1 +0 S +foster$' <<<"$output"
  grep -Eq '^ +[0-9]+ +1 [RS] +story$' <<<"$output"
  expect_in 'Attempted to kill init! exitcode=0x00000700' "$output"
  run ! grep -E '^ +[0-9]+ +[0-9]+ Z ' <<<"$output"
}

# The machine is slow: a scan takes so long that the next one comes seconds later, and 0.7 s too late are still in time.
@test "aarch64: a sleep, poll, epoll, futex, read or pause of a parent goes on as if nothing had happened" {
  local ways='nanosleep until poll epoll futex read pause thread'
  run -0 boot <<EOF
cat >/all <<'END'
for how in $ways; do neglect 8 \$how 12 700 >\$1.\$how & done
wait
END
sh /all /tmp/bare
/foster -q --zombies=reap --zombie-age=500ms -- sh /all /tmp/reaped
for how in $ways; do echo "\$how:" \$(tail -n 1 /tmp/bare.\$how) / \$(cat /tmp/reaped.\$how); done
EOF
  local how bare
  for how in $ways; do
    bare=$(sed -n "s,^$how: \(.* in time\, 8 left\) / .*,\1,p" <<<"$output")
    expect_in "$how: $bare / READY ${bare/8 left/0 left}" "$output"
  done
  expect_in 'exitcode=0x00000000' "$output"
}

@test "aarch64: --harden: under its filter foster forwards, reaps, and makes a parent wait; the child is under none" {
  run -0 boot <<'EOF'
/foster --harden --log=json -vv --grace=1s --zombies=reap --zombie-age=500ms -- sh -c '
  until grep -q "^Seccomp:.2" /proc/$PPID/status; do :; done
  grep -hE "^(CapEff|NoNewPrivs|Seccomp):" /proc/$PPID/status /proc/self/status | tr "\t\n" "  "
  trap "echo forwarded; neglect 2 nanosleep 12 700; sleep 1000 & exit 6" USR1
  kill -USR1 $PPID
  while :; do sleep 0.1; done' || echo "exit status $?"
EOF
  echo "$output"
  expect grep -Eq 'CapEff: +0000000000080024 +NoNewPrivs: +1 +Seccomp: +2 +CapEff: +0+[1-3]ffffffffff +NoNewPrivs: +0 +Seccomp: +0' <<<"$output"
  expect_in forwarded "$output"
  expect_in 'in time, 0 left' "$output"
  expect_lines 1 'leftovers ended: 1"' "$output"
  expect_lines 0 'cannot|not implemented' "$output"
  expect_in 'exit status 6' "$output"
}
