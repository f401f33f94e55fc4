package plan_test

import (
	"os"
	"testing"

	"github.com/dbgen/dbgen/planner/internal/plantest"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

const schema = `
	CREATE TABLE a (id int PRIMARY KEY, k int NOT NULL, g int, t text, v varchar(40));
	CREATE TABLE b (id int PRIMARY KEY, k int, g int, "Odd name" text);
	CREATE TABLE c (id int, k int, g int, a int REFERENCES a (id), b int REFERENCES b (id), t text);
	CREATE TABLE d (x int, y int, v int, PRIMARY KEY (x, y));
	CREATE INDEX a_k ON a (k);
	CREATE INDEX a_lower ON a (lower(t));
	CREATE INDEX a_v ON a (v);
	CREATE INDEX "A g" ON a (g) WHERE k < 50;
	CREATE INDEX c_k ON c (k);
	CREATE INDEX c_a ON c (a);
	CREATE INDEX c_g ON c (g, id);
	CREATE TABLE p (id int NOT NULL, at date NOT NULL, n int) PARTITION BY RANGE (at);
	CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
	CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM ('2020-02-01') TO ('2020-03-01');
	CREATE INDEX p_id ON p (id);
	CREATE EXTENSION tsm_system_rows;
	CREATE EXTENSION tsm_system_time;
	CREATE VIEW vw AS SELECT g, count(*) AS n FROM c GROUP BY g;`

const data = `
	INSERT INTO a SELECT i, i % 500, i % 7, repeat('x', 20) || i, 'v' || i FROM generate_series(1, 20000) i;
	INSERT INTO b SELECT i, i % 100, CASE WHEN i % 9 > 0 THEN i % 5 END, repeat('y', 10) FROM generate_series(1, 3000) i;
	INSERT INTO c SELECT i, i % 2000, i % 3, 1 + i % 17001, 1 + i % 2500, repeat('z', 100) FROM generate_series(1, 100000) i;
	INSERT INTO d SELECT i % 100, i / 100, i FROM generate_series(0, 4999) i;
	INSERT INTO p SELECT i, '2020-01-01'::date + i % 60, i % 10 FROM generate_series(1, 5000) i;
	VACUUM ANALYZE;`

// queries scan and join: no ordering, no grouping.
var queries = []string{
	"SELECT * FROM a",
	"SELECT id FROM a WHERE g = 3 AND t <> 'x' AND k = $1::int",
	"SELECT id FROM a WHERE id = 5 AND g > 1",
	"SELECT id FROM a x WHERE id = 5",
	"SELECT x.* FROM a AS x (one, two) WHERE two = 6 AND one <> 7",
	"SELECT k FROM a WHERE k = 5",
	"SELECT lower(t) FROM a WHERE lower(t) = 'x'",
	"SELECT * FROM a WHERE v = 'v17'",
	"SELECT v FROM a WHERE v = 'v17'",
	"SELECT v FROM a WHERE v > $1 AND v IS NOT NULL",
	"SELECT * FROM a WHERE g = 3 AND k < 50",
	"SELECT * FROM a WHERE g = 3 AND k < 40",
	"SELECT * FROM a WHERE k = 3 OR id = 9",
	"SELECT * FROM a WHERE (k = 3 AND g = 2) OR id = 9",
	"SELECT * FROM c WHERE a = 5 AND k = 3",
	"SELECT * FROM c WHERE a = 5 AND k IN (1, 2, 3) AND t LIKE 'z%'",
	"SELECT * FROM c WHERE k = ANY ($1::int[])",
	"SELECT * FROM a WHERE ctid = '(0,1)'",
	"SELECT * FROM a WHERE ctid = '(0,1)' OR ctid = '(0,2)'",
	"SELECT * FROM a WHERE ctid > '(0,1)' AND g = 2",
	"SELECT * FROM a WHERE $1::int = 4",
	"SELECT * FROM a WHERE false",
	"SELECT * FROM a WHERE (k, g) > (490, 3)",
	"SELECT * FROM c WHERE (g, id) > (2, 99990)",
	`SELECT "Odd name" FROM b WHERE "Odd name" = 'x'`,
	"SELECT * FROM p WHERE id = 5",
	"SELECT * FROM p WHERE id = 5 AND at = '2020-01-05'",
	"SELECT * FROM p WHERE at > '2030-01-05'",
	"SELECT p.*, a.t FROM p JOIN a ON a.id = p.n",
	"SELECT p.*, a.t FROM p JOIN a ON a.id = p.n WHERE p.id < 20",
	"SELECT p.*, a.t FROM a JOIN p ON a.id = p.id WHERE a.k = 3",
	"SELECT * FROM generate_series(1, 10) s (n), a WHERE a.id = s.n",
	"SELECT * FROM (VALUES (1, 'x'), (2, 'y')) v (x, y) WHERE x > 1",
	"SELECT * FROM a, LATERAL generate_series(1, a.g) s WHERE a.k = 4",
	"SELECT * FROM a TABLESAMPLE bernoulli (10) REPEATABLE (3) WHERE g = 2",
	"SELECT * FROM a TABLESAMPLE system ($1)",
	"SELECT * FROM a TABLESAMPLE system_rows (70) WHERE g = 2",
	"SELECT * FROM a TABLESAMPLE system_rows ($1)",
	"SELECT * FROM a TABLESAMPLE system_rows (-1), b WHERE a.id = b.id",
	"SELECT * FROM a TABLESAMPLE system_time (40)",
	"SELECT * FROM b TABLESAMPLE system_time ($1), a WHERE a.id = b.id",
	"SELECT * FROM a, (SELECT k, g FROM b TABLESAMPLE system_time (0.5) OFFSET 0) s WHERE s.k = a.id",
	"SELECT * FROM a JOIN b ON a.k = b.k",
	"SELECT * FROM a x JOIN a y ON x.k = y.k JOIN a z ON z.id = x.id",
	"SELECT * FROM a JOIN b ON a.id = b.id",
	"SELECT * FROM c JOIN a ON c.a = a.id JOIN b ON c.b = b.id",
	"SELECT * FROM c, a, b WHERE c.a = a.id AND c.b = b.id AND a.k = 7",
	"SELECT * FROM c JOIN a ON c.a = a.id WHERE c.k = 17",
	"SELECT * FROM a, b WHERE a.id < b.id",
	"SELECT * FROM a LEFT JOIN b ON a.k = b.k AND a.g = 3",
	"SELECT * FROM b LEFT JOIN a ON a.k = b.k WHERE a.id IS NULL",
	"SELECT * FROM b FULL JOIN a ON a.id = b.id",
	"SELECT * FROM a LEFT JOIN b ON a.k = b.k LEFT JOIN c ON c.a = a.id WHERE coalesce(b.g, c.g) = 2",
	"SELECT * FROM a LEFT JOIN b ON a.id = b.k AND $1::int = 3",
	"SELECT a.* FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k)",
	"SELECT a.* FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.k = a.k AND b.g <> a.g)",
	"SELECT b.* FROM b WHERE b.k IN (SELECT a.k FROM a)",
	"SELECT a.* FROM a WHERE a.k IN (SELECT b.g FROM b)",
	"SELECT a.* FROM a WHERE a.k IN (SELECT b.g + 1 FROM b)",
	"SELECT * FROM a JOIN b ON a.k + 1 = b.k",
	"SELECT * FROM a JOIN b ON a.k = b.k OR a.g = b.g",
	"SELECT * FROM c c1, c c2, a WHERE c1.a = c2.b AND c1.k = a.k AND a.id = 100",
	"SELECT * FROM a, b WHERE a.k = b.k AND a.k > 490",
	"SELECT * FROM c, a WHERE c.a = a.id AND a.k = $1::int AND c.g < $2::int",
}

var settings = [][]string{
	{"max_parallel_workers_per_gather=0"},
	{"max_parallel_workers_per_gather=0", "enable_hashjoin=off"},
	{"max_parallel_workers_per_gather=0", "enable_mergejoin=off", "enable_nestloop=off"},
	{"max_parallel_workers_per_gather=0", "enable_hashjoin=off", "enable_nestloop=off"},
	{"max_parallel_workers_per_gather=0", "enable_indexscan=off", "enable_bitmapscan=off", "enable_indexonlyscan=off"},
	{"max_parallel_workers_per_gather=0", "enable_seqscan=off", "enable_indexscan=off"},
	{"parallel_setup_cost=0", "parallel_tuple_cost=0", "min_parallel_table_scan_size=0", "min_parallel_index_scan_size=0"},
}

// TestScansAndJoins holds the plans of queries without grouping and ordering
// against the server's, under settings that force other joins.
func TestScansAndJoins(t *testing.T) {
	t.Parallel()
	plantest.New(t, schema, data).Hold(t, settings, queries...)
}
