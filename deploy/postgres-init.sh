#!/usr/bin/env bash
# Creates the two roles and the database on a PostgreSQL server; run again, it changes nothing but the passwords.
#
#   SOTAY_OWNER_PASSWORD=… SOTAY_APP_PASSWORD=… deploy/postgres-init.sh
#
# Connects as a superuser, found in the usual PGHOST, PGUSER, … The container image of PostgreSQL runs it once, when
# its data folder is new. The owner role migrates; the application role can neither create nor alter anything.
set -euo pipefail

: "${SOTAY_OWNER_PASSWORD:?is the password that the role sotay_owner gets}"
: "${SOTAY_APP_PASSWORD:?is the password that the role sotay_app gets}"
export SOTAY_OWNER_PASSWORD SOTAY_APP_PASSWORD PGUSER="${PGUSER:-${POSTGRES_USER:-postgres}}"

# psql reads the passwords from the environment: on a command line, every user of the machine could see them.
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --dbname="${PGDATABASE:-postgres}" <<'SQL'
\getenv owner_password SOTAY_OWNER_PASSWORD
\getenv app_password SOTAY_APP_PASSWORD
SELECT format('CREATE ROLE %I', name)
FROM (VALUES ('sotay_owner'), ('sotay_app')) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec
ALTER ROLE sotay_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
ALTER ROLE sotay_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'app_password';
-- Each statement has a deadline unless the work says otherwise, and messages are those that the program knows.
ALTER ROLE sotay_app SET statement_timeout = '10s';
ALTER ROLE sotay_app SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE sotay_app SET lc_messages = 'C';
SELECT 'CREATE DATABASE sotay OWNER sotay_owner TEMPLATE template0 ENCODING ''UTF8'''
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'sotay')
\gexec
REVOKE ALL ON DATABASE sotay FROM PUBLIC;
GRANT CONNECT ON DATABASE sotay TO sotay_app;
\connect sotay
ALTER SCHEMA public OWNER TO sotay_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO sotay_app;
SQL
