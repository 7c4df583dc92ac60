#!/usr/bin/env bash
# Measures the check of one metadata document over HTTPS, beside two programs that
# check web servers: Debian's check_http and prometheus-blackbox-exporter.
#
#     benches/metadata.sh [CHECKS] [AT_ONCE]     100 and 16 if not said
#
# All of them fetch the same document from an nginx on loopback, one check after the
# other and then several at once. trustprobe and check_http are a process for each
# check, with its start; the exporter runs all the time and is asked over HTTP.
# They do not do the same: trustprobe verifies the chain, reads the document and
# judges reachability, kind and keys; the exporter verifies the chain and searches
# the text; check_http of this version searches the text and verifies nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
checks=${1:-100} at_once=${2:-16}
. benches/loopback.sh
PATH=$PATH:/usr/lib/nagios/plugins

packages=()
type -P nginx >/dev/null || packages+=(nginx-light)
type -P openssl >/dev/null || packages+=(openssl)
type -P check_http >/dev/null || packages+=(monitoring-plugins-basic)
type -P prometheus-blackbox-exporter >/dev/null || packages+=(prometheus-blackbox-exporter)
time=$(type -P time) || packages+=(time)
wanting ${packages[@]+"${packages[@]}"}
cargo build --release --quiet
trustprobe=${CARGO_TARGET_DIR:-target}/release/trustprobe

# A trust, and a module of the exporter, that believe this authority.
configured() {
  cat >"$root/$1.yaml" <<CONFIGURATION
trusts:
  contoso: { servers: ['127.0.0.1:$web'] }
network: { ca_file: $1.pem, allow_local: true }
CONFIGURATION
  module "$1" >>"$root/blackbox.yml"
}

# Each is one check, and succeeds where the check passes. What trustprobe says of
# documents that are not here stays unknown, and so does the whole.
trustprobe() {
  local said
  said=$("${@:2}" "$trustprobe" check --config "$root/$1.yaml" \
    --only metadata-reachable --only metadata-kind --only metadata-keys) || [ $? -eq 3 ]
  [[ $said == *"1 usable signing key"* ]]
}
check_http() {
  "${@:2}" "$(type -P check_http)" -I 127.0.0.1 -p "$web" -S 1.2+ -u "$document" -e 200 \
    -r '"keyvalue"' >/dev/null
}
blackbox() {
  local lines
  exec 4<>"/dev/tcp/127.0.0.1/$exporter"
  printf 'GET /probe?module=%s&target=https://127.0.0.1:%s%s HTTP/1.0\r\n\r\n' "$1" "$web" "$document" >&4
  mapfile -t lines <&4
  exec 4>&-
  [[ ${lines[*]} == *"probe_success 1"* ]]
}

# Milliseconds of the processor that the exporter took so far; or what ended below
# this shell did, the shells that start it included.
spent() {
  if [ "$1" = blackbox ]; then
    taken "$blackbox"
  else
    awk -v tick="$(getconf CLK_TCK)" '{ print ($16 + $17) * 1000 / tick }' "/proc/$$/stat"
  fi
}

# So many checks, one after the other.
checked() {
  for _ in $(seq "$2"); do "$1" root; done
}

# Runs all checks in so many rows side by side.
measured() {
  local what=$1 rows=$2 begun cpu wall
  local pids=()
  cpu=$(spent "$what") begun=${EPOCHREALTIME/[.,]/}
  for _ in $(seq "$rows"); do
    checked "$what" $((checks / rows)) &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid"; done
  wall=$((${EPOCHREALTIME/[.,]/} - begun))
  awk -v what="$what" -v rows="$rows" -v wall="$wall" -v checks=$((checks / rows * rows)) \
    -v cpu="$cpu" -v now="$(spent "$what")" 'BEGIN {
      printf "  %-10s %2d at once: wall %6.2f ms a check, CPU %6.2f ms a check\n", what, rows,
        wall / 1000 / checks, (now - cpu) / checks }'
}

# The most memory that was resident at once.
peak() {
  if [ "$1" = blackbox ]; then
    echo "$(resident "$blackbox" VmHWM) MB, one process for all"
  else
    "$1" root "$time" --format '%M' --output "$root/peak"
    awk 'END { printf "%.1f MB, each process", $1 * 1024 / 1e6 }' "$root/peak"
  fi
}

web=$(port) exporter=$(port)
documents "$web"
echo "modules:" >"$root/blackbox.yml"
configured root
configured other
started "$exporter" prometheus-blackbox-exporter --config.file="$root/blackbox.yml" \
  --web.listen-address="127.0.0.1:$exporter"
blackbox=${servers[1]}

for what in trustprobe check_http blackbox; do
  "$what" root || { echo "metadata.sh: $what does not pass" >&2; exit 1; }
done
echo "$checks checks of $(stat -c %s "$root/web$document") octets; a stranger's certificate is"
for what in trustprobe check_http blackbox; do
  if "$what" other; then echo "  accepted by $what"; else echo "  refused by $what"; fi
done
for rows in 1 "$at_once"; do
  for what in trustprobe check_http blackbox; do measured "$what" "$rows"; done
done
for what in trustprobe check_http blackbox; do
  printf '  %-10s peak memory %s\n' "$what" "$(peak "$what")"
done
