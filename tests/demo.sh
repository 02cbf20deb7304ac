#!/bin/bash
# Shows what an init is for: the same workload under sh as PID 1 and under foster. FOSTER is the binary.
set -euo pipefail

# Three helpers whose parents do not wait for them, and then a wait for something that never comes.
workload='for helper in 1 2 3; do (sleep 0.1 &); done; echo >"$0.ready"; exec 3<>"$0"; read -r line <&3'

user=()
enter=()
if [[ $(id -u) != 0 ]]; then
  user=(--user --map-root-user)
  enter=(--user --preserve-credentials)
fi
work=$(mktemp -d)
mkfifo "$work/never"
trap 'rm -rf "$work"' EXIT

processes() {
  nsenter "${enter[@]}" --target "$init" --pid --mount ps -N -C ps -o pid,stat,args 2>/dev/null || true
}

wait_for() {
  local tries=0
  until "$@"; do
    ((++tries < 500)) || { echo "demo: waited in vain for: $*" >&2; exit 1; }
    sleep 0.02
  done
}

# Only the inits and the workload are alive: $1 processes.
helpers_have_ended() {
  [[ -e $work/never.ready ]] && [[ $(processes | grep -c '^ *[0-9][0-9]* [^Z ]') == "$1" ]]
}

has_ended() {
  ! kill -0 "$init" 2>/dev/null
}

# Starts the workload under an init in a PID namespace, shows what becomes of the helpers and of SIGTERM.
show() {
  rm -f "$work/never.ready"
  unshare "${user[@]}" --pid --fork --mount-proc --kill-child -- "$@" sh -c "$workload" "$work/never" &
  local namespace=$! status=0
  wait_for pgrep -P "$namespace" >/dev/null
  init=$(pgrep -P "$namespace")
  wait_for helpers_have_ended $(($# > 0 ? 2 : 1))
  processes | sed "s|sh -c .*|sh -c '...'|; s|$FOSTER|foster|; s/^/  /"
  kill -TERM "$init"
  for _ in {1..25}; do
    ! has_ended || break
    sleep 0.02
  done
  if has_ended; then
    wait "$namespace" || status=$?
    echo "  SIGTERM: delivered, the workload ended, exit status $status"
  else
    echo '  SIGTERM: ignored, the workload still runs half a second later'
    kill -KILL "$namespace"
    wait "$namespace" 2>/dev/null || true
  fi
}

echo 'sh as PID 1: the zombies stay'
show
echo 'foster as PID 1: they are gone'
show "$FOSTER" --
