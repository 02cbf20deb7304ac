#!/usr/bin/env bats
load helpers

# An interactive bash on a pseudo-terminal of its own: type_in types, what it shows goes to $OUT. Its prompt is
# "PROMPT> ".
start_shell() {
  OUT=$BATS_TEST_TMPDIR/out
  rm -f "$BATS_TEST_TMPDIR/keys"
  mkfifo "$BATS_TEST_TMPDIR/keys"
  exec 5<>"$BATS_TEST_TMPDIR/keys"
  : >"$OUT"
  echo "PS1='PROMPT> '; bind 'set enable-bracketed-paste off'" >"$BATS_TEST_TMPDIR/rc"
  env --default-signal=INT,QUIT script -qefc "exec bash --noprofile --rcfile $BATS_TEST_TMPDIR/rc -i" /dev/null <&5 >"$OUT" 2>&1 3>&- 5>&- &
  STARTED=$!
  # shellcheck disable=SC2034 # teardown ends it
  INIT=$STARTED
  wait_until shows 'PROMPT> '
}

type_in() {
  : >"$OUT"
  printf '%s' "$1" >&5
}

# Whether this has been shown since the last keys.
shows() {
  tr -d '\r' <"$OUT" | grep -q -- "$1"
}

# The foster that the shell runs, a child of its.
foster_of_shell() {
  pgrep -P "$(child_of "$INIT")" -x "${FOSTER##*/}"
}

end_shell() {
  type_in $'exit\n'
  finish
  exec 5>&-
}

@test "Ctrl-C reaches the child, and the shell gets its terminal back" {
  start_shell
  type_in $'"$FOSTER" sh -c "echo REA\\DY; exec sleep 1000"\n'
  wait_until shows READY
  type_in $'\x03'
  wait_until shows PROMPT
  type_in $'echo sta\\tus $?; stty -a | head -n 1\n'
  wait_until shows 'status 130'
  wait_until shows speed
  end_shell
}

@test "dumb-init: Ctrl-Z under a shell stops the child and foster, the shell gets its prompt, and fg goes on" {
  start_shell
  type_in $'"$FOSTER" sh -c "echo REA\\DY; read line; echo got \\$line; exit 7"\n'
  wait_until shows READY
  local foster child
  foster=$(foster_of_shell)
  child=$(child_of "$foster")
  type_in $'\x1a'
  wait_until shows Stopped
  wait_until shows PROMPT
  wait_until is_stopped "$foster"
  wait_until is_stopped "$child"
  type_in $'fg\n'
  wait_until shows FOSTER
  wait_until is_asleep "$foster"
  type_in $'a line\n'
  wait_until shows 'got a line'
  type_in $'echo sta\\tus $?\n'
  wait_until shows 'status 7'
  end_shell
}

@test "fg goes on with the whole group of the child, not with the child alone" {
  start_shell
  type_in $'"$FOSTER" sh -c "echo REA\\DY; sleep 1000; exit 7"\n'
  wait_until shows READY
  local foster sleeper
  foster=$(foster_of_shell)
  wait_until child_of "$(child_of "$foster")"
  sleeper=$(child_of "$(child_of "$foster")")
  type_in $'\x1a'
  wait_until shows Stopped
  wait_until is_stopped "$sleeper"
  type_in $'fg\n'
  wait_until is_asleep "$sleeper"
  kill "$sleeper"
  wait_until shows PROMPT
  end_shell
}

@test "a background job steals nothing: the shell keeps the terminal, and a child that reads from it stops, with foster" {
  start_shell
  type_in $'"$FOSTER" sh -c "read line; echo got \\$line; exit 7" &\n'
  wait_until foster_of_shell
  local foster
  foster=$(foster_of_shell)
  wait_until is_stopped "$foster"
  type_in $'jobs -l\n'
  wait_until shows 'Stopped (tty input)'
  type_in $'fg\n'
  wait_until shows FOSTER
  wait_until is_asleep "$foster"
  type_in $'a line\n'
  wait_until shows 'got a line'
  end_shell
}

@test "tini: a script's job in the background does not keep Ctrl-C from the script, and may read all the same" {
  start_shell
  type_in $'sh -c \'"$FOSTER" sh -c "echo REA\\DY; exec sleep 1000" & echo FOSTER $!; exec sleep 1000\'\n'
  wait_until shows READY
  wait_until shows '^FOSTER [0-9]'
  local foster
  foster=$(tr -d '\r' <"$OUT" | sed -n 's/^FOSTER //p')
  type_in $'\x03'
  wait_until shows PROMPT
  type_in "kill $foster"$'\n'
  wait_until shows PROMPT
  type_in $'sh -c \'"$FOSTER" sh -c "read line </dev/tty; echo got \\$line" & wait\'\n'
  wait_until shows FOSTER
  type_in $'a line\n'
  wait_until shows 'got a line'
  wait_until shows PROMPT
  end_shell
}

@test "a script gets the terminal back that foster has lent to the child" {
  start_shell
  type_in $'sh -c \'"$FOSTER" sh -c "exit 3"; echo sta\\tus $?; read line; echo got $line\'\n'
  wait_until shows 'status 3'
  type_in $'a line\n'
  wait_until shows 'got a line'
  end_shell
}

@test "a script gets the terminal back from a command that could not be run, too" {
  start_shell
  type_in $'sh -c \'"$FOSTER" no-such-command; echo sta\\tus $?; read line; echo got $line\'\n'
  wait_until shows 'status 127'
  type_in $'a line\n'
  wait_until shows 'got a line'
  end_shell
}

@test "a reader at the end of a pipeline gets the terminal that the child at its head does not read" {
  start_shell
  type_in $'"$FOSTER" sh -c "echo data; exec sleep 1000" | sh -c \'read word; echo REA\\DY $word; read line </dev/tty; echo got $line $(ps -o pgid=,tpgid= -p $$)\'\n'
  wait_until shows 'READY data'
  local foster
  foster=$(foster_of_shell)
  type_in $'a line\n'
  wait_until shows 'got a line \([0-9]*\) \1\>'
  kill "$foster"
  wait_until shows 'PROMPT'
  end_shell
}

@test "--same-group: Ctrl-C reaches the child once" {
  start_shell
  type_in $'"$FOSTER" --same-group -v "$WORKLOADS/record-signals" 1\n'
  wait_until shows READY
  type_in $'\x03'
  wait_until shows '^\(\^C\)\?2$'
  wait_until shows PROMPT
  run ! shows forwarded
  end_shell
}

@test "--same-group, dumb-init -c: after Ctrl-Z one fg is enough, and the child has the terminal and its keys" {
  ln -s "$FOSTER" "$BATS_TEST_TMPDIR/dumb-init"
  start_shell
  for command in '"$FOSTER" --same-group' "$BATS_TEST_TMPDIR/dumb-init -c"; do
    type_in "$command"$' sh -c "echo REA\\DY; read line; echo got \\$line; exec sleep 1000"\n'
    wait_until shows READY
    type_in $'\x1a'
    wait_until shows Stopped
    wait_until shows PROMPT
    type_in $'fg\n'
    wait_until shows 'sh -c'
    type_in $'a line\n'
    wait_until shows 'got a line'
    type_in $'\x03'
    wait_until shows PROMPT
  done
  end_shell
}

@test "--setsid gives the child a session of its own, with the terminal as its controlling one, and no HUP or CONT" {
  for mode in "${MODES[@]}"; do
    run -0 run_in "$mode" script -qec "exec \"\$FOSTER\" --setsid -v sh -c 'ps -o pid=,sid=,tpgid=,tty= -p \$\$'" /dev/null </dev/null
    read -r pid session foreground terminal < <(grep -v foster <<<"${output//$'\r'/}")
    expect [ "$pid" = "$session" ]
    expect [ "$pid" = "$foreground" ]
    expect [ "$terminal" != '?' ]
    run ! grep forwarded <<<"$output"
  done
}

@test "a child that is stopped and continued from outside keeps the terminal, where no shell continues foster" {
  requires_root # to take the terminal from script's session
  for mode in "${MODES[@]}"; do
    OUT=$BATS_TEST_TMPDIR/out
    rm -f "$BATS_TEST_TMPDIR/keys"
    mkfifo "$BATS_TEST_TMPDIR/keys"
    exec 5<>"$BATS_TEST_TMPDIR/keys"
    : >"$OUT"
    local leader= # foster leads a session, as script's own command does, and not as a child of that
    if [[ $mode == pid1 ]]; then
      leader="${NAMESPACE[*]} -- setsid -c"
    fi
    env --default-signal=INT,QUIT script -qefc "exec $leader \"\$FOSTER\" sh -c 'echo READY; read line; echo got \$line; exit 7'" \
      /dev/null <&5 >"$OUT" 2>&1 3>&- 5>&- &
    # shellcheck disable=SC2034 # finish and teardown use them
    STARTED=$! INIT=$!
    wait_ready
    local child
    child=$(own -f '^sh -c echo READY; read line')
    for stop in "kill -STOP $child" "printf '\x1a' >&5"; do
      eval "$stop"
      wait_until is_stopped "$child"
      kill -CONT "$child"
      wait_until is_asleep "$child"
    done
    type_in $'a line\n'
    wait_until shows 'got a line'
    finish
    expect_status 7
    exec 5>&-
  done
}

@test "a child that asks at /dev/tty gets the terminal although no standard descriptor leads there" {
  start_shell
  type_in $'"$FOSTER" sh -c "echo REA\\DY >/dev/tty; read line </dev/tty; echo got \\$line >/dev/tty" </dev/null >/dev/null 2>&1\n'
  wait_until shows READY
  type_in $'a line\n'
  wait_until shows 'got a line'
  wait_until shows 'PROMPT'
  end_shell
}

@test "a SIGCONT that comes before foster has seen its child stop is not lost" {
  start_shell
  type_in $'"$FOSTER" sh -c "echo REA\\DY; read line; echo got \\$line"\n'
  wait_until shows READY
  local foster child
  foster=$(child_of "$(child_of "$INIT")")
  child=$(child_of "$foster")
  kill -STOP "$foster"
  wait_until shows PROMPT
  kill -TSTP "$child"
  wait_until is_stopped "$child"
  type_in $'fg\n'
  wait_until shows FOSTER
  wait_until is_asleep "$child"
  wait_until is_asleep "$foster"
  type_in $'a line\n'
  wait_until shows 'got a line'
  end_shell
}

@test "fg of a job that runs in the background gives the child the terminal, although bash sends no SIGCONT then" {
  start_shell
  type_in $'"$FOSTER" sh -c "echo REA\\DY; until [ -e '"$BATS_TEST_TMPDIR"$'/go ]; do sleep 0.01; done; read line; echo got \\$line" &\n'
  wait_until shows READY
  type_in $'fg\n'
  wait_until shows FOSTER
  touch "$BATS_TEST_TMPDIR/go"
  type_in $'a line\n'
  wait_until shows 'got a line'
  end_shell
}

@test "a background job in a PID namespace of its own, where the shell's group has no number, steals nothing either" {
  start_shell
  type_in "${NAMESPACE[*]}"$' "$FOSTER" sh -c "echo REA\\DY; read line; echo got \\$line" &\n'
  wait_until shows READY
  type_in $'echo sti\\ll $((1 + 1))\n'
  wait_until shows 'still 2'
  wait_until is_stopped "$(child_of "$(child_of "$INIT")" unshare)"
  type_in $'fg\n'
  wait_until shows FOSTER
  type_in $'a line\n'
  wait_until shows 'got a line'
  end_shell
}

# Starts foster, by its path and with options, from the shell, as PID 1 or not; $JOB is the shell's own child, $INNER is
# foster, whose messages go to $ERR, for a terminal that is busy gets none.
start_job() {
  ERR=$BATS_TEST_TMPDIR/err
  local mode=$1 command="$2 2>$ERR ${3:-}"$'\n'
  [[ $mode == subreaper ]] || command="${NAMESPACE[*]} -- $command"
  type_in "$command"
  wait_until shows READY
  JOB=$(child_of "$(child_of "$INIT")")
  INNER=$JOB
  [[ $mode == subreaper ]] || INNER=$(child_of "$JOB")
}

# Makes the shell's terminal another size, so that it sends SIGWINCH.
resize() {
  stty -F "$(readlink "/proc/$(child_of "$INIT")/fd/0")" cols "$1"
}

@test "a change of the terminal's size reaches the child in spite of --rewrite WINCH:none" {
  for mode in "${MODES[@]}"; do
    start_shell
    start_job "$mode" '"$FOSTER" -v --rewrite WINCH:none "$WORKLOADS/record-signals" 1'
    resize 101
    wait_until shows '^28$'
    wait_until shows PROMPT
    run ! grep forwarded "$ERR"
    end_shell
  done
}

@test "--no-terminal: foster gets a change of the terminal's size, and forwards it if no --rewrite drops it" {
  for mode in "${MODES[@]}"; do
    start_shell
    for option in '' --group; do
      start_job "$mode" '"$FOSTER" -v --no-terminal '"$option"' "$WORKLOADS/record-signals" 1'
      resize 101
      wait_until shows '^28$'
      wait_until shows PROMPT
      grep -q 'forwarded SIGWINCH' "$ERR"
      start_job "$mode" '"$FOSTER" -v --no-terminal '"$option"' --rewrite WINCH:none "$WORKLOADS/record-signals" 1'
      resize 102
      kill -RTMAX "$INNER" # the last one to be taken
      wait_until shows '^64$'
      wait_until shows PROMPT
      run ! shows '^28$'
    done
    end_shell
  done
}

@test "--no-terminal: the keys' signals are forwarded, once, as any other, and rewritten" {
  for mode in "${MODES[@]}"; do
    start_shell
    local around='' # unshare is not to mind the keys
    [[ $mode == subreaper ]] || around="env --ignore-signal=QUIT,TSTP ${NAMESPACE[*]} -- env --default-signal=QUIT,TSTP "
    type_in "$around"$'"$FOSTER" --no-terminal --rewrite TSTP:USR1 "$WORKLOADS/record-signals" 3\n'
    wait_until shows READY
    type_in $'\x03'
    wait_until shows '^\(\^C\)\?2$'
    type_in $'\x1c'
    wait_until shows '^\(\^\\\)\?3$'
    type_in $'\x1a'
    wait_until shows '^\(\^Z\)\?10$'
    wait_until shows PROMPT
    start_job "$mode" '"$FOSTER" --no-terminal --stop-timeout=50ms "$WORKLOADS/record-signals" 9' '; echo sta\tus $?'
    type_in $'\x03'
    wait_until shows 'status 137'
    end_shell
  done
}

@test "--no-terminal: Ctrl-Z stops the child and foster, the shell gets its prompt, bg and fg go on, and foster keeps the foreground" {
  for mode in "${MODES[@]}"; do
    start_shell
    start_job "$mode" '"$FOSTER" --no-terminal --group sh -c "echo REA\\DY; sleep 1000; exit 7"'
    local child sleeper again
    child=$(child_of "$INNER")
    wait_until child_of "$child" sleep
    sleeper=$(child_of "$child")
    for again in bg fg fg; do
      type_in $'\x1a'
      wait_until shows Stopped
      wait_until shows PROMPT
      wait_until is_stopped "$JOB"
      wait_until is_stopped "$child"
      wait_until is_stopped "$sleeper"
      type_in "$again"$'\n'
      wait_until shows FOSTER
      wait_until is_asleep "$INNER"
      wait_until is_asleep "$child"
      wait_until is_asleep "$sleeper"
      if [[ $again == bg ]]; then
        type_in $'fg\n'
        wait_until shows FOSTER
      fi
      wait_until eval 'ps -o pgid=,tpgid= -p $JOB | grep -Eq "^ *([0-9]+) +\1$"'
    done
    type_in $'\x03'
    wait_until shows PROMPT
    wait_until is_gone "$sleeper"
    end_shell
  done
}

@test "--no-terminal: a child that reads from the terminal is stopped as any background job, and so is foster" {
  for mode in "${MODES[@]}"; do
    start_shell
    start_job "$mode" '"$FOSTER" --no-terminal sh -c "echo REA\\DY; read line; exit 7"'
    local child
    child=$(child_of "$INNER")
    wait_until is_stopped "$child"
    wait_until shows Stopped
    wait_until shows PROMPT
    type_in $'fg\n'
    wait_until shows FOSTER
    wait_until shows PROMPT # again
    wait_until is_stopped "$child"
    # bash has them go on then.
    type_in $'kill %%\n'
    wait_until is_gone "$child"
    wait_until is_gone "$JOB" # else bash refuses to exit: "There are stopped jobs"
    end_shell
  done
}

@test "--no-terminal with --setsid, and as dumb-init: the session has no controlling terminal, and foster keeps its own" {
  ln -s "$FOSTER" "$BATS_TEST_TMPDIR/dumb-init"
  for mode in "${MODES[@]}"; do
    start_shell
    for command in '"$FOSTER" --setsid' "$BATS_TEST_TMPDIR/dumb-init"; do
      start_job "$mode" "$command"' -v --no-terminal --rewrite WINCH:none "$WORKLOADS/record-signals" 2'
      local child
      child=$(child_of "$INNER")
      expect [ "$(ps -o sid=,tty= -p "$child" | xargs)" = "$child ?" ]
      expect [ "$(ps -o tty= -p "$INNER")" != '?' ]
      expect [ "$(ps -o tty= -p "$INNER")" = "$(ps -o tty= -p "$JOB")" ]
      resize 101
      type_in $'\x03'
      wait_until shows '^\(\^C\)\?2$'
      kill -RTMAX "$INNER"
      wait_until shows PROMPT
      wait_until shows '^64$'
      run ! shows '^28$'
      grep -q 'forwarded SIGINT' "$ERR"
    done
    end_shell
  done
  start_shell
  start_job subreaper "$BATS_TEST_TMPDIR"'/dumb-init --no-terminal sh -c "echo REA\\DY; exec sleep 1000"'
  child=$(child_of "$INNER")
  type_in $'\x1a'
  wait_until shows PROMPT
  wait_until is_stopped "$child"
  wait_until is_stopped "$INNER"
  type_in $'fg\n'
  wait_until is_asleep "$child"
  type_in $'\x03'
  wait_until shows PROMPT
  wait_until is_gone "$child"
  end_shell
}

@test "--setsid takes a terminal that is nobody's controlling one, and with --no-terminal does not" {
  # shellcheck disable=SC2016 # perl's own variables
  local give_up='perl -e '\''$SIG{HUP} = "IGNORE"; ioctl STDIN, 0x5422, 0 or die; $SIG{HUP} = "DEFAULT"; exec @ARGV'\' # TIOCNOTTY
  for mode in "${MODES[@]}"; do
    local around=''
    if [[ $mode == pid1 ]]; then
      [[ $(id -u) == 0 ]] || continue # to take the terminal from script's session
      around="${NAMESPACE[*]} -- setsid -c "
    fi
    run -0 script -qec "exec $around$give_up \"\$FOSTER\" --setsid sh -c 'ps -o tty= -p \$\$'" /dev/null </dev/null
    expect [ "${output//[[:space:]]/}" != '?' ]
    run -0 script -qec "exec $around$give_up \"\$FOSTER\" --setsid --no-terminal sh -c 'ps -o tty= -p \$\$'" /dev/null </dev/null
    expect [ "${output//[[:space:]]/}" = '?' ]
  done
}

@test "--no-terminal is none for a child in foster's own process group" {
  for words in '--no-terminal --same-group' '--same-group --no-terminal'; do
    # shellcheck disable=SC2086 # several words
    run -125 "$FOSTER" $words true
    expect [ "${lines[0]}" = "foster: error: '--no-terminal' needs a process group of the child's own: not with '--same-group'" ]
  done
  ln -s "$FOSTER" "$BATS_TEST_TMPDIR/dumb-init"
  run -1 "$BATS_TEST_TMPDIR/dumb-init" -c --no-terminal true
}

@test "a SIGTSTP that arrives with the stop of the child is not lost where foster cannot stop: its group is orphaned" {
  start_in subreaper script -qefc "exec \"\$FOSTER\" -v perl -e '\$SIG{USR1} = q{IGNORE}; print qq{READY\n}; sleep 1 while 1'" /dev/null
  wait_ready
  local foster child
  foster=$(child_of "$INIT")
  child=$(child_of "$foster" perl)
  # Held up after a first signal, so that the two come together.
  trace_process "$foster" -e inject=read:delay_exit=2s:when=1
  kill -USR1 "$foster"
  wait_until eval '[[ $(state_of "$foster") == t ]]'
  kill -STOP "$child"
  wait_until is_stopped "$child"
  kill -TSTP "$foster"
  wait_until grep -q 'forwarded SIGTSTP to ' "$OUT"
  kill -CONT "$foster"
  wait_until is_asleep "$child"
  kill "$foster"
  finish
  expect_status 143
  end_trace
}
