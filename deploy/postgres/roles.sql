-- A role and a schema for each service, in a database of Carillon's own: each can read and write its own schema and no other.
--
--   createdb --encoding=UTF8 --template=template0 carillon
--   psql --set=ON_ERROR_STOP=1 --dbname=carillon --file=deploy/postgres/roles.sql
--
-- Passwords are read from files below /run/secrets/postgres, or below $CARILLON_SECRETS, named after the services. Services migrate their schemas
-- themselves, when they start.

\set secrets `printf %s "${CARILLON_SECRETS:-/run/secrets/postgres}"`
\setenv SECRETS :secrets
\set auth `cat "$SECRETS/auth"`
\set notification `cat "$SECRETS/notification"`
\set chat `cat "$SECRETS/chat"`
\set ticket_presence `cat "$SECRETS/ticket-presence"`
\set metrics `cat "$SECRETS/metrics"`

BEGIN;
SELECT current_database() AS database \gset
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;

CREATE ROLE auth LOGIN PASSWORD :'auth';
CREATE ROLE notification LOGIN PASSWORD :'notification';
CREATE ROLE chat LOGIN PASSWORD :'chat';
CREATE ROLE "ticket-presence" LOGIN PASSWORD :'ticket_presence';
CREATE ROLE metrics LOGIN PASSWORD :'metrics';

GRANT CONNECT ON DATABASE :"database" TO auth, notification, chat, "ticket-presence", metrics;

CREATE SCHEMA auth AUTHORIZATION auth;
CREATE SCHEMA notification AUTHORIZATION notification;
CREATE SCHEMA chat AUTHORIZATION chat;
CREATE SCHEMA "ticket-presence" AUTHORIZATION "ticket-presence";
CREATE SCHEMA metrics AUTHORIZATION metrics;
COMMIT;
