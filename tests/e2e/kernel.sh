#!/bin/sh
# What kernel.bats has run under foster as the PID 1 of a machine. Its console is read by the tests, title by title.

user='foster --user=1000:1000 --'
reap='foster --zombies=reap --zombie-age=200ms --'

mount -t proc proc /proc
mount -t devtmpfs dev /dev

echo '== the first processes'
ps -o pid,ppid,stat,comm | awk '$2 != 2 && $1 != 2'

echo '== orphans'
orphans 300

echo '== signals'
trap 'echo got USR1' USR1
trap 'echo got INT' INT
for signal in USR1 INT; do
  kill -s "$signal" 1
  sleep 0.3
done

# Tenths of a second since boot.
uptime_now() {
  awk '{ printf "%d", $1 * 10 }' /proc/uptime
}

# Sets the clock, a moment after foster has read one, and waits for a command. Prints a word and how long that took.
jump_until() {
  started=$(uptime_now)
  sleep 0.3
  date -s "@$(($(date +%s) + by))" >/dev/null
  until eval "$2"; do sleep 0.1; done
  echo "$1 $(($(uptime_now) - started))"
}

for by in 86400 -86400; do
  echo "== the clock jumps by $by s"
  rm -f /usr1
  foster --delay USR1:1s --stop-timeout=1s --grace=1s --zombies=report --zombie-age=1s -- \
    sh -c 'trap "" TERM; trap "echo >/usr1" USR1; neglect 1 nanosleep 100 & while :; do sleep 0.1; done' 2>/log >/out &
  until grep -q READY /out; do sleep 0.1; done
  jump_until zombies 'grep -q neglects /log'
  kill -USR1 "$!"
  jump_until delay '[ -e /usr1 ]'
  kill "$!"
  jump_until stop '! pidof neglect >/dev/null'
  wait "$!"
  echo "status $?"
done

echo '== a 32-bit parent'
$reap parent-32 2>/log &
until grep -q 'cannot reap' /log; do sleep 0.1; done
kill "$!"
wait "$!"
echo "status $?"
cat /log

for scope in 0 1 2 3; do
  echo "$scope" >/proc/sys/kernel/yama/ptrace_scope
  echo "== scope $scope, root"
  $reap neglect 2 nanosleep 4
  echo "== scope $scope, a user"
  # shellcheck disable=SC2086 # several words
  $user $reap neglect 2 nanosleep 4
  if [ "$scope" = 1 ]; then
    echo "== scope $scope, a user, not above the parent"
    $user neglect 2 nanosleep 4 &
    sleep 1
    $user foster --reap-zombies="$(pidof neglect | awk '{ print $NF }')" --zombie-age=200ms
    echo "status $?"
    wait
  fi
done

echo '== the end'
exit 7
