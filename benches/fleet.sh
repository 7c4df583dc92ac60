#!/usr/bin/env bash
# Measures many recorded trusts in one run: `check --all` in its formats, and
# `report --all`, in time and memory.
#
#     benches/fleet.sh [TRUSTS]     1000 if not said
#
# What has to hold: 1 000 trusts are reported within two seconds, and a run of ten
# times as many trusts takes no ten times the memory. Every trust has names and ids
# of its own; every tenth is broken.
set -euo pipefail
cd "$(dirname "$0")/.."
trusts=${1:-1000}
. benches/loopback.sh

packages=()
time=$(type -P time) || packages+=(time)
wanting ${packages[@]+"${packages[@]}"}
cargo build --release --quiet
trustprobe=$PWD/${CARGO_TARGET_DIR:-target}/release/trustprobe

# The demo's facts, once sound and once broken.
record() {
  "$trustprobe" evidence "$2" --record "$root/$1.json" --tenant 11111111-2222-3333-4444-555555555555 \
    --domain contoso.com --host mail.contoso.com,autodiscover.contoso.com \
    --procedure skype-online >/dev/null
}
record healthy src/demo/healthy
mkdir "$root/merged"
cp src/demo/healthy/* "$root/merged"
cp src/demo/broken/* "$root/merged"
record broken "$root/merged"

# So many trusts, under names of their own.
folder() {
  local count=$1 at of
  mkdir "$root/$count"
  for at in $(seq -f %05g "$count"); do
    of=healthy
    [ "${at: -1}" = 0 ] && of=broken
    sed "s/contoso/c$at/g; s/11111111-2222/1${at}11-2222/g" "$root/$of.json" >"$root/$count/c$at.json"
  done
}

# The median of three runs, and what the last of them took.
measured() {
  local what=$1 at
  shift
  for at in 1 2 3; do
    "$time" -f '%e %U %S %M' -o "$root/took" "$@" >"$root/out" || [ $? -le 2 ]
    tail -1 "$root/took"
  done | sort -n | awk -v what="$what" '{ line[NR] = $0 } END {
    split(line[2], it, " ")
    printf "  %-28s %5.2f s, CPU %5.2f s, at most %4d MB\n", what, it[1], it[2] + it[3], it[4] / 1000 }'
}

for count in $((trusts / 10)) "$trusts"; do
  folder "$count"
  at="--at 2026-11-24"
  echo "$count recorded trusts of $(du -sh --apparent-size "$root/$count" | cut -f1), $(nproc) processors:"
  for format in table json jsonl junit nagios prometheus markdown; do
    measured "check --all, $format" "$trustprobe" check --all "$root/$count" $at --format "$format"
  done
  for format in html markdown; do
    measured "report --all, $format" "$trustprobe" report --all "$root/$count" $at \
      --by 2027-11-24 --format "$format" -o "$root/reports"
    rm -r "$root/reports"
  done
done
