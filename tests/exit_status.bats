#!/usr/bin/env bats
load helpers

@test "foster ends with the child's exit code, 0 to 255" {
  for mode in "${MODES[@]}"; do
    for code in {0..255}; do
      status=0
      run_in "$mode" "$FOSTER" sh -c "exit $code" || status=$?
      expect_status "$code"
    done
  done
}

@test "my_init, go-reaper: a child killed by signal N ends foster with 128 + N, never 0" {
  ulimit -c 0
  for mode in "${MODES[@]}"; do
    for signal in {1..16} {24..27} {29..31} {34..64}; do
      status=0
      run_in "$mode" "$FOSTER" sh -c "kill -$signal \$\$" || status=$?
      expect_status $((128 + signal))
    done
  done
}

@test "dumb-init, catatonit: a command that is not found ends foster with 127" {
  for mode in "${MODES[@]}"; do
    for command in no-such-command /no/such/command ''; do
      run -127 run_in "$mode" "$FOSTER" "$command"
      [[ $output == "foster: error: cannot run '$command': No such file or directory" ]]
    done
  done
}

@test "dumb-init, catatonit: a command that cannot be executed ends foster with 126" {
  printf '#!/no/such/interpreter\n' >"$BATS_TEST_TMPDIR/bad-script"
  chmod +x "$BATS_TEST_TMPDIR/bad-script"
  printf 'not executable\n' >"$BATS_TEST_TMPDIR/text"
  for mode in "${MODES[@]}"; do
    run run_in "$mode" "$FOSTER" "$BATS_TEST_TMPDIR/text"
    expect_status 126
    [[ $output == "foster: error: cannot run '$BATS_TEST_TMPDIR/text': Permission denied" ]]
    run run_in "$mode" "$FOSTER" "$BATS_TEST_TMPDIR"
    expect_status 126
    for command in "$BATS_TEST_TMPDIR/bad-script" bad-script; do
      PATH=$BATS_TEST_TMPDIR:$PATH run run_in "$mode" "$FOSTER" "$command"
      expect_status 126
      [[ $output == "foster: error: cannot run '$command': the file is there, but its interpreter or loader is not" ]]
    done
  done
}

@test "a file in PATH that may not be executed does not hide one behind it" {
  mkdir "$BATS_TEST_TMPDIR"/{first,second}
  printf 'exit 4\n' | tee "$BATS_TEST_TMPDIR"/{first,second}/command >/dev/null
  PATH=$BATS_TEST_TMPDIR/first:$PATH run "$FOSTER" command
  expect_status 126
  expect [ "$output" = "foster: error: cannot run 'command': Permission denied" ]
  # Nor does an entry that is no directory.
  PATH=$BATS_TEST_TMPDIR/first/command:$PATH run -0 "$FOSTER" true
  chmod +x "$BATS_TEST_TMPDIR/second/command"
  PATH=$BATS_TEST_TMPDIR/first:$BATS_TEST_TMPDIR/second:$PATH run "$FOSTER" command
  expect_status 4
}

@test "a directory in PATH that may not be searched makes no absent command one that may not be executed" {
  requires_root
  local copy
  copy=$(mktemp /tmp/foster.XXXXXX)
  install -m 755 "$FOSTER" "$copy"
  mkdir -m 700 "$BATS_TEST_TMPDIR/closed"
  PATH=$BATS_TEST_TMPDIR/closed:$PATH run -127 setpriv --reuid 54321 --regid 54321 --clear-groups -- "$copy" no-such-command
  rm "$copy"
  expect [ "$output" = "foster: error: cannot run 'no-such-command': No such file or directory" ]
}

@test "a script without an interpreter line is run by the shell, with its arguments" {
  printf 'echo "$0 $*"; exit 5\n' >"$BATS_TEST_TMPDIR/plain-script"
  chmod +x "$BATS_TEST_TMPDIR/plain-script"
  PATH=$BATS_TEST_TMPDIR:$PATH run "$FOSTER" plain-script one two
  expect_status 5
  [[ $output == "$BATS_TEST_TMPDIR/plain-script one two" ]]
}

@test "without PATH the usual directories are searched, and an empty entry is the current one" {
  printf '#!/bin/sh\nexit 6\n' >"$BATS_TEST_TMPDIR/here"
  chmod +x "$BATS_TEST_TMPDIR/here"
  run env -u PATH "$FOSTER" sh -c 'exit 7'
  expect_status 7
  cd "$BATS_TEST_TMPDIR"
  PATH=/nonexistent: run -6 "$FOSTER" here
  PATH=:/nonexistent run -6 "$FOSTER" here
  PATH=/nonexistent run -127 "$FOSTER" here
}

@test "catatonit: foster does not fail without a word: one line that says what failed" {
  for mode in "${MODES[@]}"; do
    run run_in "$mode" "$WORKLOADS/deny" clone=EAGAIN -- "$FOSTER" true
    expect_status 125
    [[ ${#lines[@]} == 1 ]]
    expect_in 'foster: error: cannot fork: Resource temporarily unavailable' "$output"
    run run_in "$mode" "$WORKLOADS/deny" clone-vm=ENOSYS pipe2=EMFILE -- "$FOSTER" true
    expect_status 125
    [[ ${#lines[@]} == 1 ]]
    expect_in 'foster: error: cannot make a pipe: ' "$output"
  done
}

@test "fork is not tried where vfork says that there are too many processes or too little memory" {
  for mode in "${MODES[@]}"; do
    for error in EAGAIN ENOMEM; do
      run -125 run_in "$mode" "$WORKLOADS/deny" clone-vm=$error -- "$FOSTER" true
      expect_in 'foster: error: cannot fork: ' "$output"
    done
  done
}

@test "a reached limit on processes gives one line and 125" {
  requires_root
  local copy
  copy=$(mktemp /tmp/foster.XXXXXX)
  install -m 755 "$FOSTER" "$copy"
  run setpriv --reuid 54321 --regid 54321 --clear-groups -- prlimit --nproc=1:1 -- "$copy" true
  rm "$copy"
  expect_status 125
  [[ ${#lines[@]} == 1 ]]
  expect_in 'cannot fork: Resource temporarily unavailable: a limit on processes is reached' "$output"
}
