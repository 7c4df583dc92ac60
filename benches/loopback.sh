# Servers on loopback, for the scripts that measure against them; read by them, and
# gives them `root`, a folder that goes when they end.

PATH=$PATH:/usr/sbin
root=$(mktemp -d)
servers=()
document=/autodiscover/metadata/json/1

finish() {
  for pid in ${servers[@]+"${servers[@]}"}; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$root"
}
trap finish EXIT

# Ends with the names of Debian's packages, if there are any.
wanting() {
  if [ $# -gt 0 ]; then
    echo "install what Debian calls $*" >&2
    exit 2
  fi
}

# A port that nobody listens on.
port() {
  local port
  while port=$((20000 + RANDOM % 12000)) && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port"
}

# Starts a server, and waits until it accepts connections at this port.
started() {
  local port=$1
  shift
  "$@" >"$root/log" 2>&1 &
  servers+=($!)
  for _ in $(seq 1000); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return; fi
    sleep 0.01
  done
  cat "$root/log" >&2
  exit 1
}

# Ends the server that was started last.
stopped() {
  kill "${servers[-1]}"
  wait "${servers[-1]}" 2>/dev/null || true
  unset 'servers[-1]'
}

# An authority and its certificate for 127.0.0.1, and another authority.
certificates() {
  local key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
  for authority in root other; do
    openssl req -x509 "${key[@]}" -days 2 -subj "/CN=Bench $authority" \
      -keyout "$root/$authority.key" -out "$root/$authority.pem"
  done
  openssl req "${key[@]}" -subj /CN=127.0.0.1 -keyout "$root/leaf.key" -out "$root/leaf.csr"
  openssl x509 -req -in "$root/leaf.csr" -CA "$root/root.pem" -CAkey "$root/root.key" \
    -CAcreateserial -days 2 -extfile <(echo subjectAltName=IP:127.0.0.1) -out "$root/leaf.pem"
}

# Serves the document over TLS at this port, and writes down what is asked.
documents() {
  certificates 2>"$root/log"
  mkdir -p "$root/web${document%/*}"
  cp src/demo/healthy/ex1-metadata.json "$root/web$document"
  cat >"$root/nginx.conf" <<SETTINGS
daemon off;
master_process off;
pid $root/nginx.pid;
error_log stderr warn;
events { worker_connections 256; }
http {
  log_format asked '\$request \$status';
  access_log $root/asked asked;
  default_type application/json;
  client_body_temp_path $root; proxy_temp_path $root; fastcgi_temp_path $root;
  uwsgi_temp_path $root; scgi_temp_path $root;
  server {
    listen 127.0.0.1:$1 ssl;
    ssl_certificate $root/leaf.pem;
    ssl_certificate_key $root/leaf.key;
    root $root/web;
  }
}
SETTINGS
  started "$1" nginx -c "$root/nginx.conf"
}

# A module of blackbox_exporter that believes this authority.
module() {
  cat <<MODULE
  $1:
    prober: http
    http:
      valid_status_codes: [200]
      fail_if_not_ssl: true
      fail_if_body_not_matches_regexp: ['"keyvalue"']
      tls_config: { ca_file: $root/$1.pem }
MODULE
}

# Milliseconds of the processor that a process took so far.
taken() {
  awk -v tick="$(getconf CLK_TCK)" '{ print ($14 + $15) * 1000 / tick }' "/proc/$1/stat"
}

# Resident memory of a process in MB: VmRSS now, VmHWM the most so far.
resident() {
  awk -v what="$2:" '$1 == what { printf "%.1f", $2 * 1024 / 1e6 }' "/proc/$1/status"
}
