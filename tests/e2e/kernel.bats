#!/usr/bin/env bats
# foster as the PID 1 of a kernel that runs nothing else, in a machine that qemu makes. That kernel has Yama.
# bats file_tags=alone
load engines

setup_file() {
  requires_root
  requires_static
  requires_x86_64
  unpack_kernel
  local root=$BATS_FILE_TMPDIR/root
  make_root "$root"
  cp "$FOSTER" "$root/init"
  ln -s ../init "$root/bin/foster"
  cp "$WORKLOADS"/{neglect,orphans} "$root/bin"
  gcc -m32 -nostdlib -static -no-pie -o "$root/bin/parent-32" "$SOURCES/parent-32.S"
  cp "$BATS_TEST_DIRNAME/kernel.sh" "$root/story"
  make_initramfs "$root" "$BATS_FILE_TMPDIR/initramfs"
  CONSOLE=$(boot 300 "$BATS_FILE_TMPDIR/initramfs" 256 -- /story)
  export CONSOLE
}

refused_as() {
  expect_in "foster: warning: cannot reap the zombies of neglect[" "$1"
  expect_in "]: it may not be traced: Operation not permitted (kernel.yama.ptrace_scope is $2" "$1"
  expect_in '0 errno 0 in time, 2 left' "$1"
}

@test "a kernel's PID 1: foster is alone with its child, adopts, reaps and forwards" {
  section 'the first processes' | awk '$1 == 1 { print $2, $3, $4 }' | grep -Fx '0 S init'
  section 'the first processes' | awk '$2 == 1 { print $3, $4 }' | grep -Fx 'S story'
  expect [ "$(section orphans)" = READY ]
  expect [ "$(section signals)" = $'got USR1\ngot INT' ]
}

@test "a kernel's PID 1: the child's status is foster's own, which the kernel tells in its last words" {
  section 'the end' | grep -q 'Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000700$'
}

@test "a kernel's PID 1 reaps neglected zombies, and may power off" {
  printf '#!/bin/sh\nmount -t proc proc /proc\nexec /init -v --zombies=reap --zombie-age=200ms -- /bin/sh -c "neglect 4 nanosleep 2; poweroff -f"\n' \
    >"$BATS_FILE_TMPDIR/root/first"
  chmod 755 "$BATS_FILE_TMPDIR/root/first"
  rm "$BATS_FILE_TMPDIR/root/dev/console"
  make_initramfs "$BATS_FILE_TMPDIR/root" "$BATS_FILE_TMPDIR/second"
  run -0 boot 60 "$BATS_FILE_TMPDIR/second" 256 rdinit=/first
  expect_in 'foster: reaped 4 zombies through neglect[' "$output"
  expect_in '0 errno 0 in time, 0 left' "$output"
  # Of kernel threads nothing is said.
  [[ $(grep -c neglects <<<"$output") == 2 ]]
  expect_in 'reboot: Power down' "$output"
}

@test "the clock is set by a day, forward and back: --delay, --stop-timeout, --grace and the age of zombies go by another" {
  local by lines word tenths
  for by in 86400 -86400; do
    lines=$(section "the clock jumps by $by s")
    expect_lines 1 '^status 137$' "$lines"
    for word in 'zombies 5' 'delay 10' 'stop 20'; do
      tenths=$(sed -n "s/^${word% *} //p" <<<"$lines")
      expect [ "$tenths" -ge "${word#* }" ]
      expect [ "$tenths" -lt 150 ] # that machine is slow
    done
  done
}

@test "a 32-bit parent is refused, not broken, by a kernel that runs such" {
  expect_in 'cannot reap the zombies of parent-32[' "$(section 'a 32-bit parent')"
  expect_in ']: it is a 32-bit process, or has no vdso' "$(section 'a 32-bit parent')"
  expect_in 'status 143' "$(section 'a 32-bit parent')"
}

@test "Yama, kernel.yama.ptrace_scope 0 and 1: zombies under foster are reaped, by root and by a user" {
  for who in root 'a user'; do
    for scope in 0 1; do
      expect_in '0 errno 0 in time, 0 left' "$(section "scope $scope, $who")"
      run ! grep cannot <<<"$(section "scope $scope, $who")"
    done
  done
}

@test "Yama, 1: those of a parent that is not under foster are not, but by root" {
  refused_as "$(section 'scope 1, a user, not above the parent')" '1); give foster CAP_SYS_PTRACE'
  expect_in 'status 1' "$(section 'scope 1, a user, not above the parent')"
}

@test "Yama, 2: they are reaped by root; a user is told why not" {
  expect_in '0 errno 0 in time, 0 left' "$(section 'scope 2, root')"
  refused_as "$(section 'scope 2, a user')" '2); give foster CAP_SYS_PTRACE'
}

@test "Yama, 3: nobody may reap them, and is told so" {
  for who in root 'a user'; do
    refused_as "$(section "scope 3, $who")" '3, which forbids it to everybody)'
  done
}
