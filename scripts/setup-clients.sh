#!/usr/bin/env bash
# Installs what the packages under clients/ are built and tested with, beside them, and builds the JavaScript client, which the console is
# made with. Does nothing where all is there. With the argument "chromium" it installs that, too, for the tests in a browser.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup-tests.sh "$@"

oldest_node=20
if [[ $(node --version | sed 's/v\([0-9]*\).*/\1/') -lt $oldest_node ]]; then
  echo "The JavaScript client is built and tested with Node.js $oldest_node or newer; this is $(node --version)." >&2
  exit 1
fi

# What a directory's package-lock.json lists, unless that has been done since it was last changed.
packages_of() {
  cmp --silent "$1/package-lock.json" "$1/node_modules/installed.json" && return
  echo "installing what $1/package-lock.json lists"
  npm ci --prefix "$1" --no-audit --no-fund
  cp "$1/package-lock.json" "$1/node_modules/installed.json"
}
packages_of clients/javascript

# What the Python package is built and tested with, the package itself among it.
python=clients/python
if ! cat "$python"/{requirements.txt,pyproject.toml} | cmp --silent - "$python/.venv/installed.txt"; then
  echo "installing what $python/requirements.txt lists"
  python3 -m venv --clear "$python/.venv"
  (cd "$python" && .venv/bin/pip install --quiet --requirement requirements.txt)
  cat "$python"/{requirements.txt,pyproject.toml} > "$python/.venv/installed.txt"
fi
if [[ -z $(find clients/javascript/dist -newer clients/javascript/package-lock.json -name index.js 2> /dev/null) ]] ||
  [[ -n $(find clients/javascript/src -newer clients/javascript/dist/index.js) ]]; then
  npm run --silent build --prefix clients/javascript
fi
