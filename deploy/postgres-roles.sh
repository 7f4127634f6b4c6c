#!/bin/bash
# Run once by the PostgreSQL image: an owner role for migrations and an app role for serving.
set -euo pipefail
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  -v service="$MERCER_SERVICE" -v owner_password="$OWNER_PASSWORD" -v app_password="$APP_PASSWORD" <<'SQL'
select format('create role %I login password %L', :'service' || '_owner', :'owner_password') \gexec
select format('create role %I login password %L', :'service' || '_app', :'app_password') \gexec
select format('create database %I owner %I', :'service', :'service' || '_owner') \gexec
select format('revoke all on database %I from public', :'service') \gexec
select format('grant connect on database %I to %I', :'service', :'service' || '_app') \gexec
\connect :"service"
revoke all on schema public from public;
select format('grant all on schema public to %I', :'service' || '_owner') \gexec
select format('grant usage on schema public to %I', :'service' || '_app') \gexec
select format('alter default privileges for role %I in schema public grant select, insert, update on tables to %I', :'service' || '_owner', :'service' || '_app') \gexec
select format('alter default privileges for role %I in schema public grant usage on sequences to %I', :'service' || '_owner', :'service' || '_app') \gexec
SQL
