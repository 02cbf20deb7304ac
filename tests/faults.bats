#!/usr/bin/env bats
# run.sh: first, for its tests take long.
load helpers

# Cases of `make faults`; the whole of it is too long for here.
goes_on() {
  printf '%s\n' "$@" | xargs -P 4 -n 1 tests/faults/case.sh >"$BATS_TEST_TMPDIR/cases" || true
  expect diff <(printf '%s goes on\n' "$@" | sort) <(sort "$BATS_TEST_TMPDIR/cases")
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
  goes_on {pid1,subreaper}-all:ppoll:{EAGAIN,EINTR}:every
  # The sanitizers read files of their own.
  ! is_static || goes_on {pid1,subreaper}:read:EAGAIN:every
}

@test "that /proc cannot be listed is said" {
  goes_on pid1-all:getdents64:{EPERM,EMFILE}:every
}
