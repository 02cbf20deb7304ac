#!/usr/bin/env bats
load helpers

refused() {
  run "$FOSTER" "$@"
  expect_status 125
  expect [ "${#lines[@]}" = 2 ]
  expect [ "${lines[1]}" = "foster: see 'foster --help'" ]
}

@test "tini, catatonit: options end at the first word that is none: foster sh -c needs no --" {
  for mode in "${MODES[@]}"; do
    run -4 run_in "$mode" "$FOSTER" sh -c 'echo "$*"; exit 4' sh -g --help -- -v
    [[ $output == '-g --help -- -v' ]]
    run -4 run_in "$mode" "$FOSTER" -g -- sh -c 'exit 4'
    run -4 run_in "$mode" "$FOSTER" -gsw -q sh -c 'exit 4'
  done
}

@test "bad usage names the bad word, ends with 125 and starts nothing" {
  refused --no-such-option touch "$BATS_TEST_TMPDIR/started"
  expect [ "${lines[0]}" = "foster: error: unknown option '--no-such-option'" ]
  refused -gZ touch "$BATS_TEST_TMPDIR/started"
  expect [ "${lines[0]}" = "foster: error: unknown option '-Z' in '-gZ'" ]
  refused -Z touch "$BATS_TEST_TMPDIR/started"
  expect [ "${lines[0]}" = "foster: error: unknown option '-Z'" ]
  refused --group=yes touch "$BATS_TEST_TMPDIR/started"
  expect [ "${lines[0]}" = "foster: error: option '--group' takes no value: '--group=yes'" ]
  refused -g --same-group touch "$BATS_TEST_TMPDIR/started"
  expect_in "'--same-group'" "${lines[0]}"
  refused --pause --user nobody
  expect [ "${lines[0]}" = "foster: error: '--user' is for a command, and none is run" ]
  refused
  expect [ "${lines[0]}" = 'foster: error: no command to run' ]
  refused -g --
  expect [ ! -e "$BATS_TEST_TMPDIR/started" ]
}

@test "a bad word cannot forge a line, however long it is" {
  refused $'--bad\nfoster: warning: all is well\e[31m'
  expect [ "${lines[0]}" = "foster: error: unknown option '--bad?foster: warning: all is well?[31m'" ]
  # Nor can U+009B, which some terminals take for ESC [; its bytes are in other characters, too.
  refused $'--\xc2\x9b31m-\xe2\x82\xac-\xd2\x9b'
  expect [ "${lines[0]}" = $'foster: error: unknown option \'--\xc2?31m-\xe2\x82\xac-\xd2\x9b\'' ]
  refused "--$(printf 'x%.0s' {1..5000})"
  run -127 "$FOSTER" "$(printf 'x%.0s' {1..5000})"
  [[ $output == "foster: error: cannot run 'xxx"*"x...': "* ]]
}

@test "FOSTER_OPTIONS is read before the command line, and only options may stand in it" {
  FOSTER_OPTIONS=$'  -v\t--group ' run -0 "$FOSTER" -c true
  expect_in 'foster: spawned true' "$output"
  FOSTER_OPTIONS='-q -e 3:5' run -4 "$FOSTER" -v -e 3:4 sh -c 'exit 3'
  expect_in 'foster: spawned sh' "$output"
  FOSTER_OPTIONS='' run -0 "$FOSTER" true
  FOSTER_OPTIONS='-v true' refused false
  expect [ "${lines[0]}" = "foster: error: 'true' in FOSTER_OPTIONS is no option" ]
  FOSTER_OPTIONS='--nonsense' refused false
  expect [ "${lines[0]}" = "foster: error: unknown option '--nonsense' in FOSTER_OPTIONS" ]
  FOSTER_OPTIONS=$(printf -- '-s %.0s' {1..64}) run -0 "$FOSTER" true
  FOSTER_OPTIONS=$(printf -- '-s %.0s' {1..65}) refused true
}

@test "dumb-init: --help and --version end as they should, on standard output, with 0" {
  for option in --help -h; do
    run -0 sh -c '"$FOSTER" "$0" 2>/dev/full' $option
    expect [ "${lines[0]}" = 'Usage: foster [OPTION]... [--] COMMAND [ARGUMENT]...' ]
    expect [ "${lines[-1]}" = '126 if the command cannot be run; 127 if it is not found. More: man foster' ]
  done
  for option in --version -V; do
    run -0 sh -c '"$FOSTER" "$0" 2>/dev/full' $option
    # moby finds the commit in it, by whatever name foster is the daemon's init.
    [[ $output =~ ^foster\ [0-9]+\.[0-9]+\.[0-9]+\ -\ git\.[0-9a-z]+$ ]]
  done
  for option in --license -l -L; do
    diff <("$FOSTER" $option) "$BATS_TEST_DIRNAME/../LICENSE"
  done
}

@test "of --list-zombies and --reap-zombies, --install, and --pause, what ends at once goes before the pause, in any order" {
  local options
  for options in '--pause --list-zombies' '--list-zombies --pause' '--reap-zombies --list-zombies --pause'; do
    # shellcheck disable=SC2086 # several words
    run -0 timeout 10 "$FOSTER" $options
    expect_in PARENT "${lines[0]}"
  done
  for options in --pause --list-zombies; do
    rm -f "$BATS_TEST_TMPDIR/copy"
    run -0 timeout 10 "$FOSTER" --install "$BATS_TEST_TMPDIR/copy" "$options"
    cmp "$FOSTER" "$BATS_TEST_TMPDIR/copy"
  done
}

@test "a --help that cannot be written is an error" {
  run -125 sh -c '"$FOSTER" --help >/dev/full'
  expect [ "$output" = 'foster: error: cannot write to standard output: No space left on device' ]
}

@test "a --help whose reader has gone ends by SIGPIPE without a word, as any program does" {
  run -141 env --default-signal=PIPE bash -c 'exec 4>&2 > >(:); wait $!; exec "$FOSTER" --help 2>&4'
  expect [ -z "$output" ]
}

@test "--help fits on a screen: at most 80 columns and 50 lines, each option in one of its groups" {
  local program option
  for program in foster foster-runtime; do
    run -0 "${FOSTER%/*}/$program" "$([[ $program == foster ]] && echo --help || echo --foster-help)"
    expect [ "${#lines[@]}" -le 50 ]
    expect [ "$(printf '%s\n' "${lines[@]}" | wc -L)" -le 80 ]
  done
  run -0 "$FOSTER" --help
  expect [ "$(grep -c '^[A-Z][a-z]*:$' <<<"$output")" = 6 ]
  for option in group:Signals user:Child grace:Ending zombies:Zombies verbose:Messages help:Other; do
    expect [ "$(sed -n "/^${option#*:}:\$/,/^[A-Z]/s/^ .*--${option%:*}[ [].*/found/p" <<<"$output")" = found ]
  done
}

@test "called without any word, not even its own name, foster refuses" {
  run -125 perl -e 'my @none = (); exec { $ENV{FOSTER} } @none'
  expect_in 'foster: error: no command to run' "$output"
}
