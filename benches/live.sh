#!/usr/bin/env bash
# Measures a whole live run over a long line: the lab with every answer 50 ms late,
# `trustprobe check` on it, against the longest chain of requests of which each
# rests on the answer to the one before.
#
#     benches/live.sh [RUNS]     20 if not said
#
# What has to hold: at most 1.15 times as long as the answers of that chain.
#
# The lab writes down what it was asked, and when; `chain` below says what rests on
# what, by the data and not by the clock: a request rests on the answers without
# which it could not be written, so that waiting for anything else counts against
# us. Each rule is held against the record, too: what a request rests on was
# answered before. What takes most of the rest is the lab itself, which has the same
# cores. It takes what `tests/lab/contoso` takes, root among it.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-20} delay=50
PATH=$PATH:/usr/sbin

packages=()
type -P openssl >/dev/null || packages+=(openssl)
type -P knotd >/dev/null || packages+=(knot)
type -P samba samba-tool >/dev/null || packages+=(samba samba-ad-dc samba-ad-provision samba-dsdb-modules)
/usr/bin/python3 -c 'import samba' 2>/dev/null || packages+=(python3-samba)
if [ ${#packages[@]} -gt 0 ]; then
  echo "install what Debian calls ${packages[*]}" >&2
  exit 2
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "the lab takes root" >&2
  exit 2
fi

cargo build --release --quiet
cargo build --quiet --example lab --features installed
target=${CARGO_TARGET_DIR:-target} trustprobe=$target/release/trustprobe
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# Reads the record of a run that began at `begun` and took `wall` microseconds.
chain() {
  sort -n "$1" | awk -F '\t' -v begun="$2" -v wall="$3" -v delay="$delay" -v show="${4-}" '
    # Names that nobody knows before the directory tells them.
    BEGIN { told["login.windows.net"] }

    # The request at hand rests on this one.
    function on(what) {
      if (!(what in depth) || answered[what] > $1) {
        printf "live.sh: %s does not rest on %s\n", $3, what > "/dev/stderr"
        exit wrong = 1
      }
      if (depth[what] > most) { most = depth[what]; via = what }
    }

    function names(part) {
      what = "dns " part[2]
      if (part[2] in told) on(servers)
    }

    function ldap(part) {
      split($3, quoted, "\"")
      base = quoted[2]
      if ($3 == "ldap bind") on("dns dc1.corp.contoso.com")
      else if (base == "") on("ldap bind")
      else if (base ~ /^CN=Microsoft Exchange,/) { on("ldap search \"\" 0 (objectClass)"); organisation = $3 }
      else if (base ~ /,CN=Contoso Org,/) on(organisation)
      else on(applications)
      # Whether a place is shown where nothing was found; and the next page.
      if (quoted[3] ~ /^ 0 / && base in searched) on(searched[base])
      if ($3 in depth) on($3)
      if (base ~ /^CN=Auth Servers,/) servers = $3
      if (base ~ /^CN=Partner Applications,/) applications = $3
      searched[base] = $3
    }

    function http(part) {
      host = part[2]
      sub(/:.*/, "", host)
      on("dns " host)
      if (part[3] == "POST") token = $3
      if (host == "graph.microsoft.com") {
        on(token)
        # Of an application that is not one of Microsoft'\''s.
        if (part[4] !~ /-0ff1-ce00-|-0000-c000-/) on(servers)
        if (part[4] ~ /skiptoken/) { first = $3; sub(/\?.*/, "", first); on(first) }
      }
      # Asked for once by us, and once more by the cloud, which leads there.
      if (part[4] ~ /autodiscover.json/ && host ~ /outlook/) cloud = $3
      if (part[4] ~ /autodiscover.json/ && $3 in depth) on(cloud)
    }

    {
      split($3, part, " ")
      what = $3; most = 0; via = ""
      if (part[1] == "dns") names(part)
      else if (part[1] == "ldap") ldap(part)
      else http(part)
      if (most + 1 > depth[what]) { depth[what] = most + 1; before[what] = via; asked[what] = $1 }
      if (!(what in answered) || $2 < answered[what]) answered[what] = $2
      if (depth[what] > longest) { longest = depth[what]; last = what }
    }

    END {
      if (wrong || !NR) exit 1
      if (!show) {
        printf "%d requests, longest chain %d x %d ms = %d ms, ratio %.3f\n", NR, longest, delay,
          longest * delay, wall / 1000 / (longest * delay)
        exit
      }
      for (at = longest; at; at--) { link[at] = last; last = before[last] }
      for (at = 1; at <= longest; at++) {
        printf "  asked at %5.1f ms, answered at %5.1f ms: %.90s\n", (asked[link[at]] - begun) / 1000,
          (answered[link[at]] - begun) / 1000, link[at]
      }
    }'
}

# The middle one of many runs against the lab with these fixtures.
measured() {
  local configuration run begun ended median
  coproc LAB { LAB_DELAY=$delay "$target/debug/examples/lab" "$@" 2>"$root/lab.log"; }
  local stop=${LAB[1]} pid=$LAB_PID
  read -r configuration <&"${LAB[0]}" || { cat "$root/lab.log" >&2; exit 1; }
  local record=${configuration%/*}/requests
  # The first run finds everything cold.
  for run in $(seq 0 "$runs"); do
    : >"$record"
    begun=${EPOCHREALTIME/[.,]/}
    "$trustprobe" check --config "$configuration" >"$root/said" || [ $? -ne 2 ]
    ended=${EPOCHREALTIME/[.,]/}
    cp "$record" "$root/$run"
    [ "$run" -eq 0 ] || echo "$((ended - begun)) $run $begun"
  done | sort -n >"$root/runs"
  exec {stop}>&-
  wait "$pid"
  median=$(sed -n "$(((runs + 1) / 2))p" "$root/runs")
  read -r wall run begun <<<"$median"
  awk '{ us[NR] = $1 } END { printf "wall %.0f ms (fastest %.0f, slowest %.0f), ",
    us[int((NR + 1) / 2)] / 1000, us[1] / 1000, us[NR] / 1000 }' "$root/runs"
  chain "$root/$run" "$begun" "$wall"
  chain "$root/$run" "$begun" "$wall" show
}

echo "$runs runs each, every answer $delay ms late"
echo "a healthy Contoso:"
measured
