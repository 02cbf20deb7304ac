# neglect.bash: inherits zombies, of which bash learns nothing as long as no child of its own ends, and reads for three
# seconds, by the builtin's time limit, where nothing comes.
count_left() {
  local count=0 line stat
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    [[ ${line##*) } != "Z $$ "* ]] || count=$((count + 1))
  done
  echo "$count"
}

echo READY
start=${EPOCHREALTIME/[.,]/}
status=0
read -r -t 3 || status=$?
late=$(((${EPOCHREALTIME/[.,]/} - start) / 1000 - 3000))
((late >= -1 && late < 900)) && when='in time' || when="$late ms late"
echo "$status $when, $(count_left) left"
