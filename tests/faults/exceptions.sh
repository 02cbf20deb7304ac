# What case.sh allows, and why. Read by it.
# shellcheck shell=bash
# shellcheck disable=SC2034 # case.sh uses them

# A foster that spins makes more than ten calls a millisecond, even when traced. Its waits that are bounded by a time,
# and a scan of a long /proc, make some thousands.
FREE_CALLS=30000
CALLS_PER_MS=5
FREE_CPU=1000 # ms, of foster and of what it has waited for

# Whether a signal may be lost, with a message, because this call fails.
carries_signals() {
  case $1 in
    read | signalfd4 | ppoll | kill | rt_sigqueueinfo | getpgid) ;;
    *) return 1 ;;
  esac
}

# A case, as a pattern; what may be wrong in it, as a regular expression for all of it; the reason.
EXCEPTIONS=(
  '*:wait4:*:every'
  '(ends with hang, not [79]|[0-9]+ zombies left|without a message: .*)(; |$)'
  'nothing can be reaped, nor the exit of the child be seen, without wait4'

  '*:getp*id:*' '.*'
  'getpid and getppid have no errors, getpid(2): no kernel lets them fail, and no program runs in such a sandbox'

  '*:exit*:*' '.*'
  'exit and exit_group do not return, _exit(2)'

  'subreaper-all:@(fstatfs|getdents64):*:every'
  '(ends with hang, not 9|without a message: no termination log|[0-9]+ [a-z CPU]* in [0-9]+ ms)(; |$)'
  'without /proc foster looks for what is left among all 4,194,304 pids, which takes minutes while it is traced'

  'pid1-all:rt_sigtimedwait:*' '(0 messages of the error instead of one|ends with 129)(; |$)'
  'rt_sigtimedwait takes away the SIGHUP of the terminal that foster leaves with --setsid; else it reaches the child'

  '*:rt_sigqueueinfo:EAGAIN:every'
  '(ends with 99, not [79]|the workload has not got to its end|without a message: (signal 34 lost|no termination log))(; |$)'
  'a queue that stays full for ever: signals wait for room, and senders get EAGAIN, as foster.1 says'

  '*:rt_sigqueueinfo:*' '(value lost(; |$))+'
  'the signal is sent without its value instead of being lost, as foster.1 says'

  '*:write:*' 'without a message: no termination log'
  'neither the log nor the message can be written'
)

is_exception() {
  local index
  for ((index = 0; index < ${#EXCEPTIONS[@]}; index += 3)); do
    # shellcheck disable=SC2053 # a pattern
    if [[ $1 == ${EXCEPTIONS[index]} && $2 =~ ^(${EXCEPTIONS[index + 1]})+$ ]]; then
      return
    fi
  done
  return 1
}

# Whether the time limit may be short, since the case ends at it.
is_hang_expected() {
  [[ $1 == *:wait4:*:every || $1 == subreaper-all:@(fstatfs|getdents64):*:every ]]
}
