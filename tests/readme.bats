#!/usr/bin/env bats
# What README.md, src/kubernetes/README.md and the man pages say, as far as it can be tried without an engine.
load helpers

ROOT=$(realpath "$BATS_TEST_DIRNAME/..")
RUNTIME=${FOSTER%/*}/foster-runtime
PAGES=("$ROOT/README.md" "$ROOT/src/kubernetes/README.md")
MANUALS=("$ROOT/src/foster.1" "$ROOT/src/foster-runtime.1")

# A man page as it is read.
read_manual() {
  mandoc -Tascii "$ROOT/src/$1.1" 2>/dev/null | sed 's/.\x08//g'
}

# All texts, the man pages without their escapes, one line a paragraph of Markdown.
texts() {
  awk '/^$|^[|#-]|^    / { printf "\n" } { printf "%s ", $0 } END { printf "\n" }' "${PAGES[@]}"
  sed 's/\\-/-/g; s/^\.\\".*//' "${MANUALS[@]}"
}

# The indented block of README.md that begins with this, without its indentation.
block_of_readme() {
  sed -n "/^    $1/,/^\$/s/^    //p" "$ROOT/README.md"
}

@test "foster.1: OPTIONS has the options of --help, in its groups and order, by the same spelling, and no others" {
  local help
  # The word that follows an option, its value, is one blank away, the text at least that.
  help=$("$FOSTER" --help | sed -nE '/^[A-Z][a-z]+:$/{s/://p}; s/^ +(-.*)/\1/p' |
    sed -E 's/^(((-[a-zA-Z], )*)--[a-z-]+( [A-Z]+([^ a-z]*)|\[=[A-Z]+\])?) .*/\1/')
  expect [ "$(grep -c '^-' <<<"$help")" -ge 34 ]
  diff <(echo "$help") <(read_manual foster | sed -nE '/^OPTIONS/,/^SIGNALS/{s/^   ([A-Z][a-z]+)$/\1/p; s/^     (-.*)/\1/p}')
}

@test "foster-runtime.1: OPTIONS has the options of --foster-help, and no others" {
  local help
  help=$("$RUNTIME" --foster-help | sed -nE 's/^  (--[a-zA-Z=-]*).*/\1/p')
  expect [ "$(wc -l <<<"$help")" = 4 ]
  diff <(echo "$help") <(read_manual foster-runtime | sed -nE '/^OPTIONS/,/^[B-N]/s/^     (--foster.*)/\1/p')
}

@test "the man pages are free of what mandoc warns of" {
  local page
  for page in "${MANUALS[@]}"; do
    # Which other pages are installed is the machine's business.
    run mandoc -Tlint -Wstyle "$page"
    expect [ -z "$(grep -v -e 'referenced manual not found' -e 'outdated mandoc.db' <<<"$output")" ]
  done
}

@test "foster.1: MESSAGES has the events that the sources have, and no others" {
  diff <(grep -rhoE '"[a-z]+-[a-z]+(-[a-z]+)?\|' "$ROOT/src" --include='*.cpp' | tr -d '"|' | sort -u) \
    <(sed -n '/^\.Sh MESSAGES/,/^\.Sh ENV/s/^\.It Ic //p' "$ROOT/src/foster.1" | sort -u)
}

@test "each option that a text names is one of foster's, or another program's that it names" {
  local others=' --build-arg --fork --foster- --from --init --init-path --its-option --kill-whom --log-format --no-install-recommends --pid --runtime --runtime-flag '
  local help option count=0
  help=$("$FOSTER" --help && "$RUNTIME" --foster-help)
  for option in $(texts | sed -E 's/Fl -([a-z])/--\1/g' | grep -oE '(^|[^a-z!|-])--[a-z]+(-[a-z]+)*-?' | grep -oE -- '--.*' | sort -u); do
    [[ $others == *" $option "* ]] || expect grep -Eq -- "(^| )$option([^a-z-]|\$)" <<<"$help"
    count=$((count + 1))
  done
  expect [ "$count" -ge 40 ]
}

# Programs by the names in the examples, which print their names and words, and exit with 7.
make_programs() {
  local name
  mkdir "$BATS_TEST_TMPDIR/bin"
  printf '%s\n' '#!/bin/sh' 'echo "ran ${0##*/} $*"' 'exit 7' >"$BATS_TEST_TMPDIR/bin/my-program"
  chmod 755 "$BATS_TEST_TMPDIR/bin/my-program"
  for name in agent httpd-foreground npm; do
    ln -s my-program "$BATS_TEST_TMPDIR/bin/$name"
  done
  PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

@test "each foster command line in the texts that runs a program does so, and exits with its exit status" {
  local line program count=0
  make_programs
  while read -r line; do
    read -ra words <<<"${line/--termination-log /--termination-log=$BATS_TEST_TMPDIR/log }"
    run -7 run_in pid1 "$FOSTER" "${words[@]:1}" # what it would say on standard error would be in the output, too
    program=$(grep -oE '(my-program|agent|httpd-foreground|npm).*' <<<"$line")
    expect [ "$output" = "ran $program$([[ $program == *' '* ]] || echo ' ')" ]
    if [[ $line == *--termination-log* ]]; then
      expect grep -q '^foster: my-program\[[0-9]*\] exited with 7 after ' "$BATS_TEST_TMPDIR/log"
    fi
    count=$((count + 1))
  done < <(texts | grep -oE '(^ *|`)foster (-[^.`|]* )?(my-program|agent|httpd-foreground|npm start)' | sed 's/^[ `]*//' | sort -u)
  expect [ "$count" -ge 6 ]
}

@test "the lines for a Dockerfile: what the engine starts by them is the program, under foster, and a test builds them" {
  local peer lines words
  make_programs
  lines=$(block_of_readme 'COPY --from=foster \/foster \/foster')
  expect [ "$lines" = "$(sed -n '/^COPY/,/^\.Ed/{/^\.Ed/!{s/\\-/-/g;p}}' "$ROOT/src/foster.1")" ]
  for line in "${lines%%$'\n'*}" "$(grep '^ENTRYPOINT' <<<"$lines")"; do
    expect grep -qF "'$line'" "$ROOT/tests/e2e/docker.bats"
  done
  ln -s "$FOSTER" "$BATS_TEST_TMPDIR/bin/foster"
  for peer in foster tini dumb-init catatonit; do
    if [[ $peer != foster ]]; then
      ln -s "$FOSTER" "$BATS_TEST_TMPDIR/bin/$peer"
      lines=$(sed -n "/^### Switching from $peer\$/,/^##/s/^    //p" "$ROOT/README.md")
      expect grep -q "^  switches_from $peer " "$ROOT/tests/e2e/docker.bats"
    fi
    expect [ "$(wc -l <<<"$lines")" = 3 ]
    mapfile -t words < <(sed -nE 's/^(ENTRYPOINT|CMD) //p' <<<"$lines" | jq -r '.[]')
    expect [ "${words[0]##*/}" = "$peer" ]
    run -7 run_in pid1 "${words[0]##*/}" "${words[@]:1}"
    expect_in 'ran my-program' "$output"
  done
}

@test "an agent that leaves zombies: ps, --list-zombies and --reap-zombies do what the README says of them" {
  local ps
  # shellcheck disable=SC2016 # perl's own variables
  start_in pid1 "$FOSTER" perl -e 'for (1 .. 2) { fork or exit } $| = 1; print "READY\n"; sleep 3 while 1'
  wait_ready
  in_namespace() {
    "${ENTER[@]}" --target "$INIT" "$@"
  }
  ps=$(block_of_readme '\$ ps -eo' | sed -n 's/^\$ //p')
  expect grep -qF "${ps/-eo/\\-eo}" "$ROOT/src/foster.1"
  wait_until eval '[[ $(in_namespace sh -c "$ps" | grep -c " 2 Z .*perl") == 2 ]]'
  mapfile -t lines < <(block_of_readme 'foster --list')
  expect [ "${lines[*]}" = 'foster --list-zombies foster --reap-zombies=36791' ]
  run -0 in_namespace "$FOSTER" --list-zombies
  expect [ "$(awk '{ print $1 }' <<<"${output%%$'\n'*}")" = PID ]
  expect [ "$(grep -Ec ' perl\[2\] +foster --reap-zombies=2$' <<<"$output")" = 2 ]
  run -0 in_namespace "$FOSTER" --reap-zombies=2
  expect [ -z "$(in_namespace sh -c "$ps")" ]
  kill "$INIT"
  finish
  expect_status 143
}

@test "links lead to files and headings that exist, and so do the files that are named" {
  local page target count=0
  for page in "${PAGES[@]}"; do
    while read -r target; do
      if [[ $target == \#* ]]; then
        sed -n 's/^##* //p' "$page" | tr 'A-Z ' 'a-z-' | tr -dc 'a-z0-9\n-' | grep -Fqx -- "${target#\#}" ||
          expect_in "$target" 'the headings'
      else
        expect [ -e "${page%/*}/$target" ]
      fi
      count=$((count + 1))
    done < <(grep -oE '\]\([^)]+\)' "$page" | sed 's/^](//; s/)$//')
  done
  expect [ "$count" -ge 15 ]
  while read -r target; do
    expect [ -e "$ROOT/src/kubernetes/$target" ]
  done < <(grep -oE '[a-z-]+\.(yaml|sh|conf)\b' "$ROOT/src/kubernetes/README.md" | grep -v '^-' | sort -u)
  # Each manifest is named there.
  for target in "$ROOT"/src/kubernetes/*.{yaml,sh,conf}; do
    expect grep -qF "${target##*/}" "$ROOT/src/kubernetes/README.md"
  done
  while read -r target; do
    expect grep -Eq "^$target:" "$ROOT/Makefile"
  done < <(grep -ohE '(`|&& |^    )make [a-z0-9]+' "${PAGES[@]}" | sed 's/.* //' | sort -u)
}

@test "the manifests have the commands that the pages' excerpts have" {
  local line
  while read -r line; do
    expect grep -rqF "$line" "$ROOT/src/kubernetes" --include='*.yaml'
  done < <(sed -nE 's/^ +(command: .*)/\1/p' "$ROOT/src/kubernetes/README.md")
}

@test "Docker's configuration is JSON, and the same in the README and in foster-runtime.1" {
  local json
  json=$(sed -n '/^    {$/,/^    }$/s/^    //p' "$ROOT/README.md")
  expect jq -e '.runtimes.foster.path == "/usr/local/bin/foster-runc"' <<<"$json"
  diff <(echo "$json") <(sed -n '/^{$/,/^}$/{s/\\-/-/g;p}' "$ROOT/src/foster-runtime.1")
}

@test "the demo prints what the README shows" {
  local shown
  shown=$(block_of_readme 'sh as PID 1: the zombies stay')
  expect [ "$(wc -l <<<"$shown")" -ge 10 ]
  diff <(echo "$shown" | sed -E 's/^ +[0-9]+ /N /') <("$ROOT/tests/demo.sh" | sed -E 's/^ +[0-9]+ /N /')
}

@test "the README has at most 1,800 words, and the pages no line of more than 120 columns but a command" {
  expect [ "$(wc -w <"$ROOT/README.md")" -le 1800 ]
  expect [ -z "$(grep -hv '^    ' "${PAGES[@]}" | LC_ALL=C.UTF-8 grep -E '^.{121}')" ]
}
