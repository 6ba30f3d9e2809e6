#!/bin/sh
# Run once, by the image of Postgres, when its data directory is new: a role and a schema for each service.
set -eu
psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  --file "${CARILLON_POSTGRES:-/etc/postgresql/carillon}/roles.sql"
