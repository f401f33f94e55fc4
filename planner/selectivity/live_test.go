package selectivity_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/internal/plantest"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/selectivity"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

const schema = `
	CREATE TYPE mood AS ENUM ('low', 'mid', 'high');
	CREATE TABLE item (
		id bigint PRIMARY KEY, code text COLLATE "C" NOT NULL, grp int, price numeric(10, 2), ok boolean, at timestamptz, day date,
		mood mood, tags text[] COLLATE "C", name varchar(60) COLLATE "C", weight float8, note text COLLATE "C", doc jsonb, words tsvector,
		ip inet, u uuid, span int4range);
	CREATE TABLE part (item bigint NOT NULL, n int NOT NULL, kind text COLLATE "C", qty int, PRIMARY KEY (item, n));
	CREATE INDEX item_at ON item (at);
	CREATE INDEX item_lower ON item (lower(code));
	CREATE INDEX item_price ON item (price);
	CREATE UNIQUE INDEX item_code ON item (code);
	CREATE INDEX part_kind ON part (kind);`

const data = `
	SELECT setseed(0.5);
	INSERT INTO item SELECT i, 'code-' || lpad((i * 7919 % 20000)::text, 6, '0'), CASE WHEN i % 11 = 0 THEN NULL ELSE (random() * random() * 300)::int END,
		round((random() * 1000)::numeric, 2), CASE WHEN i % 7 = 0 THEN NULL ELSE i % 3 = 0 END,
		timestamptz '2026-01-01 UTC' + i * interval '17 minutes', date '2025-01-01' + (random() * 700)::int,
		(ARRAY['low', 'mid', 'high'])[1 + (random() * random() * 2.9)::int % 3]::mood,
		(SELECT array_agg('tag' || (random() * random() * 40)::int + 0 * j) FROM generate_series(1, 1 + i % 4) j),
		initcap(chr(97 + (random() * 25)::int) || 'name of ' || i % 500), random() * 50, CASE WHEN i % 4 = 0 THEN md5(i::text) END,
		jsonb_build_object('k', i % 5, 'l', i % 2), to_tsvector('simple', 'word' || i % 50 || ' common w' || (random() * random() * 30)::int),
		('10.' || i % 200 || '.0.' || i % 250)::inet, md5(i::text)::uuid, int4range(i % 100, i % 100 + 10)
		FROM generate_series(1, 20000) i;
	INSERT INTO part SELECT 1 + (random() * random() * 24000)::int, i, 'kind' || (random() * random() * 20)::int, (random() * 100)::int
		FROM generate_series(1, 40000) i;
	ANALYZE;`

// wheres are conditions on one table, each to be estimated to the row.
var wheres = []string{
	"id = 77", "id = $1::bigint", "id > 15000", "id < 300", "id BETWEEN 100 AND 200", "id >= 19999", "id > 100000", "id > $1::bigint AND id < $2::bigint",
	"grp = 3", "grp = 250", "grp = $1::int", "grp <> 3", "grp <> $1::int", "grp IS NULL", "grp IS NOT NULL", "grp < 10", "grp >= 100 AND grp < 120",
	"NOT grp = 5", "grp IN (1, 2, 3)", "grp NOT IN (1, 2, 3)", "grp = ANY ($1::int[])", "grp <> ALL ($1::int[])", "grp IN ($1::int, $2::int)",
	"grp IS DISTINCT FROM 5", "grp = 1 OR grp = 2", "grp = 1 OR price < 100", "grp = 1 AND price < 100", "grp + 1 = 5", "grp % 2 = 0",
	"price > 500", "price < 10.5", "price BETWEEN 100 AND 200", "price = 12.34", "price > 999", "price * 2 > 100", "price > 1000000",
	"ok", "NOT ok", "ok IS TRUE", "ok IS NOT TRUE", "ok IS FALSE", "ok IS NOT FALSE", "ok IS UNKNOWN", "ok IS NOT UNKNOWN", "ok = true", "ok = $1::bool", "ok IS NULL",
	"at > '2026-03-01 00:00+00'", "at < '2026-01-02 00:00+00'", "at >= '2026-08-01 00:00+00' AND at < '2026-08-02 00:00+00'", "at > '2027-01-01 00:00+00'",
	"at > timestamptz '2026-03-01 00:00+00' - interval '7 days'", "at > $1::timestamptz", "date_trunc('day', at) = $1::timestamptz",
	"day = '2025-03-01'", "day < '2025-03-01'", "day > date '2025-12-01' + 30", "day BETWEEN '2025-03-01' AND '2025-03-31'", "day > timestamp '2025-12-01 12:00'",
	"mood = 'high'", "mood <> 'low'", "mood > 'low'", "mood IN ('low', 'mid')", "mood = $1::mood",
	"'tag1' = ANY (tags)", "tags @> ARRAY['tag1']", "tags @> ARRAY['tag1', 'tag2']", "tags && ARRAY['tag1', 'tag39']", "tags <@ ARRAY['tag1', 'tag0', 'tag2']",
	"tags @> $1::text[]", "tags && $1::text[]", "$1::text = ANY (tags)", "tags = ARRAY['tag1']", "'nope' = ANY (tags)", "'tag1' <> ALL (tags)",
	"code = 'code-000123'", "code > 'code-015000'", "code LIKE 'code-0001%'", "code LIKE '%123%'", "code LIKE $1::text", "code LIKE 'code-000_23'",
	"code NOT LIKE 'code-0001%'", "code ILIKE 'CODE-0001%'", "code ~ '^code-0001'", "code ~ '123'", "code ~ $1::text", "code LIKE 'code-000123'", "code ^@ 'code-0002'",
	"starts_with(code, 'code-0003')", "code ~* 'code-000[12]'", "lower(code) = 'code-000123'", "lower(code) = $1::text", "upper(code) = $1::text", "lower(code) LIKE 'code-0%'",
	"name = 'Bname Of 7'", "name LIKE 'B%'", "name > 'M'", "name <= 'C'", "name LIKE '%Of 7%'", "name = $1", "name IN ('a', 'b')", "length(name) > 5",
	"weight > 25", "weight < 0.5", "weight BETWEEN 10 AND 11", "weight = 1.5", "weight > 25 AND weight < 20",
	"note IS NULL", "note = 'x'", "note LIKE 'a%'", "note > 'f'", "coalesce(note, '') = ''",
	`doc @> '{"k": 1}'`, "doc @> $1::jsonb", "doc ? 'k'", "doc->>'k' = '1'", `doc = '{"k": 1, "l": 1}'`,
	"words @@ 'common'::tsquery", "words @@ 'word7'::tsquery", "words @@ 'word7 & common'::tsquery", "words @@ '!word7 | w1'::tsquery", "words @@ $1::tsquery", "words @@ 'nothing'::tsquery", "words @@ 'word:*'::tsquery", "words @@ '(word7 | word8) & !w1'::tsquery", "words @@ '''word7'' <-> common'::tsquery",
	"ip = '10.5.0.5'", "ip > '10.100.0.0'", "ip << $1::inet", "u = 'c4ca4238-a0b9-2382-0dcc-509a6f75849b'", "u > '80000000-0000-0000-0000-000000000000'",
	"span && $1::int4range", "span @> $1::int", "(grp, price) < (10, 100)", "(grp, price) > ($1::int, $2::numeric)", "ctid < '(100,1)'", "ctid = '(1,1)'",
	"$1::bool", "random() < 0.5", "grp = (random() * 10)::int", "CASE WHEN ok THEN grp ELSE 0 END = 3", "price > 100 AND price > 200",
	"(grp = 1 OR grp = 2) AND ok", "NOT (grp = 1 OR ok)", "grp IS NULL OR price < 5", "10 > grp", "$1::int > grp", "id::text = '5'", "code = 'a' COLLATE \"C\"",
	"grp::bigint = 5", "price > 100::int", "xmin = '5'::xid", "tableoid = 5::oid", "array_length(tags, 1) = 2",
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	p := plantest.New(t, schema, data)
	conn, b := p.Conn, p.Bound
	ctx := context.Background()
	for _, sql := range []string{"SET plan_cache_mode = force_generic_plan", "SET max_parallel_workers_per_gather = 0", "SET timezone = 'UTC'"} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	return &fixture{conn: conn, bound: b, g: &rel.Global{Catalog: b.Catalog, Stats: b, Settings: b.Settings, VersionNum: b.VersionNum}}
}

// explain asks the server for the rows of the node on top.
func (f *fixture) explain(t *testing.T, sql string) float64 {
	t.Helper()
	ctx := context.Background()
	n := 0
	for strings.Contains(sql, fmt.Sprintf("$%d", n+1)) {
		n++
	}
	run := sql
	if n > 0 {
		if _, err := f.conn.Exec(ctx, "PREPARE q AS "+sql); err != nil {
			t.Fatal(sql, err)
		}
		run = "EXECUTE q(NULL" + strings.Repeat(", NULL", n-1) + ")"
	}
	var text string
	err := f.conn.QueryRow(ctx, "EXPLAIN (FORMAT JSON) "+run, pgx.QueryExecModeSimpleProtocol).Scan(&text)
	if err != nil {
		t.Fatal(sql, err)
	}
	if n > 0 {
		if _, err := f.conn.Exec(ctx, "DEALLOCATE q"); err != nil {
			t.Fatal(err)
		}
	}
	var plans []struct {
		Plan struct {
			Rows float64 `json:"Plan Rows"`
		}
	}
	if err := json.Unmarshal([]byte(text), &plans); err != nil {
		t.Fatal(err)
	}
	return plans[0].Plan.Rows
}

// TestRestrictions holds the estimated rows of conditions on one table against
// the server's.
func TestRestrictions(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	exact := 0
	for _, w := range wheres {
		sql := "SELECT 1 FROM item WHERE " + w
		root := f.root(t, sql)
		quals := eval.AndList(eval.Fold(f.g, root.Parse.JoinTree.Quals))
		list := make([]*rel.RestrictInfo, len(quals))
		for i, q := range quals {
			list[i] = restrictInfo(root, q)
		}
		s := selectivity.Clauselist(root, list, 0, query.JoinInner, nil)
		got, want := clampRows(root.Rels[1].Tuples*s), f.explain(t, sql)
		switch {
		case len(f.g.Reasons) > 0:
			t.Logf("%s: %v rows, the server says %v; approximate: %s", w, got, want, strings.Join(f.g.Reasons, "; "))
		case got == want:
			exact++
		default:
			t.Errorf("%s: %v rows, the server says %v", w, got, want)
		}
	}
	t.Logf("%d of %d exact", exact, len(wheres))
	if exact < len(wheres)*9/10 {
		t.Errorf("only %d of %d are exact", exact, len(wheres))
	}
}

// joins are conditions between item and part, with others on one of them.
var joins = []string{
	"item.id = part.item", "item.grp = part.qty", "item.grp = part.qty AND item.price > 500", "item.id = part.item AND part.kind = 'kind1'",
	"item.grp = part.qty AND part.kind = 'kind1'", "item.grp <> part.qty", "item.grp < part.qty", "item.grp > part.qty AND item.id = part.item",
	"item.id = part.item AND item.grp = part.qty", "item.code = part.kind", "item.code LIKE part.kind", "item.name = part.kind", "item.weight = part.qty",
	"item.id = part.item AND item.ok", "item.grp + 1 = part.qty", "item.grp = part.qty + 1", "item.price = part.qty", "part.kind = ANY (item.tags)",
	"item.id = part.item OR item.grp = part.qty", "(item.grp, item.id) < (part.qty, part.item)", "item.grp = part.n", "item.tags @> ARRAY[part.kind]",
	"item.grp IS NOT DISTINCT FROM part.qty", "item.note = part.kind", "item.id = part.item AND item.id < 500",
}

// TestJoins holds the estimated rows of inner, semi and anti joins of two tables
// against the server's.
func TestJoins(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	kinds := []struct {
		name string
		typ  query.JoinType
		sql  string
	}{
		{"inner", query.JoinInner, "SELECT 1 FROM item, part WHERE %s"},
		{"semi", query.JoinSemi, "SELECT 1 FROM item WHERE EXISTS (SELECT 1 FROM part WHERE %s)"},
		{"anti", query.JoinAnti, "SELECT 1 FROM item WHERE NOT EXISTS (SELECT 1 FROM part WHERE %s)"},
	}
	n, exact := 0, 0
	for _, k := range kinds {
		for _, w := range joins {
			root := f.root(t, "SELECT 1 FROM item, part WHERE "+w)
			quals := eval.AndList(eval.Fold(f.g, root.Parse.JoinTree.Quals))
			byRel := map[int][]*rel.RestrictInfo{}
			var list []*rel.RestrictInfo
			for _, q := range quals {
				r := restrictInfo(root, q)
				if i, ok := r.ClauseRelids.Single(); ok && (k.typ != query.JoinAnti || i == 2) {
					byRel[i] = append(byRel[i], r)
					continue
				}
				list = append(list, r)
			}
			if k.typ == query.JoinAnti && len(byRel[1]) < 1 && strings.Contains(w, "AND item.") && len(list) > 1 && list[1].NumBaseRels == 1 {
				continue // a condition on the outer side inside NOT EXISTS is the join's
			}
			for i := 1; i <= 2; i++ {
				root.Rels[i].Rows = clampRows(root.Rels[i].Tuples * selectivity.Clauselist(root, byRel[i], 0, query.JoinInner, nil))
			}
			sj := &rel.SpecialJoinInfo{
				Type: k.typ, MinLeft: query.MakeRelids(1), MinRight: query.MakeRelids(2), SynLeft: query.MakeRelids(1), SynRight: query.MakeRelids(2),
			}
			s := selectivity.Clauselist(root, list, 0, k.typ, sj)
			got := root.Rels[1].Rows * s
			switch k.typ {
			case query.JoinInner:
				got *= root.Rels[2].Rows
			case query.JoinAnti:
				got = root.Rels[1].Rows * (1 - s)
			}
			n++
			got = clampRows(got)
			switch want := f.explain(t, fmt.Sprintf(k.sql, w)); {
			case len(f.g.Reasons) > 0:
				t.Logf("%s %s: %v rows, the server says %v; approximate: %s", k.name, w, got, want, strings.Join(f.g.Reasons, "; "))
			case got == want:
				exact++
			default:
				t.Errorf("%s %s: %v rows, the server says %v", k.name, w, got, want)
			}
		}
	}
	t.Logf("%d of %d exact", exact, n)
	if exact < n*9/10 {
		t.Errorf("only %d of %d are exact", exact, n)
	}
}

// groups are lists that rows are grouped by, with a condition.
var groups = [][2]string{
	{"grp", "true"},
	{"mood", "true"},
	{"ok", "true"},
	{"grp, mood", "true"},
	{"grp, price", "true"},
	{"name", "price < 100"},
	{"id", "true"},
	{"grp", "price < 20"},
	{"date_trunc('day', at)", "true"},
	{"lower(code)", "true"},
	{"day, mood, ok", "id < 3000"},
	{"grp % 10", "true"},
	{"grp > 5", "true"},
	{"price + weight", "true"},
	{"code", "grp = 7"},
	{"(1 + 1)", "true"},
	{"name, lower(code)", "grp IN (1, 2)"},
	{"tags", "true"},
	{"ctid", "true"},
}

// TestGroups holds the estimated number of groups against the server's.
func TestGroups(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, g := range groups {
		sql := fmt.Sprintf("SELECT count(*) FROM item WHERE %s GROUP BY %s", g[1], g[0])
		root := f.root(t, sql)
		quals := eval.AndList(eval.Fold(f.g, root.Parse.JoinTree.Quals))
		list := make([]*rel.RestrictInfo, len(quals))
		for i, q := range quals {
			list[i] = restrictInfo(root, q)
		}
		b := root.Rels[1]
		b.Rows = clampRows(b.Tuples * selectivity.Clauselist(root, list, 0, query.JoinInner, nil))
		var exprs []query.Expr
		for _, c := range root.Parse.GroupClause {
			for _, target := range root.Parse.TargetList {
				if target.SortGroupRef == c.Ref {
					exprs = append(exprs, eval.Fold(f.g, target.Expr))
				}
			}
		}
		got := selectivity.NumGroups(root, exprs, b.Rows)
		if want := f.explain(t, sql); got != want || len(f.g.Reasons) > 0 {
			t.Errorf("GROUP BY %s WHERE %s: %v groups, the server says %v; %v", g[0], g[1], got, want, f.g.Reasons)
		}
	}
}
