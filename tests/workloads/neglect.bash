# neglect.bash HOW: inherits zombies, of which bash learns nothing as long as no child of its own ends, and sleeps for three seconds.
#   read: from standard input, where nothing comes, by the builtin's time limit
#   child: a child of its own does, for which it waits (then bash reaps all of them)
count_left() {
  local count=0 line stat
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    [[ ${line##*) } != "Z $$ "* ]] || count=$((count + 1))
  done
  echo "$count"
}

sleep_by() {
  case $1 in
    read) read -r -t 3 ;;
    child) (sleep 3; exit 7) & wait $! ;;
  esac
}

echo READY
start=${EPOCHREALTIME/[.,]/}
status=0
sleep_by "$1" || status=$?
late=$(((${EPOCHREALTIME/[.,]/} - start) / 1000 - 3000))
((late >= -1 && late < 900)) && when='in time' || when="$late ms late"
echo "$status $when, $(count_left) left"
