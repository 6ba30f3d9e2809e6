#!/usr/bin/env bash
# Writes target/sbom/carillon.cdx.json: every crate that the image's binary is made of, with versions, licences and checksums, as
# CycloneDX. Installs cargo-cyclonedx where it isn't there.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v cargo-cyclonedx > /dev/null || cargo install --locked cargo-cyclonedx

name=carillon.cdx
output=target/sbom/$name.json
# It writes one beside the manifest of each member of the workspace.
trap 'find . -path ./target -prune -o -name node_modules -prune -o -name "$name.json" -exec rm -- {} +' EXIT
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)} \
  cargo cyclonedx --format json --no-build-deps --override-filename "$name" --manifest-path services/carillon/Cargo.toml
mkdir -p "$(dirname "$output")"
cp "services/carillon/$name.json" "$output"
echo "$output"
