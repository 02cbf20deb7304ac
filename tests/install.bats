#!/usr/bin/env bats
load helpers

setup() {
  DIR=$BATS_TEST_TMPDIR/dir
  mkdir "$DIR"
}

@test "--install copies foster into a directory, or to a file, whatever stands there" {
  umask 077
  run -0 "$FOSTER" --install "$DIR"
  expect [ -z "$output" ]
  run -0 "$FOSTER" --install="$DIR/"
  run -0 "$FOSTER" --install "$DIR/init"
  echo old >"$DIR/old"
  ln "$DIR/old" "$DIR/kept"
  run -0 "$FOSTER" --install "$DIR/old"
  for copy in foster init old; do
    cmp "$FOSTER" "$DIR/$copy"
    expect [ "$(stat -c %a "$DIR/$copy")" = 755 ]
  done
  expect [ "$(cat "$DIR/kept")" = old ]
  expect [ "$(ls -A "$DIR")" = $'foster\ninit\nkept\nold' ]
  run -7 "$DIR/init" sh -c 'exit 7'
  run -0 "$DIR/foster" --install "$DIR/foster" # over itself, while it runs
}

# Fails because of a symbolic link, which stays what it is.
refuses_link() {
  local before after path=$1
  shift
  before=$(readlink "$path")
  run timeout 20 "$@"
  after=$(readlink "$path")
  expect [ "$after" = "$before" ]
  expect_status "${code:-125}"
  expect [ "$output" = "foster: error: cannot install foster as '$path': it is a symbolic link; name the file itself" ]
}

@test "--install neither follows nor replaces a symbolic link, wherever that leads" {
  echo old >"$DIR/file"
  mkfifo "$DIR/pipe"
  mkdir "$DIR/inner" "$DIR/tini"
  ln -s file "$DIR/to-file"
  ln -s "$DIR/to-file" "$DIR/to-link"
  ln -s pipe "$DIR/to-pipe"
  ln -s nowhere "$DIR/to-nothing"
  ln -s to-itself "$DIR/to-itself"
  ln -s /dev/null "$DIR/to-device"
  ln -s "$FOSTER" "$DIR/to-foster"
  for link in to-file to-link to-pipe to-nothing to-itself to-device to-foster; do
    refuses_link "$DIR/$link" "$FOSTER" --install "$DIR/$link"
    (cd "$DIR" && refuses_link "$link" "$FOSTER" --install "$link")
    # By the name that it would have in a directory, too.
    mv "$DIR/$link" "$DIR/inner/foster"
    refuses_link "$DIR/inner/foster" "$FOSTER" --install "$DIR/inner"
    mv "$DIR/inner/foster" "$DIR/$link"
  done
  ln -s inner "$DIR/inner/foster" # that one leads to a directory, but stands where foster is to be
  refuses_link "$DIR/inner/foster" "$FOSTER" --install "$DIR/inner"
  ln -s "$FOSTER" "$BATS_TEST_TMPDIR/tini"
  ln -s ../file "$DIR/inner/tini"
  code=1 refuses_link "$DIR/inner/tini" "$BATS_TEST_TMPDIR/tini" --install "$DIR/inner"
  expect [ "$(cat "$DIR/file")" = old ]
  expect [ "$(find "$DIR" -type f)" = "$DIR/file" ]
}

@test "--install into a directory to which a symbolic link leads is into that directory" {
  mkdir "$DIR/inner"
  ln -s inner "$DIR/link"
  ln -s link "$DIR/another"
  for destination in link another link/ another/init; do
    run -0 "$FOSTER" --install "$DIR/$destination"
    expect [ "$(find "$DIR" -type f -printf '%P\n')" = "inner/$([[ $destination == *init ]] && echo init || echo foster)" ]
    rm "$DIR/inner/"*
  done
  expect [ "$(readlink "$DIR/link" "$DIR/another")" = $'inner\nlink' ]
  cd "$DIR"
  run -0 "$FOSTER" --install .
  run -0 "$FOSTER" --install init
  run -0 "$FOSTER" --install inner/../other
  expect [ "$(ls -A)" = $'another\nfoster\ninit\ninner\nlink\nother' ]
}

@test "--install /dev/stdout leaves that as it is, whatever it leads to" {
  # One of the same kind, which may get lost.
  ln -s /proc/self/fd/1 "$DIR/stdout"
  # shellcheck disable=SC2016 # for the shell inside
  local commands=('"$FOSTER" --install "$0" | cat' '"$FOSTER" --install "$0" >"$1"' '"$FOSTER" --install "$0" >>"$1"'
    '"$FOSTER" --install "$0" >&-' '"$FOSTER" --install "$0" >/dev/null') command
  for command in "${commands[@]}"; do
    refuses_link "$DIR/stdout" bash -o pipefail -c "$command" "$DIR/stdout" "$DIR/file"
  done
  expect [ -f "$DIR/file" ]
  expect [ ! -s "$DIR/file" ]
  run -125 script -qec "\"\$FOSTER\" --install $DIR/stdout" /dev/null </dev/null
  expect_in 'it is a symbolic link' "$output"
  run -125 "$FOSTER" --install /proc/self/fd/2
  expect_in 'it is a symbolic link' "$output"
  expect [ "$(readlink "$DIR/stdout")" = /proc/self/fd/1 ]
  # A directory is one, whoever has opened it.
  run -0 bash -c 'exec "$FOSTER" --install "$0/stdout" >&2 1<"$0"' "$DIR"
  cmp "$FOSTER" "$DIR/foster"
}

@test "--install gives the copy a peer's name where foster is called by it" {
  ln -s "$FOSTER" "$BATS_TEST_TMPDIR/tini"
  run -0 "$BATS_TEST_TMPDIR/tini" --install "$DIR"
  expect [ "$(ls -A "$DIR")" = tini ]
}

@test "--install works in an image that holds foster alone, as any user" {
  requires_root
  requires_static
  mkdir -m 777 "$DIR/out" "$DIR/proc"
  cp "$FOSTER" "$DIR/foster"
  run -0 unshare --pid --fork --mount bash -euc 'mount -t proc proc "$1/proc"
    exec chroot --userspec=12345:54321 --groups= "$1" /foster --install /out/' bash "$DIR"
  cmp "$FOSTER" "$DIR/out/foster"
  expect [ "$(stat -c '%u %a' "$DIR/out/foster")" = '12345 755' ]
}

@test "--install that fails says why, ends with 125, and leaves nothing behind" {
  mkfifo "$DIR/pipe"
  touch "$DIR/file"
  fails() {
    run -125 timeout 20 "$FOSTER" --install "$1"
    expect [ "$output" = "foster: error: cannot install foster as '$1': $2" ]
  }
  fails "$DIR/none/" 'No such file or directory'
  fails "$DIR/none/foster" 'No such file or directory'
  fails "$DIR/file/foster" 'Not a directory'
  fails "$DIR/file/" 'Not a directory'
  fails "$DIR/pipe" 'File exists'
  fails /dev/null 'File exists'
  expect [ -c /dev/null ]
  run -125 "$FOSTER" --install "$(printf '%05000d' 0)"
  expect_in 'File name too long' "$output"
  expect [ "$(ls -A "$DIR")" = $'file\npipe' ]
  run -125 "$FOSTER" --install "$DIR" true
  expect_in "'--install' runs no command: 'true'" "$output"
  run -125 "$FOSTER" --install
  run -125 "$FOSTER" --install=
  run -125 "$FOSTER" --install "$DIR" --user root
}

@test "--install into a full file system leaves the old file whole, and no other" {
  requires_root
  unshare --mount bash -euc '
    mount -t tmpfs -o size=16k none "$1"
    echo old >"$1/foster"
    "$2" --install "$1" && exit 1 || test $? = 125
    test "$(cat "$1/foster")" = old
    test "$(ls -A "$1")" = foster
    mount -o remount,ro "$1"
    "$2" --install "$1" && exit 1 || test $? = 125
    test "$(cat "$1/foster")" = old' bash "$DIR" "$FOSTER" >"$BATS_TEST_TMPDIR/out" 2>&1 || {
    cat "$BATS_TEST_TMPDIR/out"
    return 1
  }
  diff <(printf "foster: error: cannot install foster as '%s/foster': %s\n" "$DIR" 'No space left on device' \
    "$DIR" 'Read-only file system') "$BATS_TEST_TMPDIR/out"
}

@test "--install that was killed is not in the way of the next one, which is PID 1 again" {
  requires_root
  for left in 1 2; do
    run ! strace -f -o /dev/null -e inject=renameat:signal=KILL unshare --pid --fork "$FOSTER" --install "$DIR"
    expect [ "$(find "$DIR" -type f | wc -l)" = "$left" ]
    expect [ ! -e "$DIR/foster" ]
  done
  run -0 strace -f -o "$BATS_TEST_TMPDIR/trace" unshare --pid --fork "$FOSTER" --install "$DIR"
  cmp "$FOSTER" "$DIR/foster"
  # Nor does it follow a link that lies in wait.
  grep -q '"foster.foster-[0-9]*", .*O_EXCL' "$BATS_TEST_TMPDIR/trace"
}

@test "make install puts both programs, foster-runtime by its other names, and the manifests in their places" {
  local root=$BATS_TEST_DIRNAME/.. programs
  make -C "$root" -o all install BUILD="$(realpath --relative-to="$root" "${FOSTER%/*}")" DESTDIR="$DIR" PREFIX=/usr
  programs=$DIR/usr/bin
  expect [ "$(ls "$programs")" = $'foster\nfoster-crun\nfoster-runc\nfoster-runtime' ]
  cmp "$FOSTER" "$programs/foster"
  cmp "${FOSTER%/*}/foster-runtime" "$programs/foster-runtime"
  expect [ "$(readlink "$programs/foster-runc" "$programs/foster-crun")" = $'foster-runtime\nfoster-runtime' ]
  diff -r "$root/src/kubernetes" "$DIR/usr/share/foster/kubernetes"
}
