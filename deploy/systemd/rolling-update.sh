#!/usr/bin/env bash
# Restarts everything of Carillon on this machine, one replica after another, gateways last: after new binaries were put
# into /usr/local/bin, or the configuration was changed. The next is restarted when the last one is ready; where one
# doesn't become that, it stops there, with the rest as it was.
set -euo pipefail

for service in auth notification chat ticket-presence metrics gateway; do
  units=$(systemctl list-units --plain --no-legend --state=active "carillon-$service@*.service" | cut -d' ' -f1 | sort)
  [[ $(wc -w <<< "$units") -ne 1 ]] || echo "there is one $service only: it is away while it restarts" >&2
  for unit in $units; do
    echo "restarting $unit"
    systemctl restart "$unit"
  done
done
