#!/usr/bin/env bats
load helpers

# Programs that start the real one as their child, and hand on no SIGTERM to it: npm hands it to a shell, which dies of
# it; so do shells themselves when they have more to do than to become the program.
WRAPPERS=(npm npm-in-sh sh)

setup() {
  command -v node >/dev/null || skip 'requires nodejs'
  command -v npm >/dev/null || skip 'requires npm'
  DIR=$BATS_TEST_TMPDIR/server
  mkdir "$DIR"
  echo '{ "name": "server", "version": "1.0.0", "private": true, "scripts": { "start": "node server.js" } }' >"$DIR/package.json"
  # It says what it sees, and ends when there is a file "end".
  cat >"$DIR/server.js" <<'END'
    const fs = require("fs");
    process.on("SIGTERM", () => {
      fs.writeFileSync("saw", "SIGTERM");
      setInterval(() => { if (fs.existsSync("end")) { fs.writeFileSync("ended", ""); process.exit(7); } }, 10);
    });
    setTimeout(() => process.exit(9), 60000); // should the test fail
    fs.writeFileSync("pid", String(process.pid));
    console.log("READY");
END
}

# Starts a server in a mode, by a wrapper, with these options of foster's, and sends foster SIGTERM once the server is
# there.
stop_server() {
  local mode=$1 wrapper=$2
  local -a command=(sh -c 'node server.js; exit $?')
  shift 2
  case $wrapper in
    npm) command=(npm start) ;;
    npm-in-sh) command=(sh -c 'npm start; exit $?') ;;
  esac
  rm -f "$DIR"/{saw,end,ended,pid}
  start_in "$mode" env -i PATH="$PATH" HOME="$BATS_TEST_TMPDIR" npm_config_update_notifier=false \
    "$FOSTER" -v --chdir "$DIR" "$@" -- "${command[@]}"
  wait_ready
  kill -TERM "$INIT"
}

# Of a server that foster has left behind.
end_server() {
  kill -KILL "$(cat "$DIR/pid")"
  wait_until has_ended "$(cat "$DIR/pid")"
}

@test "npm start and sh -c: without --group the real program sees no SIGTERM; as PID 1 it is killed, else it stays" {
  for wrapper in "${WRAPPERS[@]}"; do
    stop_server pid1 "$wrapper"
    finish
    expect_status 143
    expect [ ! -e "$DIR/saw" ]
    stop_server subreaper "$wrapper"
    finish
    expect_status 143
    expect [ -e "/proc/$(cat "$DIR/pid")" ]
    expect [ ! -e "$DIR/saw" ]
    end_server
  done
}

@test "npm start and sh -c: with --group --wait-all the real program sees SIGTERM and comes to its own end" {
  for mode in "${MODES[@]}"; do
    for wrapper in "${WRAPPERS[@]}"; do
      stop_server "$mode" "$wrapper" --group --wait-all
      wait_until [ -e "$DIR/saw" ]
      # The wrapper is dead by then, and it is the server that foster waits for.
      wait_until grep -q 'killed by SIGTERM' "$ERR"
      expect [ -n "$(state_of "$INIT")" ]
      touch "$DIR/end"
      finish
      expect_status 143 # the wrapper's
      expect [ -e "$DIR/ended" ]
    done
  done
}

@test "npm start and sh -c: with --group alone foster ends with the wrapper, as PID 1 before the real program has come to its end" {
  for wrapper in "${WRAPPERS[@]}"; do
    stop_server pid1 "$wrapper" --group
    finish
    expect_status 143
    touch "$DIR/end"
    expect [ ! -e "$DIR/ended" ]
    stop_server subreaper "$wrapper" --group
    finish
    expect_status 143
    wait_until [ -e "$DIR/saw" ]
    expect [ -e "/proc/$(cat "$DIR/pid")" ]
    touch "$DIR/end"
    wait_until [ -e "$DIR/ended" ]
  done
}

@test "npm start and sh -c: --grace alone does, too: SIGTERM reaches the real program when the wrapper has ended" {
  for mode in "${MODES[@]}"; do
    for wrapper in "${WRAPPERS[@]}"; do
      stop_server "$mode" "$wrapper" --grace=60s
      wait_until [ -e "$DIR/saw" ]
      touch "$DIR/end"
      finish
      expect_status 143
      expect [ -e "$DIR/ended" ]
    done
  done
}
