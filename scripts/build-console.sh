#!/usr/bin/env bash
# Builds the console into clients/console/dist, from where the gateway's build takes it, unless nothing has changed
# since the last time. Installs Node.js and npm with apt where they are missing, and the packages that the console lists.
#   --if-possible   where they can't be installed, says so and goes on: without its console Carillon works, too
set -euo pipefail
cd "$(dirname "$0")/.."

console=clients/console
built=$console/dist/index.html
oldest_node=20

node_is_recent() {
  command -v node > /dev/null && command -v npm > /dev/null &&
    [[ $(node --version | sed 's/v\([0-9]*\).*/\1/') -ge $oldest_node ]]
}

# What it needs that it hasn't got, on standard error.
give_up() {
  {
    echo "The console is not built: that needs Node.js $oldest_node or newer with npm, and $1."
    echo "On Debian 13 or newer: apt-get install nodejs npm; elsewhere https://nodejs.org/"
  } >&2
  [[ $option == --if-possible ]] && exit 0
  exit 1
}

install_node() {
  local as_root=()
  command -v apt-get > /dev/null || give_up "there is no apt-get to install them with"
  if [[ $EUID -ne 0 ]]; then
    command -v sudo > /dev/null || give_up "only root may install them"
    as_root=(sudo)
    # Without a terminal nobody can type a password.
    [[ -t 0 ]] || as_root+=(--non-interactive)
  fi
  echo "installing nodejs and npm"
  "${as_root[@]}" apt-get update || give_up "apt-get update failed"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --no-install-recommends nodejs npm || give_up "apt-get install failed"
  node_is_recent || give_up "the one that apt-get has is older"
}

install_packages() {
  local stamp=$console/node_modules/installed.json
  cmp --silent "$console/package-lock.json" "$stamp" && return
  echo "installing what $console/package-lock.json lists"
  npm ci --prefix "$console" --no-audit --no-fund || give_up "npm ci failed (it needs the network once)"
  cp "$console/package-lock.json" "$stamp"
}

is_current() {
  [[ -f $built ]] && [[ -z $(find "$console" clients/javascript/src \
    \( -name node_modules -o -name dist -o -name tests -o -name test-results \) -prune -o -type f -newer "$built" -print -quit) ]]
}

option=${1:-}
is_current && exit 0
node_is_recent || install_node
install_packages
npm run --silent --prefix "$console" build
