#!/usr/bin/env bash
# Measures `trustprobe serve`: beside Debian's prometheus-blackbox-exporter on the same
# single check, and alone with many trusts and over many looks at them.
#
#     benches/exporter.sh [SECONDS]     of each load, 10 if not said
#     benches/exporter.sh SECONDS PART  one of: beside, trusts, memory
#
# What has to hold: three times as many probes in a second of the processor, less
# memory idle and under load, `/metrics` of 1 000 trusts within 50 ms, and memory
# after 10 000 looks within 10 % of that after 100.
#
# Beside each other both fetch one document from an nginx on loopback, over a new
# connection each time, verify the chain and read what is in it; trustprobe judges it,
# too, and tells some 500 series of it. Both are asked as Prometheus asks, by wrk over
# connections that stay. Probes of one trust at one time would be one, so there are
# more trusts than connections, in turn. What is written down by nginx is counted, so
# that each answer is known to be a fetch of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-10} part=${2:-}
. benches/loopback.sh

packages=()
type -P nginx >/dev/null || packages+=(nginx-light)
type -P openssl >/dev/null || packages+=(openssl)
type -P curl >/dev/null || packages+=(curl)
type -P wrk >/dev/null || packages+=(wrk)
blackbox=$(type -P prometheus-blackbox-exporter) || packages+=(prometheus-blackbox-exporter)
wanting ${packages[@]+"${packages[@]}"}
cargo build --release --quiet
trustprobe=${CARGO_TARGET_DIR:-target}/release/trustprobe

web=$(port) exporter=$(port) trusts=128
documents "$web"

# Starts one of the two, with the configuration that lies in the folder.
trustprobe() {
  started "$exporter" "$trustprobe" serve --config "$root/trustprobe.yaml" --listen "127.0.0.1:$exporter"
}
blackbox() {
  started "$exporter" "$blackbox" --config.file="$root/blackbox.yml" --web.listen-address="127.0.0.1:$exporter"
}

asked() {
  curl --silent --show-error --fail --max-time 60 "$@"
}

# The value of one of the exporter's own metrics.
own() {
  asked "http://127.0.0.1:$exporter/metrics" | awk -v series="$1" '$1 == series { print $2 }'
}

# Trusts of this body, so many.
configured() {
  local at
  echo "trusts:"
  for at in $(seq "$1"); do echo "  t$at: $2"; done
}

# Paths to ask for in turn, and the result in one line: probes, those without the
# expected answer, seconds, and microseconds within which half and 99 % were answered.
spread() {
  cat >"$root/spread.lua" <<LUA
local at, wrong = 0, 0
request = function()
  at = at % $trusts + 1
  return wrk.format("GET", "$1" .. $2)
end
wrk.headers["Accept-Encoding"] = "gzip"
wrk.headers["X-Prometheus-Scrape-Timeout-Seconds"] = "10"
done = function(summary, latency)
  local errors = summary.errors
  local wrong = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  print("result", summary.requests, wrong, summary.duration / 1e6,
    latency:percentile(50), latency:percentile(99))
end
LUA
}

load() {
  wrk --threads 1 --connections "$1" --duration "${2}s" --timeout 10s --script "$root/spread.lua" \
    "http://127.0.0.1:$exporter" | awk '$1 == "result"'
}

# One load on the one that runs, over so many connections.
measured() {
  local what=$1 connections=$2 pid=${servers[-1]} cpu count wrong took half most fetches
  load "$connections" 1 >/dev/null
  sleep 1
  : >"$root/asked"
  cpu=$(taken "$pid")
  read -r _ count wrong took half most <<<"$(load "$connections" "$seconds")"
  # Those at the end may have been under way, and are in no count of wrk's.
  sleep 0.5
  fetches=$(grep -c ' 200$' "$root/asked")
  awk -v what="$what" -v rows="$connections" -v count="$count" -v wrong="$wrong" -v took="$took" \
    -v half="$half" -v most="$most" -v cpu="$cpu" -v now="$(taken "$pid")" -v fetches="$fetches" 'BEGIN {
      printf "  %-10s %2d at once: %5.0f probes/s, p50 %6.2f ms, p99 %6.2f ms, CPU %.3f ms a probe, %d probes a second of CPU\n",
        what, rows, count / took, half / 1000, most / 1000, (now - cpu) / fetches, fetches * 1000 / (now - cpu)
      printf "  %-10s    %d answers, %d wrong, %d fetches\n", "", count, wrong, fetches
      exit wrong > 0 || fetches < count || fetches > count + rows }'
}

# Milliseconds from the start until it says that it is healthy, the median of several.
healthy() {
  local begun pid
  for _ in $(seq 11); do
    begun=${EPOCHREALTIME/[.,]/}
    "$@" &
    pid=$!
    until (exec 3<>"/dev/tcp/127.0.0.1/$exporter" && printf 'GET /-/healthy HTTP/1.0\r\n\r\n' >&3 &&
      grep -q ' 200 ' <&3) 2>/dev/null; do :; done
    echo $((${EPOCHREALTIME/[.,]/} - begun))
    kill "$pid"
    wait "$pid" || true
  done 2>/dev/null | sort -n | awk '{ us[NR] = $1 } END { printf "%.1f", us[int((NR + 1) / 2)] / 1000 }'
}

# What one of the two does with this, from start to end.
compared() {
  local what=$1 program=${!1} idle
  shift
  echo "  $what: $(stat -Lc %s "$program" | awk '{ printf "%.1f", $1 / 1e6 }') MB on disk, healthy $(healthy "$program" "$@") ms after the start"
  "$what"
  sleep 2
  idle=$(resident "${servers[-1]}" VmRSS)
  measured "$what" 1
  measured "$what" 32
  printf '  %-10s    resident idle %s MB, after the load %s MB, at most %s MB\n' "" "$idle" \
    "$(resident "${servers[-1]}" VmRSS)" "$(resident "${servers[-1]}" VmHWM)"
}

beside() {
  echo "one document of $(stat -c %s "$root/web$document") octets, $seconds s each:"
  { echo "modules:"; module root; } >"$root/blackbox.yml"
  {
    configured "$trusts" "{ servers: ['127.0.0.1:$web'] }"
    echo "network: { ca_file: root.pem, allow_local: true }"
    echo "exporter: { background: false }"
  } >"$root/trustprobe.yaml"
  spread "/probe?module=root&target=https%3A%2F%2F127.0.0.1%3A$web$document&hash=" at
  compared blackbox --config.file="$root/blackbox.yml" --web.listen-address="127.0.0.1:$exporter"
  asked "http://127.0.0.1:$exporter/probe?module=root&target=https://127.0.0.1:$web$document" | grep -qx 'probe_success 1'
  stopped
  spread /probe?trust=t at
  compared trustprobe serve --config "$root/trustprobe.yaml" --listen "127.0.0.1:$exporter"
  asked "http://127.0.0.1:$exporter/probe?trust=t1" >"$root/answer"
  grep -qx 'oauth_trust_source_up{source="metadata",trust="t1"} 1' "$root/answer"
  echo "  trustprobe    answers of $(wc -c <"$root/answer") octets; shared with another: $(own 'trustprobe_probes_total{result="shared"}')"
  stopped
}

# The median time of a scrape in ms, and its size, plain or not.
scrape() {
  asked --output /dev/null --write-out '%{time_total} %{size_download}\n' "$@" \
    "http://127.0.0.1:$exporter/metrics?[1-51]" | sort -n |
    awk '{ s[NR] = $1; size = $2 } END { printf "%.2f ms, %.0f kB", s[int((NR + 1) / 2)] * 1000, size / 1000 }'
}

# Recorded facts of a healthy organisation under so many names.
recorded() {
  local count=$1 detailed=$2 begun pid
  {
    configured "$count" "{ evidence: [facts.json] }"
    echo "exporter: { detailed_trusts: $detailed }"
  } >"$root/trustprobe.yaml"
  begun=${EPOCHREALTIME/[.,]/}
  trustprobe
  pid=${servers[-1]}
  until asked --output /dev/null "http://127.0.0.1:$exporter/-/ready" 2>/dev/null; do sleep 0.02; done
  awk -v count="$count" -v detailed="$detailed" -v took=$((${EPOCHREALTIME/[.,]/} - begun)) \
    -v cpu="$(taken "$pid")" 'BEGIN {
      printf "  %4d trusts, %s: ready after %.2f s, CPU %.2f ms a look", count,
        (count > detailed ? "summary" : "detail"), took / 1e6, cpu / count }'
  # Until what is new has been rendered.
  sleep 5
  printf '; a scrape %s' "$(scrape)"
  printf '; gzip %s' "$(scrape --header 'Accept-Encoding: gzip')"
  printf '; resident %s MB, at most %s MB\n' "$(resident "$pid" VmRSS)" "$(resident "$pid" VmHWM)"
  stopped
}

trusts() {
  echo "recorded facts, /metrics:"
  "$trustprobe" evidence src/demo/healthy --record "$root/facts.json" >/dev/null
  for count in 1 100 1000 5000; do recorded "$count" 100; done
  recorded 1000 1000
}

# The median of resident memory over a second.
settled() {
  for _ in $(seq 10); do
    resident "$1" VmRSS
    echo
    sleep 0.1
  done | sort -n | sed -n 5p
}

memory() {
  local looks pid
  echo "50 trusts, of evidence and of a server, looked at twice a second:"
  "$trustprobe" evidence src/demo/healthy --record "$root/facts.json" >/dev/null
  {
    configured 50 "{ evidence: [facts.json], servers: ['127.0.0.1:$web'], live: true }"
    echo "defaults: { interval: 500ms }"
    echo "network: { ca_file: root.pem, allow_local: true }"
    echo "exporter: { minimum_interval: 500ms }"
  } >"$root/trustprobe.yaml"
  trustprobe
  pid=${servers[-1]}
  for looks in 100 10000; do
    until [ "$(own trustprobe_refreshes_total)" -ge "$looks" ]; do sleep 0.1; done
    printf '  after %5d looks: %s MB resident\n' "$looks" "$(settled "$pid")"
  done
  stopped
}

for each in ${part:-beside trusts memory}; do "$each"; done
