# What the tests of the container engines share. They need root, and the engines' packages.
load ../helpers

# A root directory with busybox in it, and a workload: "leave-orphans" makes five orphans that die at once, prints READY and goes on
# until SIGTERM or SIGINT, upon which it prints the process table without the tools that made it, and ends with 7.
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

# Whether a process table that the workload printed shows foster, by the name that the engine gave it, as PID 1, the workload as
# its child, and no zombie.
expect_reaped_under() {
  local table=$1 name=$2
  [[ $table =~ [[:space:]]*1[[:space:]]+0[[:space:]]+S[[:space:]]+$name ]] || expect_in "1 0 S $name" "$table"
  grep -Eq '^ +[0-9]+ +1 [RS] +leave-orphans$' <<<"$table" || expect_in "a child of PID 1" "$table"
  ! grep -E ' Z ' <<<"$table"
}
