package path_test

import (
	"os"
	"testing"

	"github.com/dbgen/dbgen/planner/internal/plantest"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

const schema = `
	CREATE TABLE t (
		id int PRIMARY KEY, a int NOT NULL, b int, c text, d numeric(10,2), at timestamptz NOT NULL,
		flag boolean NOT NULL, tags int[], n inet, name text, code varchar(20), ch char(8));
	CREATE INDEX t_a ON t (a);
	CREATE INDEX t_a_b ON t (a, b DESC);
	CREATE INDEX t_b ON t (b);
	CREATE INDEX t_at ON t (at) INCLUDE (id);
	CREATE INDEX t_flag ON t (flag, at) WHERE b IS NOT NULL;
	CREATE INDEX t_rare ON t (id) WHERE a < 10;
	CREATE INDEX t_lower ON t (lower(c));
	CREATE INDEX t_name ON t (name text_pattern_ops);
	CREATE INDEX t_code ON t (code COLLATE "C");
	CREATE INDEX t_ch ON t (ch bpchar_pattern_ops);
	CREATE INDEX t_n ON t (n);
	CREATE INDEX t_hash ON t USING hash (c);
	CREATE UNIQUE INDEX t_uniq ON t (a, id);
	CREATE INDEX t_box ON t USING gist (box(point(a, b)));
	CREATE INDEX t_tags ON t USING gin (tags);
	CREATE INDEX t_brin ON t USING brin (at);
	CREATE TABLE u (id int PRIMARY KEY, t int, x int, y text);
	CREATE INDEX u_t ON u (t);
	CREATE INDEX u_x_y ON u (x, y);
	CREATE TABLE small (id int PRIMARY KEY, v text);
	CREATE TABLE part (id int NOT NULL, at date NOT NULL, v int) PARTITION BY RANGE (at);
	CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
	CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
	CREATE TABLE part_3 PARTITION OF part FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
	CREATE INDEX part_at ON part (at);
	CREATE INDEX part_id ON part (id);`

const data = `
	INSERT INTO t SELECT i, i * 7919 % 1000, CASE WHEN i % 10 > 0 THEN i % 300 END, 'c' || i % 5000, i % 100,
		'2026-01-01 UTC'::timestamptz + i * interval '1 minute', i % 50 = 0, ARRAY[i % 10, i % 7],
		('10.' || i % 200 || '.' || i % 250 || '.1')::inet, 'name ' || i % 3000, 'k' || i % 4000, 'x' || i % 900
		FROM generate_series(1, 60000) i;
	INSERT INTO u SELECT i, i % 60000, i % 200, 'y' || i % 1000 FROM generate_series(1, 30000) i;
	INSERT INTO small SELECT i, 'v' || i FROM generate_series(1, 10) i;
	INSERT INTO part SELECT i, '2026-01-01'::date + i % 90, i % 1000 FROM generate_series(1, 30000) i;
	VACUUM ANALYZE;`

// queries read relations without upper nodes.
var queries = []string{
	"SELECT * FROM t",
	"SELECT id, a FROM t",
	"SELECT * FROM t WHERE b + 1 = 5 AND c || 'x' = 'y'",
	"SELECT * FROM t WHERE id = 17",
	"SELECT * FROM t WHERE id = $1",
	"SELECT id FROM t WHERE id = $1",
	"SELECT * FROM t WHERE id < 500",
	"SELECT * FROM t WHERE id BETWEEN 100 AND 4000",
	"SELECT * FROM t WHERE id IN (1, 5, 9, 13)",
	"SELECT * FROM t WHERE id = ANY ($1)",
	"SELECT * FROM t WHERE c IN ('c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8', 'c9', 'c10')",
	"SELECT * FROM t WHERE d IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)",
	"SELECT * FROM t WHERE d NOT IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)",
	"SELECT * FROM t WHERE a = 5",
	"SELECT * FROM t WHERE a = 5 AND b = 7",
	"SELECT * FROM t WHERE a = 5 AND b < 7",
	"SELECT * FROM t WHERE a < 5 AND b = 7",
	"SELECT * FROM t WHERE a = 5 OR b = 7",
	"SELECT * FROM t WHERE a = 5 OR (b = 7 AND id < 1000)",
	"SELECT * FROM t WHERE (a = 5 OR b = 7) AND id < 2000",
	"SELECT * FROM t WHERE a IN (1, 2) AND b IN (3, 4)",
	"SELECT * FROM t WHERE b IS NULL",
	"SELECT * FROM t WHERE b IS NULL AND a = 3",
	"SELECT * FROM t WHERE (a, b) < (3, 5)",
	"SELECT * FROM t WHERE (a, id) > (990, 5)",
	"SELECT * FROM t WHERE at > '2026-02-10'",
	"SELECT id, at FROM t WHERE at > '2026-02-10'",
	"SELECT id, at FROM t WHERE at > $1",
	"SELECT * FROM t WHERE flag AND b = 3",
	"SELECT * FROM t WHERE flag AND b > 3 AND at < '2026-01-03'",
	"SELECT * FROM t WHERE NOT flag AND b > 3 AND at < '2026-01-03'",
	"SELECT * FROM t WHERE flag IS TRUE AND b IS NOT NULL",
	"SELECT * FROM t WHERE a < 5 AND id < 3000",
	"SELECT * FROM t WHERE a < 20 AND id < 3000",
	"SELECT id FROM t WHERE a = 7",
	"SELECT * FROM t WHERE lower(c) = 'c17'",
	"SELECT * FROM t WHERE lower(c) = $1",
	"SELECT * FROM t WHERE name LIKE 'name 12%'",
	"SELECT * FROM t WHERE name LIKE 'name 12'",
	"SELECT * FROM t WHERE name LIKE '%12'",
	"SELECT * FROM t WHERE name LIKE $1",
	"SELECT * FROM t WHERE name ~ '^name 12'",
	"SELECT * FROM t WHERE starts_with(name, 'name 29')",
	"SELECT * FROM t WHERE name ^@ 'name 29'",
	"SELECT * FROM t WHERE code LIKE 'k12%'",
	"SELECT * FROM t WHERE code = 'k12'",
	"SELECT * FROM t WHERE code COLLATE \"C\" LIKE 'k12%'",
	"SELECT * FROM t WHERE n << '10.7.0.0/16'",
	"SELECT * FROM t WHERE n <<= '10.7.3.0/24'",
	"SELECT * FROM t WHERE c = 'c17'",
	"SELECT * FROM t WHERE c = $1",
	"SELECT * FROM t WHERE at BETWEEN '2026-01-10' AND '2026-01-20' AND b = 3",
	"SELECT * FROM t WHERE tags @> '{3,4}'",
	"SELECT * FROM t WHERE tags @> $1",
	"SELECT * FROM t WHERE tags && '{3,4,5}'",
	"SELECT * FROM t WHERE tags @> '{}'",
	"SELECT * FROM t WHERE tags && $1 AND a = 3",
	"SELECT * FROM t WHERE 3 = ANY (tags)",
	"SELECT * FROM t WHERE b = ANY (tags)",
	"SELECT * FROM t WHERE a = ANY ('{1,2,3}') AND id = ANY ($1)",
	"SELECT * FROM t WHERE coalesce(b, 0) = 3 AND c::varchar = 'x' AND d::text = '3'",
	"SELECT * FROM t WHERE CASE WHEN a > 3 THEN b ELSE a END = 4",
	"SELECT * FROM t WHERE a IS DISTINCT FROM b AND nullif(a, b) = 3 AND greatest(a, b) > 4",
	"SELECT id, a + b, upper(c), d::text FROM t WHERE a = 3",
	"SELECT * FROM t WHERE ctid = '(0,1)'",
	"SELECT * FROM t WHERE ctid IN ('(0,1)', '(1,2)')",
	"SELECT * FROM t WHERE ctid < '(10,1)'",
	"SELECT * FROM t WHERE ctid = '(0,1)' OR ctid = '(1,1)'",
	"SELECT * FROM t WHERE false",
	"SELECT * FROM t WHERE a = 5 AND false",
	"SELECT * FROM t WHERE a = 1 AND a = 2",
	"SELECT t FROM t WHERE id < 10",
	"SELECT count FROM (SELECT id AS count, a FROM t WHERE b = 3) s WHERE a = 9",
	"SELECT * FROM small",
	"SELECT * FROM small WHERE id = 3",
	"SELECT * FROM (VALUES (1, 'a'), (2, 'b')) v (x, y) WHERE x = 1",
	"SELECT * FROM generate_series(1, 50) g WHERE g > 3",
	"SELECT * FROM unnest('{1,2,3}'::int[]) WITH ORDINALITY",
	"SELECT * FROM t TABLESAMPLE system (10) WHERE a < 30",
	"SELECT * FROM t TABLESAMPLE bernoulli (10)",
	"SELECT * FROM part",
	"SELECT * FROM part WHERE at = '2026-02-03'",
	"SELECT * FROM part WHERE id = 5",
	"SELECT * FROM part WHERE at > '2026-02-20' AND v = 3",
	"SELECT * FROM part WHERE id = $1",
	"SELECT * FROM part WHERE at > '2027-01-01'",
	"SELECT id FROM t UNION ALL SELECT t FROM u",
	"SELECT * FROM t, u WHERE u.t = t.id AND t.a = 5",
	"SELECT * FROM t, u WHERE u.t = t.id AND u.x = 3 AND u.y = 'y203'",
	"SELECT * FROM u, t WHERE u.t = t.id AND u.id = 77",
	"SELECT * FROM u, t WHERE (u.x = t.a OR u.t = t.id) AND u.id = 77",
	"SELECT * FROM u, part p WHERE u.t = p.id AND u.id = 77",
	"SELECT * FROM t, small s WHERE t.a = s.id AND t.b = s.id",
	"SELECT * FROM t, u WHERE (t.a = 1 AND u.x = 2) OR (t.a = 3 AND u.x = 4)",
	"SELECT * FROM t ORDER BY id",
	"SELECT * FROM t ORDER BY a, b DESC",
	"SELECT * FROM t ORDER BY a, b",
	"SELECT a, b FROM t ORDER BY a DESC, b",
	"SELECT * FROM t WHERE a = 3 ORDER BY b DESC",
	"SELECT * FROM t WHERE a IN (3, 4) ORDER BY a",
	"SELECT * FROM t WHERE a = 7 AND b IN (3, 4) ORDER BY a, b DESC",
	"SELECT * FROM part ORDER BY at",
	"SELECT * FROM part ORDER BY at DESC",
	"SELECT * FROM part ORDER BY id",
	"SELECT * FROM part WHERE v = 3 ORDER BY id",
	"SELECT * FROM t WHERE box(point(a, b)) && box(point(1, 1), point(50, 50))",
}

// settings make the server, and the planner, consider other scans.
var settings = [][]string{
	{"max_parallel_workers_per_gather=0"},
	{"max_parallel_workers_per_gather=0", "enable_seqscan=off"},
	{"max_parallel_workers_per_gather=0", "enable_seqscan=off", "enable_indexscan=off", "enable_indexonlyscan=off"},
	{"max_parallel_workers_per_gather=0", "enable_seqscan=off", "enable_bitmapscan=off"},
	{"max_parallel_workers_per_gather=0", "enable_indexonlyscan=off", "random_page_cost=1.1", "effective_cache_size=16MB"},
	{"max_parallel_workers_per_gather=0", "enable_sort=off", "work_mem=64kB"},
	{"parallel_setup_cost=0", "parallel_tuple_cost=0", "min_parallel_table_scan_size=0", "min_parallel_index_scan_size=0"},
	{"parallel_setup_cost=0", "parallel_tuple_cost=0.01", "enable_seqscan=off", "min_parallel_table_scan_size=0", "min_parallel_index_scan_size=0"},
}

// TestServer holds the scans of queries against the server's, number by number.
func TestServer(t *testing.T) {
	t.Parallel()
	plantest.New(t, schema, data).Hold(t, settings, queries...)
}
