package path_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/join"
	"github.com/dbgen/dbgen/planner/path"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/rewrite"
	"github.com/dbgen/dbgen/planner/stats"
	"github.com/dbgen/dbgen/planner/stats/pull"
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

type fixture struct {
	conn  *pgx.Conn
	bound *stats.Bound
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	db := pgtest.New(t, pgtest.SQL(schema))
	conn := db.Conn()
	ctx := context.Background()
	for _, sql := range strings.Split(data, ";") {
		if _, err := conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
	}
	file, _, err := pull.Pull(ctx, conn, pull.Options{})
	if err != nil {
		t.Fatal(err)
	}
	base, err := builtin.Load(file.Server.VersionNum / 10000)
	if err != nil {
		t.Fatal(err)
	}
	cat := catalog.New(base)
	stmts, diags := parser.ParseFiles([]*source.File{source.NewFile("schema.sql", schema)}, parser.Schema)
	diags.Append(ddl.Apply(cat, stmts))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	b, diags := stats.Bind(file, cat, stats.BindOptions{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return &fixture{conn: conn, bound: b}
}

// plan makes the paths of a query and returns the cheapest in the wanted order.
func (f *fixture) plan(t *testing.T, sql string, s *stats.Settings) (rel.Path, *rel.Global) {
	t.Helper()
	stmts, diags := parser.ParseFiles([]*source.File{source.NewFile("q.sql", "-- name: Q :many\n"+sql+";")}, parser.Queries)
	if diags.HasErrors() {
		t.Fatal(sql, diags)
	}
	a, diags := analyze.Statement(f.bound.Catalog, stmts[0])
	if diags.HasErrors() {
		t.Fatalf("%s: %s", sql, diags[0].Message)
	}
	bound := *f.bound
	bound.Settings = s
	g := &rel.Global{Catalog: bound.Catalog, Stats: &bound, Settings: s, VersionNum: bound.VersionNum}
	parse := rewrite.Rewrite(g, a.Query)
	g.ParallelModeOK = s.MaxParallelWorkersPerGather > 0 && eval.MaxParallelHazard(g, parse) != 'u'
	root := &rel.PlannerInfo{
		Parse: parse, Global: g, Level: 1, JoinDomains: []*rel.JoinDomain{{}}, WTParamID: -1, LimitTuples: -1,
	}
	prep.Preprocess(root)
	root.ProcessedTargetList = root.Parse.TargetList
	rl := join.QueryPlanner(root, func() {
		root.SortPathKeys = prep.PathKeysForSortClauses(root, root.Parse.SortClause, root.ProcessedTargetList, false, false).Keys
		root.QueryPathKeys = root.SortPathKeys
	})
	project(root, rl)
	path.GenerateUsefulGatherPaths(root, rl, false)
	path.SetCheapest(rl)
	if rl.CheapestTotal == nil {
		t.Fatalf("%s: no path", sql)
	}
	return order(root, rl), g
}

// project has all paths compute the query's own columns
// (apply_scanjoin_target_to_paths, planner.c).
func project(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	target := prep.MakeTargetCosted(root, root.ProcessedTargetList)
	same := len(target.Exprs) == len(rl.Target.Exprs)
	for i := 0; same && i < len(target.Exprs); i++ {
		same = query.Equal(target.Exprs[i], rl.Target.Exprs[i])
	}
	if same || len(root.SortPathKeys) > 0 || rl.Dummy {
		return
	}
	for i, p := range rl.Paths {
		rl.Paths[i] = path.NewProjection(root, rl, p, target)
	}
	for i, p := range rl.PartialPaths {
		rl.PartialPaths[i] = path.NewProjection(root, rl, p, target)
	}
	rl.Target = target
}

// order adds what ORDER BY asks for to each path (create_ordered_paths,
// planner.c).
func order(root *rel.PlannerInfo, rl *rel.RelOptInfo) rel.Path {
	keys := root.SortPathKeys
	if len(keys) == 0 {
		return rl.CheapestTotal
	}
	out := prep.NewRel(root, rel.UpperRelation, query.Relids{})
	out.ConsiderParallel = rl.ConsiderParallel
	for _, p := range rl.Paths {
		n, sorted := prep.CountContainedIn(keys, p.Base().PathKeys)
		switch {
		case sorted:
		case n > 0 && cost.ParamsOf(root.Global).EnableIncrementalSort:
			p = path.NewIncrementalSort(root, out, p, keys, n, -1)
		case p == rl.CheapestTotal:
			p = path.NewSort(root, out, p, keys, -1)
		default:
			continue
		}
		path.AddPath(out, p)
	}
	for i, sub := range rl.PartialPaths {
		n, sorted := prep.CountContainedIn(keys, sub.Base().PathKeys)
		var p rel.Path
		switch {
		case sorted:
			continue
		case n > 0 && cost.ParamsOf(root.Global).EnableIncrementalSort:
			p = path.NewIncrementalSort(root, out, sub, keys, n, -1)
		case i == 0:
			p = path.NewSort(root, out, sub, keys, -1)
		default:
			continue
		}
		b := p.Base()
		rows := b.Rows * float64(b.ParallelWorkers)
		if root.Global.Version(18) {
			rows = rl.Rows
		}
		path.AddPath(out, path.NewGatherMerge(root, out, p, b.Target, keys, query.Relids{}, rows))
	}
	path.SetCheapest(out)
	return out.CheapestTotal
}

// node is what is compared of a plan node.
type node struct {
	kind           string
	startup, total float64
	rows           float64
	width          int
	subs           []*node
}

func (n *node) print(b *strings.Builder, depth int) {
	fmt.Fprintf(b, "%s%s  (cost=%.2f..%.2f rows=%.0f width=%d)\n", strings.Repeat("  ", depth), n.kind, n.startup, n.total, n.rows, n.width)
	for _, s := range n.subs {
		s.print(b, depth+1)
	}
}

// String prints the node and those below it.
func (n *node) String() string {
	var b strings.Builder
	n.print(&b, 0)
	return b.String()
}

// explained reads EXPLAIN (FORMAT JSON).
func explained(m map[string]any) *node {
	str := func(key string) string { s, _ := m[key].(string); return s }
	num := func(key string) float64 { f, _ := m[key].(float64); return f }
	if subs, _ := m["Plans"].([]any); str("Node Type") == "Result" && len(subs) == 1 {
		// A gate for a constant condition, which plan creation makes.
		return explained(subs[0].(map[string]any))
	}
	n := &node{kind: str("Node Type"), startup: num("Startup Cost"), total: num("Total Cost"), rows: num("Plan Rows"), width: int(num("Plan Width"))}
	if d := str("Scan Direction"); d == "Backward" {
		n.kind += " Backward"
	}
	if x := str("Index Name"); x != "" {
		n.kind += " using " + x
	}
	if x := str("Relation Name"); x != "" {
		n.kind += " on " + x
	}
	if w := num("Workers Planned"); w > 0 {
		n.kind += fmt.Sprintf(" %d workers", int(w))
	}
	if pa, _ := m["Parallel Aware"].(bool); pa {
		n.kind = "Parallel " + n.kind
	}
	subs, _ := m["Plans"].([]any)
	for _, s := range subs {
		sub := s.(map[string]any)
		if kind := sub["Node Type"]; kind == "Hash" || kind == "Sort" && (n.kind == "Merge Join" || n.kind == "Merge Append") {
			sub = sub["Plans"].([]any)[0].(map[string]any)
		}
		n.subs = append(n.subs, explained(sub))
	}
	return n
}

// planned turns a path into the same form.
func planned(p rel.Path) *node {
	b := p.Base()
	n := &node{startup: b.Startup, total: b.Total, rows: b.Rows, width: b.Target.Width}
	table := func() string {
		if b.Parent.Table == nil {
			return ""
		}
		return " on " + b.Parent.Table.Name
	}
	above := func(kind string, subs ...rel.Path) {
		n.kind = kind
		for _, s := range subs {
			n.subs = append(n.subs, planned(s))
		}
	}
	switch p := p.(type) {
	case *rel.ProjectionPath:
		sub := planned(p.Sub)
		if !p.Dummy {
			n.kind, n.subs = "Result", []*node{sub}
			break
		}
		sub.startup, sub.total, sub.width = n.startup, n.total, n.width
		return sub
	case *rel.NestPath:
		above("Nested Loop", p.Outer, p.Inner)
	case *rel.MergePath:
		above("Merge Join", p.Outer, p.Inner)
	case *rel.HashPath:
		above("Hash Join", p.Outer, p.Inner)
	case *rel.MaterialPath:
		above("Materialize", p.Sub)
	case *rel.MemoizePath:
		above("Memoize", p.Sub)
	case *rel.GatherPath:
		above(fmt.Sprintf("Gather %d workers", p.Workers), p.Sub)
	case *rel.GatherMergePath:
		above(fmt.Sprintf("Gather Merge %d workers", p.Workers), p.Sub)
	case *rel.SortPath:
		above("Sort", p.Sub)
	case *rel.IncrementalSortPath:
		above("Incremental Sort", p.Sub)
	case *rel.AppendPath:
		switch len(p.Subs) {
		case 0:
			n.kind = "Result"
		case 1:
			return planned(p.Subs[0])
		default:
			above("Append", p.Subs...)
		}
	case *rel.MergeAppendPath:
		above("Merge Append", p.Subs...)
	case *rel.IndexPath:
		n.kind = "Index Scan"
		if p.IndexOnly {
			n.kind = "Index Only Scan"
		}
		if p.Direction == rel.Backward {
			n.kind += " Backward"
		}
		n.kind += " using " + p.Index.Index.Name + table()
	case *rel.SeqScanPath:
		n.kind = "Seq Scan" + table()
	case *rel.SampleScanPath:
		n.kind = "Sample Scan" + table()
	case *rel.TidPath:
		n.kind = "Tid Scan" + table()
		if p.Range {
			n.kind = "Tid Range Scan" + table()
		}
	case *rel.BitmapHeapPath:
		n.kind = "Bitmap Heap Scan" + table()
		n.subs = []*node{bitmapNode(p.Bitmap)}
	case *rel.FunctionScanPath:
		n.kind = "Function Scan"
	case *rel.ValuesScanPath:
		n.kind = "Values Scan"
	case *rel.ResultPath:
		n.kind = "Result"
	default:
		n.kind = fmt.Sprintf("%T", p)
	}
	if b.ParallelAware {
		n.kind = "Parallel " + n.kind
	}
	return n
}

// bitmapNode is a part of a bitmap as plan creation makes it
// (create_bitmap_subplan, createplan.c).
func bitmapNode(p rel.Path) *node {
	b := p.Base()
	n := &node{startup: b.Startup, total: b.Total}
	var sel float64
	var subs []rel.Path
	switch p := p.(type) {
	case *rel.IndexPath:
		n.kind = "Bitmap Index Scan using " + p.Index.Index.Name
		n.startup, n.total, sel = 0, p.IndexTotal, p.Selectivity
	case *rel.BitmapAndPath:
		n.kind, sel, subs = "BitmapAnd", p.Selectivity, p.Quals
	case *rel.BitmapOrPath:
		n.kind, sel, subs = "BitmapOr", p.Selectivity, p.Quals
	}
	n.rows = cost.ClampRows(sel * b.Parent.Tuples)
	for _, s := range subs {
		n.subs = append(n.subs, bitmapNode(s))
	}
	return n
}

// TestServer holds the paths of queries against the server's plans, number by
// number.
func TestServer(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := context.Background()
	equal, approximate, all := 0, 0, 0
	for _, set := range settings {
		values := map[string]string{}
		if _, err := f.conn.Exec(ctx, "RESET ALL; SET jit = off; SET plan_cache_mode = force_generic_plan"); err != nil {
			t.Fatal(err)
		}
		for _, s := range set {
			name, value, _ := strings.Cut(s, "=")
			values[name] = value
			if _, err := f.conn.Exec(ctx, "SELECT set_config($1, $2, false)", name, value); err != nil {
				t.Fatal(err)
			}
		}
		s, diags := stats.ParseSettings(f.bound.Catalog.Major, values)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		for _, sql := range queries {
			all++
			want := f.explain(t, sql)
			p, g := f.plan(t, sql, s)
			got := planned(p).String()
			if got == want && len(g.Unsupported) == 0 {
				equal++
				continue
			}
			if len(g.Reasons) > 0 && len(g.Unsupported) == 0 {
				approximate++
				t.Logf("%s\n%s %v\n%s", strings.Join(set, " "), sql, g.Reasons, cmp.Diff(want, got))
				continue
			}
			t.Errorf("%s\n%s\n-server +planner:\n%s%v %v", strings.Join(set, " "), sql, cmp.Diff(want, got), g.Reasons, g.Unsupported)
		}
	}
	t.Logf("%d of %d plans are the server's, %d others are said to be approximate", equal, all, approximate)
}

// explain returns the server's generic plan.
func (f *fixture) explain(t *testing.T, sql string) string {
	t.Helper()
	ctx := context.Background()
	exec := func(sql string) {
		if _, err := f.conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	exec("PREPARE q AS " + sql)
	defer exec("DEALLOCATE q")
	call := "EXECUTE q"
	if strings.Contains(sql, "$1") {
		call += " (NULL)"
	}
	var text string
	if err := f.conn.QueryRow(ctx, "EXPLAIN (FORMAT JSON) "+call, pgx.QueryExecModeSimpleProtocol).Scan(&text); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	var plans []map[string]any
	if err := json.Unmarshal([]byte(text), &plans); err != nil {
		t.Fatal(err)
	}
	return explained(plans[0]["Plan"].(map[string]any)).String()
}
