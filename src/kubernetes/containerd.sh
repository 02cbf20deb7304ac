#!/bin/sh
# containerd.sh [FILE]: adds the tables of containerd.toml, beside this script, that containerd's configuration,
# /etc/containerd/config.toml, does not have. Choose it in place of an editor: the file stays as it is unless containerd
# then reports both handlers. The former file is kept as FILE.before. Nothing is restarted.
set -eu
file=${1:-/etc/containerd/config.toml}
tables=$(dirname "$0")/containerd.toml
new=$file.new

has_handler() {
  grep -Eq "^[^#]*\.runtimes\.[\"']?$1[\"']?[].]"
}

mkdir -p "$(dirname "$file")"
if [ -s "$file" ]; then
  cp -p "$file" "$new"
else
  echo 'version = 2' >"$new"
fi
edit='/^$/d'
if grep -Eq '^ *version *= *3' "$new"; then
  edit="$edit; s/io\.containerd\.grpc\.v1\.cri/io.containerd.cri.v1.runtime/"
fi
if grep -Eq '^ *SystemdCgroup *= *true' "$new"; then
  edit="$edit; s/^# SystemdCgroup/SystemdCgroup/"
fi
for handler in runc foster; do
  if ! has_handler $handler <"$new"; then
    echo >>"$new" # also where its last line has no end
    sed -n "/\.runtimes\.$handler\]/,/^\$/p" "$tables" | sed "$edit" >>"$new"
  fi
done

known=$(containerd --config "$new" config dump) || known=
for handler in runc foster; do
  if ! echo "$known" | has_handler $handler; then
    echo "$file stays as it is: with what was added containerd has no handler '$handler'." \
      "See its own message above, if there is one; else the file is not of version 2 or 3, or disables CRI." \
      "Add the tables of $tables by hand." >&2
    rm "$new"
    exit 1
  fi
done
if ! cmp -s "$file" "$new"; then
  [ ! -e "$file" ] || cp -p "$file" "$file.before"
  cat "$new" >"$file" # not by its name: that may be a symbolic link
fi
rm "$new"
