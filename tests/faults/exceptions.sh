# What case.sh allows, and why. Read by it.
# shellcheck shell=bash
# shellcheck disable=SC2034 # case.sh uses them

# A foster that spins makes more than ten times as many calls, and uses all of a CPU. In a long /proc the scan makes
# thousands.
FREE_CALLS=10000
CALLS_PER_MS=5
FREE_CPU=1000 # ms, of foster and of what it has waited for

# Whether a signal can be lost, with a message, because this call fails.
carries_signals() {
  case $1 in
    read | signalfd4 | ppoll | kill | rt_sigqueueinfo | getpgid) ;;
    *) return 1 ;;
  esac
}

# Whether a case may have these faults.
is_exception() {
  return 1
}
