#!/usr/bin/env bats
load helpers

@test "each signal is decided on as the table of its cases says" {
  local sources=$BATS_TEST_DIRNAME/../src
  c++ -std=c++20 -Wall -Wno-missing-field-initializers -I"$sources" -o "$BATS_TEST_TMPDIR/policy" \
    "$BATS_TEST_DIRNAME/units/signal_policy.cpp" "$sources/signals/signal_policy.cpp"
  run -0 "$BATS_TEST_TMPDIR/policy"
  expect [ -z "$output" ]
}
