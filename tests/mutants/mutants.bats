#!/usr/bin/env bats
# The tool of `make mutants` itself.
load ../helpers

setup() {
  requires_root
  cd "$BATS_TEST_DIRNAME/../.." || exit
  command -v python3 >/dev/null || skip 'requires python3'
}

mutant='src/signals/signal_policy.cpp: return signal == SIGINT || signal == SIGQUIT || signal == SIGTSTP; -> return signal == SIGINT || signal == SIGQUIT && signal == SIGTSTP;'

@test "make mutants: each of its exceptions is a mutant that there is" {
  SAMPLE=0 run -0 tests/mutants/mutants.py
  expect_lines 0 'no such mutant' "$output"
}

@test "make mutants: a mutant is killed by a test that sees it, and survives one that does not" {
  JOBS=1 MUTANT=$mutant TESTS=units run -0 tests/mutants/mutants.py
  expect_lines 1 '^killed src/signals/signal_policy.cpp:[0-9]+: .* # by: each signal is decided on as the table of its cases says, ' "$output"
  JOBS=1 MUTANT=$mutant TESTS=options run -1 tests/mutants/mutants.py
  expect_lines 1 '^SURVIVED src/signals/signal_policy.cpp:[0-9]+: ' "$output"
}
