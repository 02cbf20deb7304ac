#!/usr/bin/env bats
load helpers

@test "--rewrite: names and numbers, with and without SIG, RTMIN and RTMAX; 0 or none drops" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" -r TERM:QUIT --rewrite=SIGHUP:12 -r 10:0 --rewrite usr2:none -r RTMIN+1:RTMAX-2 -r INT:SIGRTMIN \
      "$WORKLOADS/record-signals" 5
    wait_ready
    for pair in 15:3 1:12 35:62 2:34; do
      "$WORKLOADS/send-signals" "$INIT" 10 12 "${pair%:*}"
      wait_until grep -qx "${pair#*:}" "$OUT"
    done
    "$WORKLOADS/send-signals" "$INIT" 28
    finish
    expect_status 0
    diff <(printf '%s\n' READY 3 12 62 34 28) "$OUT"
  done
}

@test "a signal that would kill the application now that it is not PID 1 can be dropped" {
  start_in subreaper "$FOSTER" -r HUP:none sh -c 'echo READY; exec sleep 1000'
  wait_ready
  kill -HUP "$INIT"
  kill -TERM "$INIT"
  finish
  expect_status 143
}

@test "a rewritten signal keeps its value" {
  start_in subreaper "$FOSTER" -r USR1:USR2 "$WORKLOADS/record-signals" 1
  wait_ready
  "$WORKLOADS/send-signals" "$INIT" 10=77
  finish
  grep -q '^12 value 0x4d from' "$OUT"
}

@test "--remap-exit ends with another code" {
  for mode in "${MODES[@]}"; do
    run -0 run_in "$mode" "$FOSTER" -e 143 -e 3:5 sh -c 'kill -TERM $$'
    run -5 run_in "$mode" "$FOSTER" -e143 -e 3:5 sh -c 'exit 3'
    run -4 run_in "$mode" "$FOSTER" -e 143 -e 3:5 sh -c 'exit 4'
  done
}

@test "--parent-death forwards a signal when foster's parent dies" {
  mkfifo "$BATS_TEST_TMPDIR/never"
  start_in subreaper sh -c '"$FOSTER" -p USR1 "$WORKLOADS/record-signals" 1 & echo $! >"$0"; read -r _ <"$1"' \
    "$BATS_TEST_TMPDIR/pid" "$BATS_TEST_TMPDIR/never"
  wait_ready
  local foster
  foster=$(cat "$BATS_TEST_TMPDIR/pid")
  kill -KILL "$INIT"
  wait_until grep -qx 10 "$OUT"
  wait_until has_ended "$foster"
  finish
}

@test "--tether ends the child when foster dies" {
  for option in --tether --tether=TERM; do
    start_in subreaper "$FOSTER" $option sh -c 'echo READY; exec sleep 1000'
    wait_ready
    local child
    child=$(child_of "$INIT")
    kill -KILL "$INIT"
    wait_until has_ended "$child"
    finish
  done
  start_in subreaper "$FOSTER" --tether=USR1 "$WORKLOADS/record-signals" 1
  wait_ready
  kill -KILL "$INIT"
  wait_until grep -qx 10 "$OUT"
  finish
}

@test "gosu: --user sets user, groups and HOME; numbers need no file, names are looked up" {
  requires_root
  local root=$BATS_TEST_TMPDIR/root
  mkdir -p "$root/etc" "$root/home"
  printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'broken' 'ann:x:4242:5252:Ann:/home/ann:/bin/sh' >"$root/etc/passwd"
  printf '%s\n' 'root:x:0:' 'ann:x:5252:' 'audio:x:29:bob,ann' 'video:x:44:annabel' 'disk:x:6:ann' >"$root/etc/group"
  as() {
    unshare --mount sh -c 'mount --bind "$0/etc/passwd" /etc/passwd && mount --bind "$0/etc/group" /etc/group && exec "$@"' \
      "$root" "$FOSTER" --user "$1" sh -c 'echo "$(id -u) $(id -g) $(id -G) $HOME"'
  }
  expect [ "$(as ann)" = '4242 5252 5252 6 29 /home/ann' ]
  expect [ "$(as 4242)" = '4242 5252 5252 6 29 /home/ann' ]
  expect [ "$(as ann:video)" = '4242 44 44 /home/ann' ]
  expect [ "$(as ann:77)" = '4242 77 77 /home/ann' ]
  expect [ "$(as 999:888)" = '999 888 888 /' ]
  expect [ "$(as 999)" = '999 0 0 /' ]
  # --env comes after --user, --chdir too; and the saved ids are the user's.
  run -0 "$FOSTER" --env HOME=/own --user 12:34 sh -c 'echo "$HOME"; sed -n "s/^[UG]id:.//p" /proc/$$/status'
  expect [ "$output" = $'/own\n12\t12\t12\t12\n34\t34\t34\t34' ]
  mkdir -m 700 "$BATS_TEST_TMPDIR/private"
  run -125 "$FOSTER" --chdir "$BATS_TEST_TMPDIR/private" --user 12:34 true
  expect_in 'cannot change to directory' "$output"
  start_in subreaper "$FOSTER" --tether --user 12:34 sh -c 'echo READY; exec sleep 1000'
  wait_ready
  local child
  child=$(child_of "$INIT")
  kill -KILL "$INIT"
  wait_until has_ended "$child"
  finish
  run as bob
  expect_status 125
  expect [ "${lines[0]}" = "foster: error: no such user: 'bob'" ]
  run as ann:nogroup-here
  expect_status 125
  expect [ "${lines[0]}" = "foster: error: no such group: 'nogroup-here'" ]
  printf 'more%s:x:%s:ann\n' {1000..1252}{,} >>"$root/etc/group"
  expect [ "$(as ann | wc -w)" = 259 ]
  echo 'last:x:2000:ann' >>"$root/etc/group"
  run as ann
  expect_status 125
  expect [ "$output" = "foster: error: user 'ann' is in more than 256 groups" ]
}

@test "--user without any file takes numbers only; refused by the kernel it is one line and 125" {
  requires_root
  requires_static
  local root=$BATS_TEST_TMPDIR/root
  mkdir "$root"
  cp "$FOSTER" "$WORKLOADS/record-signals" "$root"
  run -0 chroot "$root" /foster --user 12:34 /record-signals 0
  run -125 chroot "$root" /foster --user nobody /record-signals 0
  expect [ "${lines[0]}" = "foster: error: no such user: 'nobody'" ]
  chmod 755 "$BATS_RUN_TMPDIR" "$root"
  run -125 setpriv --bounding-set=-all --inh-caps=-all -- "$FOSTER" --user 12:34 true
  expect [ "$output" = "foster: error: cannot become user '12:34': Operation not permitted" ]
}

@test "--chdir and --env" {
  mkdir "$BATS_TEST_TMPDIR/there"
  run -0 "$FOSTER" --chdir "$BATS_TEST_TMPDIR/there" --env A=1 --env=PATH="$PATH:/x" --env A=2=3 --env HOME= sh -c 'pwd; echo "$A $HOME $PATH"'
  expect [ "${lines[0]}" = "$BATS_TEST_TMPDIR/there" ]
  expect [ "${lines[1]}" = "2=3  $PATH:/x" ]
  run -125 "$FOSTER" --chdir /no/such/directory true
  expect [ "$output" = "foster: error: cannot change to directory '/no/such/directory': No such file or directory" ]
  run -0 env -i "$FOSTER" --env A=1 /usr/bin/env
  expect [ "$output" = A=1 ]
  # shellcheck disable=SC2046 # several words
  run -0 env -i "$FOSTER" $(printf -- '--env V%s=1 ' {1..64}) /usr/bin/env
  expect [ "$(grep -c '^V[0-9]*=1$' <<<"$output")" = 64 ]
  # shellcheck disable=SC2046 # several words
  run -125 "$FOSTER" $(printf -- '--env V%s=1 ' {1..65}) true
  expect [ "${lines[0]}" = "foster: error: bad value 'V65=1' for option '--env': one --env too many" ]
}

@test "tini, dumb-init: LISTEN_PID and WATCHDOG_PID that name foster name the child, LISTEN_PIDFDID is gone" {
  for mode in "${MODES[@]}"; do
    run -0 run_in "$mode" sh -c 'exec env LISTEN_PID=$$ WATCHDOG_PID=$$ LISTEN_FDS=1 LISTEN_PIDFDID=7 "$FOSTER" sh -c "
      echo \$((LISTEN_PID - \$\$)) \$((WATCHDOG_PID - \$\$)) \$LISTEN_FDS \$LISTEN_PIDFDID."'
    expect [ "$output" = '0 0 1 .' ]
    LISTEN_PID=99999 run -0 run_in "$mode" "$FOSTER" sh -c 'echo $LISTEN_PID'
    expect [ "$output" = 99999 ]
  done
}

@test "a bad value is named, ends with 125, and nothing is started" {
  local option value
  while IFS='|' read -r option value message; do
    run "$FOSTER" "$option" "$value" touch "$BATS_TEST_TMPDIR/started"
    expect_status 125
    expect [ "${lines[0]}" = "foster: error: $message" ]
    expect [ "${#lines[@]}" = 2 ]
  done <<'END'
-r|FOO:TERM|bad value 'FOO:TERM' for option '--rewrite': no such signal
-r|TERM:65|bad value 'TERM:65' for option '--rewrite': no such signal
-r|1:32|bad value '1:32' for option '--rewrite': no such signal
-r|33:TERM|bad value '33:TERM' for option '--rewrite': no such signal
-r|TERM|bad value 'TERM' for option '--rewrite': not FROM:TO
-r|0:TERM|bad value '0:TERM' for option '--rewrite': no such signal
-r|RTMIN+31:TERM|bad value 'RTMIN+31:TERM' for option '--rewrite': no such signal
--rewrite|KILL:TERM|bad value 'KILL:TERM' for option '--rewrite': SIGKILL and SIGSTOP cannot be caught
--rewrite|19:1|bad value '19:1' for option '--rewrite': SIGKILL and SIGSTOP cannot be caught
--delay|TERM|bad value 'TERM' for option '--delay': not SIGNAL:DURATION
--delay|STOP:1s|bad value 'STOP:1s' for option '--delay': SIGKILL and SIGSTOP cannot be caught
--delay|FOO:1s|bad value 'FOO:1s' for option '--delay': no such signal
--delay|TERM:1d|bad value 'TERM:1d' for option '--delay': not a time like 500ms, 10s, 5m, or plain seconds
--delay|TERM:|bad value 'TERM:' for option '--delay': not a time like 500ms, 10s, 5m, or plain seconds
--grace|10h|bad value '10h' for option '--grace': not a time like 500ms, 10s, 5m, or plain seconds
--grace|-1|bad value '-1' for option '--grace': not a time like 500ms, 10s, 5m, or plain seconds
--stop-timeout|0|bad value '0' for option '--stop-timeout': it is no time at all
--stop-timeout|soon|bad value 'soon' for option '--stop-timeout': not a time like 500ms, 10s, 5m, or plain seconds
--warn-pids|0|bad value '0' for option '--warn-pids': not a number from 1 to 100
--warn-pids|101|bad value '101' for option '--warn-pids': not a number from 1 to 100
--warn-pids|90%|bad value '90%' for option '--warn-pids': not a number from 1 to 100
--termination-log=||bad value '' for option '--termination-log': it is empty
-e|256|bad value '256' for option '--remap-exit': an exit code is a number from 0 to 255
-e|1:-1|bad value '1:-1' for option '--remap-exit': an exit code is a number from 0 to 255
-e|99999999999999999999|bad value '99999999999999999999' for option '--remap-exit': an exit code is a number from 0 to 255
-p|NONE|bad value 'NONE' for option '--parent-death': no such signal
--tether=FOO||bad value 'FOO' for option '--tether': no such signal
--env|=x|bad value '=x' for option '--env': not NAME=VALUE
--env|x|bad value 'x' for option '--env': not NAME=VALUE
--user||bad value '' for option '--user': it is empty
--user|no-such-user|no such user: 'no-such-user'
--user|4294967295|no such user: '4294967295'
--chdir||bad value '' for option '--chdir': it is empty
END
  # shellcheck disable=SC2046 # several words
  run -125 "$FOSTER" $(printf -- '--delay=%s:1s ' {1..8}) --delay=8:2s --delay=10:1s true
  expect [ "${lines[0]}" = "foster: error: bad value '10:1s' for option '--delay': one --delay too many" ]
  for option in -r -e -p --rewrite --user --chdir --env --delay --grace --stop-timeout --warn-pids; do
    run -125 "$FOSTER" "$option"
    expect_in "option '$option' needs a value: " "${lines[0]}"
  done
  expect [ ! -e "$BATS_TEST_TMPDIR/started" ]
}
