#!/bin/sh
# At the first start: a role and a database for each service, which no other role may enter, and
# each role only from its service's own network. Which services there are is told by the secrets.
set -eu
secrets=/run/secrets/postgres

sql() { psql --quiet --no-psqlrc -v ON_ERROR_STOP=1 --username postgres "$@"; }

# A name that begins with a dot holds for every container on that network.
network() { echo "host $1 $2 .${PROJECT}_$3 scram-sha-256"; }

{
  echo "local all postgres trust"
  echo "host all postgres 127.0.0.1/32 scram-sha-256"
} > "$PGDATA/pg_hba.conf"

for file in "$secrets"/*-db-password; do
  service=$(basename "$file" -db-password)
  name=$(echo "$service" | tr - _)
  sql -v name="$name" -v password="$(cat "$file")" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
SQL
  network "$name" "$name" "${service%-service}-db" >> "$PGDATA/pg_hba.conf"
done
sql -c 'REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC'
network all postgres ops-db >> "$PGDATA/pg_hba.conf"
