#!/usr/bin/env bash
# Measures what much evidence costs: folders of the same mix and growing size,
# `trustprobe check` and `trustprobe evidence` on each.
#
#     benches/evidence.sh [MB...]     5, 50 and 500 if not said
#
# What has to hold: the most memory is a few times the largest file, and what
# the facts take; files that give none cost nothing. Needs GNU time, and as much
# room in the temporary folder.
set -euo pipefail
cd "$(dirname "$0")/.."

time=$(type -P time) || { echo "GNU time is not installed (Debian: time)" >&2; exit 2; }
cargo build --release --quiet
trustprobe=${CARGO_TARGET_DIR:-target}/release/trustprobe
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
demo=src/demo/healthy

# Repeats an object from standard input, up to so many octets, with a number
# for each `@@`. Not by gsub, which in mawk is slower with every replacement.
repeated() {
  local size=$1 head=$2 joint=$3 tail=$4
  awk -v size="$size" -v head="$head" -v joint="$joint" -v tail="$tail" '
    { object = object $0 "\n" }
    END {
      count = split(object, part, "@@")
      printf "%s", head
      while (written < size) {
        text = (number++ ? joint : "") part[1]
        for (i = 2; i <= count; i++) text = text sprintf("%012d", number) part[i]
        printf "%s", text
        written += length(text)
      }
      print tail
    }'
}

# One export of so many octets, of the demo's account under other names; of
# another type the objects are nothing that is used.
clixml() {
  local number=$1 size=$2 type=$3 change
  change="s/SfBOnline-ApplicationAccount/user$number-@@/g; s/MailUser/$type/"
  change+="; s/5f0c1d2e\(.*\)708192a3b4c5/$(printf %08d "$number")\1@@/"
  if [ "$type" != MailUser ]; then change+="; s/RecipientTypeDetails/Kind/g"; fi
  sed -n "1d; $change; p; /^  <\/Obj>/q" "$demo/LinkedAccounts.xml" |
    repeated "$size" "$(head -n 1 "$demo/LinkedAccounts.xml")" "" "</Objs>"
}

# What Graph says of service principals, so many octets of it.
graph() {
  sed 's/00000004-0000-0ff1-ce00-000000000000/0f1e2d3c-0000-4000-8000-@@/; s/444444444444/@@/' \
    "$demo/00000004-0000-0ff1-ce00-000000000000.json" | repeated "$1" '{"value": [' "," "]}"
}

# Lines of a web server, so many octets of them.
log() {
  awk -v size="$1" 'BEGIN {
    for (written = 0; written < size; written += length(line)) {
      line = sprintf("2026-11-23 08:%02d:%02d 203.0.113.%d POST /EWS/Exchange.asmx - 443 - 401 0 0\n",
        at / 60 % 60, at % 60, ++at % 256)
      printf "%s", line
    }
  }'
}

# A folder of so many MB: a third exports of accounts, a tenth exports of
# nothing that is used, a quarter in two files as large as they may be at 500,
# a third that is no evidence at all, and a log that is too large at 500.
make() {
  local folder=$1 size=$(($2 * 1000000)) export=1000000 at
  mkdir "$folder"
  cp "$demo"/* "$folder"
  for ((at = 10; at < 10 + $2 / 5; at++)); do
    sed "s/ex1/ex$at/g" "$demo/Certificates-EX1.xml" >"$folder/Certificates-EX$at.xml"
  done
  for ((at = 0; at * export < size / 3; at++)); do
    clixml "$at" "$export" MailUser >"$folder/accounts-$at.xml"
  done
  for ((at = 0; at * export < size / 10; at++)); do
    clixml "$at" "$export" Queue >"$folder/queues-$at.xml"
  done
  clixml 9999 $((size / 8)) MailUser >"$folder/large.xml"
  graph $((size / 8)) >"$folder/large.json"
  log $((size / 7)) >"$folder/httpproxy.log"
  for at in 0 1 2 3; do
    log $((size / 32)) >"$folder/w3svc-$at.log"
    head -c $((size / 64)) /dev/urandom >"$folder/photo-$at.jpg"
  done
}

# Wall time, the processor's time, and the most memory that was resident at once.
measured() {
  local name=$1
  shift
  "$time" --format '%e %U %S %M' --output "$root/cost" "$@" >/dev/null || [ $? -le 1 ]
  awk -v name="$name" 'END { printf "  %-9s wall %6.2f s, CPU %6.2f s, peak %6.1f MB\n",
    name, $1, $2 + $3, $4 * 1024 / 1e6 }' "$root/cost"
}

[ $# -gt 0 ] || set -- 5 50 500
for mb in "$@"; do
  folder=$root/$mb
  make "$folder" "$mb"
  echo "$(find "$folder" -type f | wc -l) files, $(($(du -sb "$folder" | cut -f1) / 1000000)) MB"
  measured check "$trustprobe" check "$folder" --at 2026-11-24
  measured evidence "$trustprobe" evidence "$folder"
  rm -r "$folder"
done
