#!/usr/bin/env bash
# Scores dbgen against the corpora and workloads that lie beside the checkout in
# ../shared: types and errors against PREPARE, generated code against the compiler,
# plans against EXPLAIN on each version of PostgreSQL named in $VERSIONS ("" leaves
# plans out). Exits with 1 where a bar is missed.
set -euo pipefail
cd "$(dirname "$0")/.."
shared=../shared
[ -d "$shared/tools" ] || { echo "acceptance: no $shared beside the checkout: nothing to score"; exit 0; }
dir=${ACCEPTANCE_DIR:-$PWD/.cache/acceptance}
bad=0

# What is unsound misses its bar by itself.
python3 "$shared/tools/types.py" --dbgen ./bin/dbgen --show "${SHOW:-0}" \
  --min-params .99 --min-columns .995 --min-tight .98 --min-errors .95 \
  "$shared/corpora/peers.jsonl" "$shared/corpora/errors.jsonl" || bad=1

# sqlc's own cases: how many give code that compiles, with a type for everything.
python3 "$shared/tools/sqlc_cases.py" --dbgen ./bin/dbgen --checkout . --show "${SHOW:-0}" \
  "$shared/corpora/sqlc.jsonl" || bad=1

for version in ${VERSIONS-16}; do
  for load in "app 1 0.4" "tpch 0.1 0.4" "job 0.05 0.4"; do
    read -r name scale bar <<<"$load"
    url=$("$shared/tools/workload.sh" "$name" "$version" "$dir" "$scale" | tail -1)
    schema=(--schema "$shared/workloads/$name/schema.sql")
    [ ! -f "$shared/workloads/$name/indexes.sql" ] || schema+=(--schema "$shared/workloads/$name/indexes.sql")
    echo "$name on PostgreSQL $version:"
    python3 "$shared/tools/fidelity.py" --quiet --url "$url" --dbgen ./bin/dbgen "${schema[@]}" \
      --min-shape "$bar" --min-total "$bar" "$shared/workloads/$name/queries"/*.sql || bad=1
  done
  "$shared/tools/pgcluster.sh" stop "$version" "$dir"
done
exit $bad
