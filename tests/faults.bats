#!/usr/bin/env bats
load helpers

# Cases of `make faults`; the whole of it is too long for here.
goes_on() {
  local words
  for words in "$@"; do
    run tests/faults/case.sh "$words"
    expect_status 0
    expect [ "$output" = "$words goes on" ]
  done
}

setup() {
  requires_root
  cd "$BATS_TEST_DIRNAME/.." || exit
}

@test "where waitid is refused no parent is made to wait, which would be left with registers that are not its own" {
  goes_on {pid1,subreaper}-all:waitid:{EPERM,ENOSYS,EAGAIN}:every
}

@test "a wait4 that fails once leaves no zombie behind" {
  goes_on {pid1,subreaper}:wait4:{EINVAL,ENOMEM}:{1,2}
}

@test "a ppoll or a read that fails again and again loses no signal and makes no spin" {
  goes_on {pid1,subreaper}-all:ppoll:{EAGAIN,EINTR}:every {pid1,subreaper}:read:EAGAIN:every
}

@test "that /proc cannot be listed is said" {
  goes_on pid1-all:getdents64:{EPERM,EMFILE}:every
}
