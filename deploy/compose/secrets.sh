#!/bin/sh
# Makes the trial's passwords, once, and puts each where the one service finds it that it is for: /secrets/<service> is a
# volume of that service. What is there already stays.
set -eu
secrets=${SECRETS:-/secrets}
files=${FILES:-/files}
# As whom Carillon's image runs, and NATS; and as whom that of Postgres does, which is the one that this runs in.
owner=${OWNER:-65532:65532}
database_owner=${DATABASE_OWNER:-postgres:postgres}
services="auth notification chat ticket-presence metrics"
umask 077

# Letters and digits that begin with a letter: NATS would take what begins with a digit for a number.
random() {
  printf 'c%s' "$(head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n')"
}

# The secret in this file, which is made if it isn't there, whole or not at all.
keep() {
  if [ ! -s "$1" ]; then
    random > "$1.new"
    mv "$1.new" "$1"
  fi
}

own() {
  chown "$owner" "$1"
  chmod 0400 "$1"
}

keep "$secrets/postgres/postgres"
keep "$secrets/nats/system"
keep "$secrets/gateway/blobs"
cp "$secrets/gateway/blobs" "$secrets/chat/blobs"

printf 'NATS_SYSTEM_PASSWORD=%s\n' "$(cat "$secrets/nats/system")" > "$secrets/nats/passwords.new"
for program in gateway $services; do
  keep "$secrets/$program/nats"
  name=$(printf %s "$program" | tr 'a-z-' 'A-Z_')
  printf 'NATS_%s_PASSWORD=%s\n' "$name" "$(cat "$secrets/$program/nats")" >> "$secrets/nats/passwords.new"
done
mv "$secrets/nats/passwords.new" "$secrets/nats/passwords"

for service in $services; do
  keep "$secrets/postgres/$service"
  printf '*:*:*:%s:%s\n' "$service" "$(cat "$secrets/postgres/$service")" > "$secrets/$service/pgpass.new"
  mv "$secrets/$service/pgpass.new" "$secrets/$service/pgpass"
  own "$secrets/$service/pgpass"
done
chown "$database_owner" "$secrets/postgres" "$secrets/postgres"/*

for program in gateway $services; do
  own "$secrets/$program/nats"
  chown "$owner" "$secrets/$program"
done
own "$secrets/nats/passwords"
chown "$owner" "$secrets/nats"
own "$secrets/gateway/blobs"
own "$secrets/chat/blobs"
chown "$owner" "$files"
