#!/usr/bin/env bash
# What `trustprobe trace` takes for large captures: time and memory.
#
#     benches/traffic.sh [MIB...]        50 and 500 if not said
#
# A HAR is made on the fly: bodies of 1 MiB, entries that have nothing to do with
# the trust, and one call of ours in a hundred. Nothing of it stays.
set -euo pipefail
cd "$(dirname "$0")/.."

program=${PROGRAM:-target/release/trustprobe}
[ -x "$program" ] || { echo "benches/traffic.sh: build it first: cargo build --release" >&2; exit 2; }
sizes=("$@")
[ ${#sizes[@]} -gt 0 ] || sizes=(50 500)

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

har() {
  python3 - "$1" <<'PYTHON'
import json, sys
calls = json.load(open("tests/fixtures/traffic/06-no-grant.har"))["log"]["entries"]
body, left, at = "x\\u00e9\\\"" * (1 << 17), int(sys.argv[1]) << 20, 0
out = sys.stdout
out.write('{"log":{"version":"1.2","entries":[')
while left > 0:
    entry = calls[at // 100 % 2] if at % 100 == 0 else {
        "startedDateTime": "2026-11-23T08:00:00Z",
        "request": {"method": "GET", "url": f"https://cdn.example/{at}.js", "headers": [{"name": "Accept", "value": "*/*"}] * 20},
        "response": {"status": 200, "headers": [], "content": {"mimeType": "text/plain", "text": "BODY" if at % 4 == 1 else ""}}}
    text = json.dumps(entry).replace("BODY", body)
    out.write(("," if at else "") + text)
    left, at = left - len(text), at + 1
out.write("]}}")
PYTHON
}

printf '%8s  %8s  %9s  %s\n' MiB seconds peak answer
for size in "${sizes[@]}"; do
  har "$size" >"$folder/large.har"
  # shellcheck disable=SC2034
  if /usr/bin/time -f '%e %M' -o "$folder/time" "$program" trace "$folder/large.har" \
    >"$folder/out" 2>&1; then :; fi
  read -r seconds peak < <(tail -n 1 "$folder/time")
  printf '%8s  %8s  %6s MiB  %s\n' "$size" "$seconds" "$((peak / 1024))" \
    "$(sed -n 2p "$folder/out")"
  rm "$folder/large.har"
done
