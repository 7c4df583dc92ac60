#!/usr/bin/env bash
# Measures the program as a whole: the demo organisation's files in a folder,
# `trustprobe check` on it, from start to exit.
#
#     benches/process.sh [RUNS]
#
# What has to hold: under 10 ms and 20 MB.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-200}

cargo build --release --quiet
trustprobe=${CARGO_TARGET_DIR:-target}/release/trustprobe
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp src/demo/healthy/* "$folder"

# The program in this format, below whatever measures it.
measured() {
  local format=${!#}
  "${@:1:$#-1}" "$trustprobe" check "$folder" --tenant 11111111-2222-3333-4444-555555555555 \
    --domain contoso.com --host mail.contoso.com,autodiscover.contoso.com \
    --at 2026-11-24 --format "$format" >/dev/null || [ $? -ne 2 ]
}

# The median of many runs; a shell's own cost of starting a program is in it.
median() {
  for _ in $(seq "$runs"); do
    local start=$EPOCHREALTIME end
    measured "$1"
    end=$EPOCHREALTIME
    echo $((${end/[.,]/} - ${start/[.,]/}))
  done | sort -n | awk '{ us[NR] = $1 } END { printf "%.1f ms (fastest %.1f, slowest %.1f)\n",
    us[int((NR + 1) / 2)] / 1000, us[1] / 1000, us[NR] / 1000 }'
}

# The most memory that was resident at once. A shell or an interpreter cannot
# measure it: their own memory counts until the program takes their place.
peak() {
  local time
  time=$(type -P time) || { echo "not measured: GNU time is not installed"; return; }
  measured "$time" --format '%M' --output "$folder.peak" "$1"
  awk 'END { printf "%.1f MB\n", $1 * 1024 / 1e6 }' "$folder.peak"
  rm "$folder.peak"
}

measured table # A first run reads the program from disk.
echo "$runs runs each over $(find "$folder" -type f | wc -l) files, $(du -cb "$folder"/* | tail -1 | cut -f1) octets"
for format in table json prometheus; do
  printf '%-11s wall %s, peak %s\n' "$format" "$(median "$format")" "$(peak "$format")"
done
