#!/usr/bin/env bash
# Installs what the tests need beside Rust and a C compiler: nats-server, Postgres, setpriv and systemd-analyze, which they
# start themselves on free ports with private directories; and the clients that the documents use: curl, Python's
# websockets and wscat, those two beside the tests; and Prometheus and nginx, beside the tests too. Does nothing where all is there.
# With the argument "chromium" it installs that, too; with "peers" the servers that the benchmark measures beside
# Carillon: Redis from the distribution, the others beside their programs.
set -euo pipefail
cd "$(dirname "$0")/.."

oldest_nats=2.9.10

# Prints where a program is; beside PATH the tests look where Debian puts servers.
find_program() {
  local directory
  command -v "$1" && return
  for directory in /usr/sbin /usr/lib/postgresql/*/bin; do
    [[ -x "$directory/$1" ]] && echo "$directory/$1" && return
  done
  return 1
}

present() {
  find_program "$1" > /dev/null
}

nats_is_recent() {
  local version
  version=$("$(find_program nats-server)" --version | sed 's/[^0-9]*//')
  printf '%s\n' "$oldest_nats" "$version" | sort --version-sort --check=quiet
}

# The standard library's venv, which Debian packs apart.
python_has_venv() {
  present python3 && python3 -c 'import ensurepip, venv' 2> /dev/null
}

missing=()
packages=()
all="nats-server postgresql util-linux systemd curl python3-venv nodejs npm"
need() {
  missing+=("$1")
  packages+=("$2")
}
present nats-server || need nats-server nats-server
present initdb && present postgres || need "initdb and postgres" postgresql
present setpriv || need setpriv util-linux
present systemd-analyze || need systemd-analyze systemd
present curl || need curl curl
python_has_venv || need "python3 with venv" python3-venv
present node || need node nodejs
present npm || need npm npm
if [[ ${1:-} == chromium ]]; then
  all+=" chromium"
  present chromium || present chromium-browser || present google-chrome || present google-chrome-stable || need Chromium chromium
fi
if [[ ${1:-} == peers ]]; then
  all+=" redis-server"
  present redis-server || need redis-server redis-server
fi

give_up() {
  {
    echo "The tests need what this machine lacks (${missing[*]}), and $1."
    echo "On Debian 12 or newer, or Ubuntu 24.04 or newer, install it as root:"
    echo
    echo "  apt-get install $all"
    echo
    echo "Elsewhere install nats-server $oldest_nats or newer, a PostgreSQL server (15 or newer, with initdb),"
    echo "Prometheus 2.42 or newer with promtool, nginx 1.22 or newer,"
    echo "setpriv (a part of util-linux), curl, Python 3.11 or newer, and Node.js 18 or newer with npm;"
    [[ $all != *" chromium" ]] || echo "for \`make conformance\` and \`make test-browser\` Chromium or Chrome;"
    [[ $all != *" redis-server" ]] || echo "for the benchmark's peers Redis 6 or newer;"
    echo "each has to be on PATH."
  } >&2
  exit 1
}

install() {
  local as_root=()
  command -v apt-get > /dev/null || give_up "there is no apt-get to install it with"
  if [[ $EUID -ne 0 ]]; then
    command -v sudo > /dev/null || give_up "only root may install it"
    as_root=(sudo)
    # Without a terminal nobody can type a password.
    [[ -t 0 ]] || as_root+=(--non-interactive)
  fi
  echo "installing ${packages[*]}"
  "${as_root[@]}" apt-get update || give_up "apt-get update failed"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --no-install-recommends "${packages[@]}" || give_up "apt-get install failed"
}

if [[ ${#packages[@]} -gt 0 ]]; then
  install
fi
if ! nats_is_recent; then
  missing=("nats-server $oldest_nats")
  give_up "the one that is there is older"
fi

# Prometheus and nginx are unpacked rather than installed, since Debian's packages would start servers of their own.
unpack() {
  local package=$1 directory=$2
  echo "unpacking $package in $directory"
  mkdir -p "$directory"
  (cd "$directory" && apt-get download "$package" && dpkg-deb --extract "$package"_*.deb . && rm "$package"_*.deb)
}
prometheus=tests/monitoring/.debian
if ! { present prometheus && present promtool; } && [[ ! -x $prometheus/usr/bin/promtool ]]; then
  if ! unpack prometheus "$prometheus"; then
    missing=(prometheus promtool)
    all=prometheus
    give_up "they can't be downloaded with apt-get"
  fi
fi
nginx=tests/.debian
if ! present nginx && [[ ! -x $nginx/usr/sbin/nginx ]]; then
  if ! unpack nginx "$nginx"; then
    missing=(nginx)
    all=nginx-light
    give_up "it can't be downloaded with apt-get"
  fi
fi

# Installs clients from their registry, unless that has been done since its list of versions was last changed.
client() {
  local list=$1 stamp=$2
  shift 2
  cmp --silent "$list" "$stamp" && return
  echo "installing what $list lists"
  if ! "$@"; then
    echo "That has failed (it needs the network once): $*" >&2
    exit 1
  fi
  cp "$list" "$stamp"
}

# What a directory's requirements.txt and package-lock.json list, into a .venv and node_modules of its own.
python_packages() {
  python3 -m venv --clear "$1/.venv" && "$1/.venv/bin/pip" install --quiet --requirement "$1/requirements.txt"
}
packages_of() {
  client "$1/requirements.txt" "$1/.venv/installed.txt" python_packages "$1"
  client "$1/package-lock.json" "$1/node_modules/installed.json" npm ci --prefix "$1" --no-audit --no-fund
}
packages_of tests/end_to_end/clients
if [[ ${1:-} == peers ]]; then
  packages_of tests/bench/peers
fi
