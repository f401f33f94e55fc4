package upper_test

import (
	"os"
	"testing"

	"github.com/dbgen/dbgen/planner/internal/plantest"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

const schema = `
	CREATE TABLE a (id int PRIMARY KEY, k int NOT NULL, g int, t text, at timestamptz DEFAULT now());
	CREATE TABLE b (x int, y int, n numeric(10,2), f float8, big bigint, c char(3), flag boolean);
	CREATE TABLE c (id int PRIMARY KEY, a int REFERENCES a (id), b int, s varchar(20), UNIQUE (b, s));
	CREATE TABLE d (id bigserial PRIMARY KEY, name text NOT NULL, e text, done boolean NOT NULL DEFAULT false);
	CREATE TABLE p (id int NOT NULL, at date NOT NULL, n int) PARTITION BY RANGE (at);
	CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
	CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM ('2020-02-01') TO ('2020-03-01');
	CREATE INDEX a_k ON a (k);
	CREATE INDEX a_g_k ON a (g, k);
	CREATE INDEX c_a ON c (a);
	CREATE UNIQUE INDEX d_name ON d (name) WHERE NOT done;
	CREATE UNIQUE INDEX d_lower ON d (lower(e));`

const data = `
	INSERT INTO a SELECT i, i % 500, i % 7, 'text ' || i, '2020-01-01'::timestamptz + i * interval '1 minute' FROM generate_series(1, 20000) i;
	INSERT INTO b SELECT i % 1000, i % 10, i % 77, i / 3.0, i, 'c' || i % 9, i % 2 = 0 FROM generate_series(1, 200000) i;
	INSERT INTO c SELECT i, 1 + i % 17001, i % 300, 's' || i FROM generate_series(1, 30000) i;
	INSERT INTO d (name, e) SELECT 'n' || i, 'e' || i FROM generate_series(1, 1000) i;
	INSERT INTO p SELECT i, '2020-01-01'::date + i % 60, i % 10 FROM generate_series(1, 50000) i;
	VACUUM ANALYZE;`

// settings make the server, and the planner, prefer other steps.
var settings = [][]string{
	nil,
	{"max_parallel_workers_per_gather=0"},
	{"enable_hashagg=off"},
	{"enable_sort=off", "max_parallel_workers_per_gather=0"},
	{"enable_incremental_sort=off"},
	{"work_mem=64kB", "max_parallel_workers_per_gather=0"},
	{"work_mem=64kB"},
	{"parallel_setup_cost=0", "parallel_tuple_cost=0", "min_parallel_table_scan_size=0", "min_parallel_index_scan_size=0"},
	{"enable_partitionwise_aggregate=on"},
	{"enable_seqscan=off", "enable_hashagg=off"},
}

// TestUpperPlans holds whole plans against the server's.
func TestUpperPlans(t *testing.T) {
	t.Parallel()
	plantest.New(t, schema, data).Hold(t, settings, queries()...)
}
