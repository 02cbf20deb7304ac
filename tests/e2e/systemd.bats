#!/usr/bin/env bats
# The unit that the manual shows, under a systemd that is PID 1 of a machine which qemu makes.
# bats file_tags=alone
load engines

# The block of this number in the manual's example of a unit.
block_of_manual() {
  sed -n '/^\.Ss Unit of systemd/,/^\.Sh/p' "$BATS_TEST_DIRNAME/../../src/foster.1" | awk -v number="$1" '
    /^\.Ed/ { inside = 0 }
    inside && block == number { gsub(/\\-/, "-"); print }
    /^\.Bd/ { ++block; inside = 1 }'
}

# Root, an agent that may use sudo without a password, and no questions.
make_users() {
  local root=$1 file
  printf '%s\n' root:x:0:0::/root:/bin/sh agent:x:1000:1000::/:/bin/sh >"$root/etc/passwd"
  printf '%s\n' root:x:0: agent:x:1000: systemd-journal:x:101: tty:x:5: >"$root/etc/group"
  printf '%s\n' 'root:*:1::::::' 'agent:*:1::::::' >"$root/etc/shadow"
  echo 'agent ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers"
  chmod 440 "$root/etc/sudoers"
  for file in sudo other; do
    printf '%s required pam_permit.so\n' auth account password session >"$root/etc/pam.d/$file"
  done
}

setup_file() {
  requires_root
  requires_static
  requires_x86_64
  unpack_kernel
  local root=$BATS_FILE_TMPDIR/root
  # Unpacked, not installed: no script of a package runs.
  mmdebstrap --quiet --variant=extract --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
    --include=bash,coreutils,dash,grep,perl-base,procps,sed,sudo,systemd,util-linux bookworm "$root"
  rm -rf "$root"/usr/share/{doc,i18n,info,locale,man,zoneinfo} "$root"/usr/lib/x86_64-linux-gnu/gconv "$root"/var/{cache,lib}/apt
  make_users "$root"
  echo vm >"$root/etc/hostname"
  echo 127.0.0.1 vm >"$root/etc/hosts"
  echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
  install -D "$FOSTER" "$root/usr/local/bin/foster"
  install "$SOURCES/agent.pl" "$root/usr/local/bin/agent"
  cp "$BATS_TEST_DIRNAME/systemd.sh" "$root/story"
  # As the manual shows them, but for the times.
  block_of_manual 1 | sed 's/--zombies=reap/-v --zombies=reap --zombie-age=2s/' >"$root/etc/systemd/system/agent.service"
  block_of_manual 2 | sed 's/^WatchdogSec=.*/WatchdogSec=4s/' >"$root/dropin"
  printf '%s\n' '[Unit]' 'DefaultDependencies=no' 'Requires=sysinit.target' 'After=sysinit.target' '[Service]' 'Type=exec' \
    'StandardOutput=file:/dev/ttyS0' 'StandardError=inherit' 'ExecStart=/story' >"$root/etc/systemd/system/story.service"
  ln -s usr/lib/systemd/systemd "$root/init"
  make_initramfs "$root" "$BATS_FILE_TMPDIR/initramfs"
  CONSOLE=$(boot 300 "$BATS_FILE_TMPDIR/initramfs" 1024 systemd.unit=story.service locale.LANG=C)
  export CONSOLE
}

@test "systemd: the manual's unit starts, four sudo zombies are reaped, and a stop is a success" {
  expect [ "$(section plain)" = $'start 0, active, of type exec\nso: zombies_are 4\nso: log_has neglects 4 zombies\nso: zombies_are 0\nmain process foster\nstop 0, inactive, success' ]
}

@test "systemd: READY, WATCHDOG and STATUS of the agent, foster's child, are taken; a reload is one SIGHUP" {
  expect [ "$(section notify)" = $'start 0, active, of type notify, watchdog of the agent\nso: status_is HUP x1\nso: status_is HUP x2' ]
}

@test "systemd: the status names foster as the main process, the agent beside it, and what the agent says" {
  run section status
  expect_in 'Active: active (running)' "$output"
  expect_in '(foster)' "$output"
  expect_in 'Status: "HUP x2"' "$output"
  expect_in 'foster -v --zombies=reap --zombie-age=2s --' "$output"
  expect_in '/usr/bin/perl /usr/local/bin/agent' "$output"
  expect_in 'status 0' "$output"
}

@test "systemd: an agent that falls silent is ended by the watchdog, and the unit started anew" {
  expect [ "$(section watchdog)" = $'so: has_restarted\nanother main process\nWatchdog timeout\nstatus 134\nstop 0, inactive, success' ]
}
