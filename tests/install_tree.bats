#!/usr/bin/env bats
load helpers

ROOT=$(realpath "$BATS_TEST_DIRNAME/..")

make_in() {
  local dir=$1
  shift
  (unset MAKEFLAGS MAKELEVEL COMMIT && make -C "$dir" "$@")
}

# What was built last is what is installed: nothing is built here.
for_root() {
  local directory=${FOSTER%/*}
  make_in "$ROOT" BUILD="${directory#"$ROOT"/}" -o all "$@"
}

@test "make install puts both programs, the other names, manifests and man pages below DESTDIR; make uninstall leaves no file" {
  local to=$BATS_TEST_TMPDIR/to page
  for variables in 'PREFIX=/usr' 'prefix=/opt/foster bindir=/opt/bin mandir=/opt/man datadir=/opt/data'; do
    local bin=/usr/bin data=/usr/share man=/usr/share/man
    [[ $variables == PREFIX* ]] || { bin=/opt/bin data=/opt/data man=/opt/man; }
    # shellcheck disable=SC2086 # several variables
    run -0 for_root install DESTDIR="$to" $variables
    expect cmp "$to$bin/foster" "$FOSTER"
    expect [ -x "$to$bin/foster-runtime" ]
    expect [ "$(readlink "$to$bin/foster-runc"),$(readlink "$to$bin/foster-crun")" = foster-runtime,foster-runtime ]
    expect diff -r "$ROOT/src/kubernetes" "$to$data/foster/kubernetes"
    for page in "$ROOT"/src/*.1; do
      [[ ! -e $page ]] || expect cmp "$page" "$to$man/man1/${page##*/}"
    done
    [[ ! -e $ROOT/src/foster-runtime.1 ]] || expect cmp "$ROOT/src/foster-runtime.1" "$to$man/man1/foster-runc.1"
    # shellcheck disable=SC2086 # several variables
    run -0 for_root uninstall DESTDIR="$to" $variables
    expect [ -z "$(find "$to" ! -type d)" ]
    expect [ ! -e "$to$data/foster" ]
  done
}

@test "an archive of git's knows its commit, and COMMIT sets it" {
  local tree=$BATS_TEST_TMPDIR/tree
  mkdir -p "$tree/src"
  (cd "$tree" && git init -q . && cp "$ROOT/Makefile" "$ROOT/.gitattributes" . && git add . &&
    git -c user.name=test -c user.email=test@localhost commit -qm test)
  mkdir "$BATS_TEST_TMPDIR/archive"
  git -C "$tree" archive HEAD | tar -x -C "$BATS_TEST_TMPDIR/archive"
  local commit
  commit=$(git -C "$tree" rev-parse --short=7 HEAD)
  # An archive is often unpacked inside another repository.
  git -C "$BATS_TEST_TMPDIR" init -q .
  for dir in tree archive; do
    run -0 make_in "$BATS_TEST_TMPDIR/$dir" -pn clean
    expect_in "COMMIT := $commit" "$output"
  done
  run -0 make_in "$BATS_TEST_TMPDIR/archive" -pn clean COMMIT=1234567
  expect_in 'COMMIT = 1234567' "$output"
}
