#!/usr/bin/env bash
# Fills an empty database with the bookshop and pulls its statistics file.
#
#   load.sh [DATABASE_URL] [STATS_FILE]
#
# DATABASE_URL may also come from the environment. The role must be a
# superuser: the seed switches triggers and foreign keys off while it loads.
# STATS_FILE defaults to stats.json beside this script; "-" pulls nothing.
# DBGEN names the dbgen command, PSQL the psql command.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
url=${1:-${DATABASE_URL:-}}
out=${2:-$here/stats.json}
if [ -z "$url" ]; then
	echo "usage: load.sh DATABASE_URL [STATS_FILE]" >&2
	exit 2
fi

run() { "${PSQL:-psql}" -X -q -v ON_ERROR_STOP=1 "$url" "$@"; }

# up prints the Up part of one goose migration.
up() { awk '/^-- \+goose Up/ { on = 1; next } /^-- \+goose Down/ { on = 0 } on && !/^-- \+goose /' "$1"; }

if [ "$(run -Atc "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")" != 0 ]; then
	echo "load.sh: the public schema of the database is not empty" >&2
	exit 1
fi

for f in "$here"/migrations/*.sql; do
	up "$f" | run -1 -f -
done
run -f "$here/seed.sql"

if [ "$out" != - ]; then
	"${DBGEN:-dbgen}" stats pull --database-url "$url" --out "$out"
fi
