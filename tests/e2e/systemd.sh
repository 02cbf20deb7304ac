#!/bin/sh
# What systemd.bats has systemd run, as a service of its own. The console is read by the tests, title by title.

# A property of the agent's unit.
show() {
  systemctl show agent.service --value --property "$1"
}

zombies_are() {
  [ "$(grep -ls '^State:.Z' /proc/[0-9]*/status | wc -l)" = "$1" ]
}

status_is() {
  [ "$(show StatusText)" = "$1" ]
}

has_restarted() {
  [ "$(show NRestarts)" = 1 ] && [ "$(show ActiveState)" = active ]
}

# Waits for a command to succeed, within ten seconds or so, and tells whether it did.
until_so() {
  tries=0
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 50 ] || { echo "waited in vain for: $*"; return; }
    sleep 0.2
  done
  [ "$tries" -ge 50 ] || echo "so: $*"
}

log_has() {
  journalctl --quiet --unit agent.service --output cat | grep -q "$1"
}

echo '== plain'
systemctl start agent.service
echo "start $?, $(show ActiveState), of type $(show Type)"
until_so zombies_are 4
until_so log_has 'neglects 4 zombies'
until_so zombies_are 0
echo "main process $(cat "/proc/$(show MainPID)/comm")"
systemctl stop agent.service
echo "stop $?, $(show ActiveState), $(show Result)"

echo '== notify'
mkdir -p /etc/systemd/system/agent.service.d
cp /dropin /etc/systemd/system/agent.service.d/notify.conf
systemctl daemon-reload
systemctl start agent.service
echo "start $?, $(show ActiveState), of type $(show Type), $(show StatusText)"
systemctl reload agent.service
until_so status_is 'HUP x1'
systemctl kill --kill-whom=main --signal HUP agent.service
until_so status_is 'HUP x2'

echo '== status'
systemctl status --lines 0 --full agent.service
echo "status $?"

echo '== watchdog'
old=$(show MainPID)
systemctl kill --kill-whom=main --signal USR1 agent.service
until_so has_restarted
[ "$(show MainPID)" != "$old" ] && echo 'another main process'
log_has 'Watchdog timeout' && echo 'Watchdog timeout'
log_has 'status=134' && echo 'status 134'
systemctl stop agent.service
echo "stop $?, $(show ActiveState), $(show Result)"

echo '== the end'
journalctl --quiet --unit agent.service --output cat
systemctl poweroff --force --force
