#!/usr/bin/env bats
load helpers

# Whether $ERR holds an object of this event of which the condition is true; fails where a line of it is no object.
has_event() {
  jq -es "any(.[]; .event == \"$1\" and ($2))" "$ERR"
}

@test "--log=json writes every message as one object a line: time, level, event, its own fields, and the text" {
  for mode in "${MODES[@]}"; do
    start_in "$mode" "$FOSTER" --log=json -v -w -- sh -c '(sh -c "kill -9 \$\$" &); echo READY; while :; do sleep 0.05; done'
    wait_ready
    wait_until has_event process-reaped true
    kill "$INIT"
    finish
    expect_status 143
    has_event child-spawned '.level == "info" and .command == "sh" and .pid > 1 and (.message | startswith("spawned sh["))'
    has_event process-reaped '.role == "orphan" and .level == "warning" and .name == "sh" and .signal == "SIGKILL" and .core_dumped == false'
    has_event process-reaped '.role == "child" and .level == "info" and .name == "sh" and .signal == "SIGTERM"'
    has_event signal-forwarded '.signal == "SIGTERM" and .name == "sh" and .pid > 1'
    # RFC 3339, of now
    jq -es 'all(.[]; (.time | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$")) and
      ((.time | sub("[.][0-9]+Z$"; "Z") | fromdateiso8601) - now | fabs) < 60)' "$ERR"
  done
}

@test "a process name made of quotes, backslashes, newlines, control bytes and broken UTF-8 keeps the JSON right" {
  # shellcheck disable=SC2016 # perl's own variables
  start_in subreaper "$FOSTER" --log=json -w -- perl -e '
    if (fork == 0) { if (fork == 0) { $0 = "a\"b\\c\nd\x01\xff\xc3\xa9"; select undef, undef, undef, 0.1; exit 3 } exit }
    wait; sleep 1; exit 7'
  finish
  expect_status 7
  [[ $(wc -l <"$ERR") == 1 ]]
  expect [ "$(jq -j .name "$ERR")" = $'a"b\\c\nd\x01\xef\xbf\xbd\xc3\xa9' ]
  expect [ "$(jq .exit_code "$ERR")" = 3 ]
}

@test "each byte that is not of UTF-8 becomes U+FFFD, whatever jq would take; the first and the last character of each length stay" {
  local bytes replaced wanted
  while read -r bytes replaced; do
    wanted=$bytes
    [[ $replaced == 0 ]] || wanted=$(yes '\\ufffd' | head -"$replaced" | tr -d '\n')
    run -127 "$FOSTER" --log=json "/nonexistent/$(printf %b "$bytes")"
    expect_in "$(printf '"command":"/nonexistent/%b",' "$wanted")" "$output"
  done <<'END'
\xc2\xa0\xdf\xbf 0
\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf 0
\xf0\x90\x80\x80\xf4\x8f\xbf\xbf 0
\x80\xbf\xc0\x80\xc1\xbf 6
\xe0\x80\x80\xe0\x9f\xbf 6
\xed\xa0\x80\xed\xbf\xbf 6
\xf0\x80\x80\x80\xf0\x8f\xbf\xbf 8
\xf4\x90\x80\x80\xf5\x80\xff 7
\xe2\x82\xf0\x90\x80 5
END
}

@test "no control character stays raw in JSON: neither those of ASCII, nor DEL, nor U+0080 to U+009F, which some terminals act on" {
  local code bytes
  for code in 0{1..9} 0{a..f} 1{0..9} 1{a..f} 7f {8,9}{0..9} {8,9}{a..f}; do
    bytes=\\x$code
    [[ $code != [89]* ]] || bytes=\\xc2$bytes
    printf -v bytes %b "$bytes"
    run -127 env LC_ALL=C "$FOSTER" --log=json "/a${bytes}b"
    expect_in "\"command\":\"/a\\u00${code}b\"," "$output"
    expect [ "$(jq -r .command <<<"$output")" = "/a${bytes}b" ]
    run ! grep -qaP '[\x00-\x1f\x7f]|\xc2[\x80-\x9f]' <<<"$output"
  done
}

@test "nor do they in --list-zombies" {
  # shellcheck disable=SC2016 # perl's own variables
  start_in subreaper perl -e 'if (fork == 0) { $0 = "a\x7f\xc2\x9bb"; print STDOUT "READY\n"; exit } sleep 1000'
  wait_until has_zombies "$INIT"
  run -0 "$FOSTER" --list-zombies --log=json
  expect_in '"name":"a\u007f\u009bb",' "$output"
}

@test "an error is an object, too, and however long its words are a right one" {
  run -125 "$FOSTER" --log=json --bogus
  expect [ "$(jq -r '.level + " " + .event + " " + .word + " " + .message' <<<"$output")" = "error bad-usage --bogus unknown option '--bogus'" ]
  run -127 "$FOSTER" --log=json /nonexistent
  expect [ "$(jq -r '.event + " " + .reason' <<<"$output")" = 'exec-failed No such file or directory' ]
  local blanks
  blanks=$(printf '%2000s' '')
  for byte in $'\001' '"' "\\" $'\303\251' x; do
    run -127 "$FOSTER" --log=json "/nonexistent/${blanks// /"$byte"}"
    expect [ "${#lines[@]}" = 1 ]
    expect [ "$(jq -r .event <<<"$output")" = exec-failed ]
    expect [ "$(jq -r .reason <<<"$output")" = 'No such file or directory' ]
  done
}

@test "--log=text is the default, and the last one counts" {
  run -127 "$FOSTER" --log=json --log=text /nonexistent
  expect [ "$output" = "foster: error: cannot run '/nonexistent': No such file or directory" ]
}

# Whether the whole output is one object of this event, with this exit status.
tells_object() {
  expect_status "$1"
  expect [ "${#lines[@]}" = 1 ]
  expect [ "$(jq -r '.level + " " + .event' <<<"$output")" = "error $2" ]
}

tells_text() {
  expect_status "$1"
  expect_in 'foster: error: ' "${lines[0]}"
}

@test "what fails while the options are read is an object wherever among them --log=json stands" {
  for words in '--log=json --bogus' '--bogus --log=json' '--bogus its-value --log=json' '--bogus --log json' '-vZg --log=json' '--group=yes --log=json' '--env --log=x --log=json --env' \
    '-r TERM --log=json' '-e 999 --log json --log=xml --log' '--log=text --zombies=no --log=json' '--bogus --log=json --' '--log=json' '--setsid --same-group --log=json true' \
    '--log=json --termination-log= true' '--user --log=text --log=json --pause' '--tether=X --log=json' '-vgr --log=text -P --log=json true --log=text'; do
    for mode in "${MODES[@]}"; do
      # shellcheck disable=SC2086 # several words
      run run_in "$mode" "$FOSTER" $words
      tells_object 125 bad-usage
    done
  done
  # Those that are no option of foster's, that are a value, or that a later one undoes.
  for words in '--bogus -- --log=json' '--env --log=json --bogus' '-r --log=json' '--bogus --log=json --log=text' '--bogus --log=xml' \
    '--bogus --log'; do
    # shellcheck disable=SC2086 # several words
    run "$FOSTER" $words
    tells_text 125
  done
}

@test "so is it where FOSTER_OPTIONS says so, and the command line comes after that" {
  local many
  many=$(printf -- '-s %.0s' {1..70})
  for words in '--log=json' $'-v\t--log json ' '--log=json --bogus' '--bogus --log=json' 'word --log=json' "$many --log=json" "--log=json $many" '--env --log=text --log=json -r'; do
    FOSTER_OPTIONS=$words run "$FOSTER" --bogus
    tells_object 125 bad-usage
    FOSTER_OPTIONS=$words run "$FOSTER" --bogus --log=text
    tells_text 125
    FOSTER_OPTIONS="--log=text ${words/--log?json/} --bogus" run "$FOSTER" --log=json true
    tells_object 125 bad-usage
  done
  # What is looked at is not spoilt: they are read all the same.
  FOSTER_OPTIONS=$'-e\t3:4 \n --log=json -e 5:6' run -4 "$FOSTER" sh -c 'exit 3'
  FOSTER_OPTIONS=$'-e\t3:4 \n --log=json -e 5:6' run -6 "$FOSTER" sh -c 'exit 5'
}

@test "and what fails before they are read; with the exit code of the name that foster is called by" {
  ln -s "$FOSTER" "$BATS_TEST_TMPDIR/tini"
  for call in rt_sigprocmask rt_sigaction; do
    for mode in "${MODES[@]}"; do
      run run_in "$mode" "$WORKLOADS/deny" $call=EPERM -- "$FOSTER" -v --log=json true
      tells_object 125 start-failed
      FOSTER_OPTIONS=--log=json run run_in "$mode" "$WORKLOADS/deny" $call=EPERM -- "$BATS_TEST_TMPDIR/tini" true
      tells_object 1 start-failed
      run run_in "$mode" "$WORKLOADS/deny" $call=EPERM -- "$BATS_TEST_TMPDIR/tini" -- true --log=json
      tells_text 1
    done
  done
}
