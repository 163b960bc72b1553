#!/bin/sh
# At the first start: a role and a database for each service, which no other role may enter, and
# each role only from its service's own network.
set -eu
secrets=/run/secrets/postgres

sql() { psql --quiet --no-psqlrc -v ON_ERROR_STOP=1 --username postgres "$@"; }

for name in user_service order_service catalog_service; do
  password=$(cat "$secrets/$(echo $name | tr _ -)-db-password")
  sql -v name="$name" -v password="$password" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
SQL
done
sql -c 'REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC'

# A name that begins with a dot holds for every container on that network.
network() { echo "host $1 $2 .${PROJECT}_$3 scram-sha-256"; }
{
  echo "local all postgres trust"
  echo "host all postgres 127.0.0.1/32 scram-sha-256"
  network user_service user_service user-db
  network order_service order_service order-db
  network catalog_service catalog_service catalog-db
  network all postgres ops-db
} > "$PGDATA/pg_hba.conf"
