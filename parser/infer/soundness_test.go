package infer_test

import (
	"testing"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/infer"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/parser/source"
)

// TestSoundness holds promises against what a server was seen to return: '?' is a
// column in which NULL may come, '!' one that never is NULL; behind it '?' where an
// array's elements may be.
func TestSoundness(t *testing.T) {
	t.Parallel()
	base, err := builtin.Load(16)
	if err != nil {
		t.Fatal(err)
	}
	cat := catalog.New(base)
	schema, diags := parser.ParseFiles([]*source.File{source.NewFile("schema.sql", `
CREATE DOMAIN must AS int NOT NULL;
CREATE TABLE a (id int PRIMARY KEY, x int, y int NOT NULL, t text, s text NOT NULL UNIQUE, n must, arr int[], ts timestamptz NOT NULL);
CREATE TABLE b (id int PRIMARY KEY, a_id int, x int, y bigint NOT NULL, arr int[] NOT NULL);
CREATE TABLE parent (id int PRIMARY KEY, z int NOT NULL, w int, CONSTRAINT w CHECK (w IS NOT NULL) NO INHERIT);
CREATE TABLE child (extra text) INHERITS (parent);
ALTER TABLE child ALTER z DROP NOT NULL;
CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw;
CREATE FOREIGN TABLE remote (id int NOT NULL, c int CHECK (c IS NOT NULL)) SERVER far;
CREATE TABLE near (id int NOT NULL);
ALTER FOREIGN TABLE remote INHERIT near;
CREATE VIEW known AS SELECT id, x, y, s, ts FROM a WHERE x IS NOT NULL;
`)}, parser.Schema)
	diags.Append(ddl.Apply(cat, schema))
	if diags.HasErrors() {
		t.Fatal(diags[0].Error())
	}
	tests := []struct {
		sql  string
		rows infer.Cardinality
		cols string
	}{
		// RETURNING gives the new row, which WHERE has not seen.
		{"UPDATE a SET x = NULL FROM b WHERE a.x = b.x RETURNING a.x, b.x", infer.Many, "?!"},
		{"UPDATE known SET x = NULL RETURNING x, y", infer.Many, "?!"},
		{"INSERT INTO known (id, y, s, ts) VALUES (1, 1, '', now()) RETURNING x, y", infer.ExactlyOne, "?!"},
		{"DELETE FROM a WHERE x > 1 RETURNING x, y", infer.Many, "!!"},
		{"SELECT x, y FROM known", infer.Many, "!!"},
		// The server does not check what a foreign table holds.
		{"SELECT id, c FROM remote", infer.Many, "??"},
		{"SELECT id FROM near", infer.Many, "?"},
		// Grouping sets null what they leave out, and add rows.
		{"SELECT x, count(*) FROM a WHERE x IS NOT NULL GROUP BY ROLLUP (x)", infer.Many, "?!"},
		{"SELECT coalesce(x, 0), coalesce(x, 1) FROM a GROUP BY x, ROLLUP (coalesce(x, 0))", infer.Many, "?!"},
		{"SELECT (SELECT o.y) FROM a o GROUP BY ROLLUP (o.y)", infer.Many, "?"},
		{"SELECT count(*) FROM a WHERE id = 1 GROUP BY GROUPING SETS ((), ())", infer.Many, "!"},
		// The ON of an outer join proves nothing of a row without a match.
		{"SELECT a.x, b.x FROM a FULL JOIN b ON a.x = b.x WHERE a.id IS NOT NULL", infer.Many, "??"},
		{"SELECT a.x, b.x FROM a FULL JOIN b ON a.x = b.x WHERE a.id > 0 AND b.id > 0", infer.Many, "!!"},
		{"SELECT p.x, q.x FROM b LEFT JOIN (a p LEFT JOIN a q ON p.x = q.x) ON b.a_id = p.id WHERE p.id > 0", infer.Many, "??"},
		{"SELECT p.x, q.x FROM b LEFT JOIN (a p JOIN a q ON p.x = q.x) ON b.a_id = p.id WHERE p.id > 0", infer.Many, "!!"},
		{"SELECT p.x, b.x FROM a p LEFT JOIN b ON p.x = b.x WHERE b.id > 0", infer.Many, "!!"},
		{"SELECT j.y FROM parent LEFT JOIN (a JOIN b USING (y) AS j) ON parent.id = 1", infer.Many, "?"},
		// Rows of both sides.
		{"SELECT q, w FROM (SELECT 1 AS q) l FULL JOIN (SELECT 2 AS w) r ON q = w", infer.Many, "??"},
		{"SELECT 1 FROM (SELECT n FROM (SELECT count(*) AS n FROM a) c WHERE n > 3) d", infer.AtMostOne, "!"},
		{"SELECT 1 FROM (SELECT count(*) FROM a) c", infer.ExactlyOne, "!"},
		{"INSERT INTO a (id, y, s, ts) VALUES (generate_series(1, 3), 1, '', now()) RETURNING id", infer.Many, "!"},
		// Another type's equality leaves more than one row of a unique key.
		{"SELECT id FROM a WHERE s = 'a'", infer.AtMostOne, "!"},
		{"SELECT id FROM a WHERE s::bpchar = 'a'", infer.Many, "!"},
		{"SELECT id FROM b WHERE id = 3::bigint", infer.AtMostOne, "!"},
		// What the declarations of a table do not hold.
		{"SELECT z, w FROM parent", infer.Many, "??"},
		{"SELECT z, w FROM ONLY parent", infer.Many, "!!"},
		{"SELECT n, n::must, (x + 1)::must FROM a", infer.Many, "??!"},
		// Functions that give NULL for values.
		{"SELECT format(s, t), format(t, s), concat(t), concat(VARIADIC NULL::text[]), concat_ws(s, t), concat_ws(',', VARIADIC NULL::text[]) FROM a", infer.Many, "!?!?!?"},
		{"SELECT to_char(ts, 'YYYY'), ts::time, ts::date, current_schema, current_user FROM a", infer.Many, "??!?!"},
		{"SELECT path '[(0,0)]' <-> path '[(1,1)]'", infer.ExactlyOne, "?"},
		{"SELECT q, w FROM ROWS FROM (generate_series(1, 3), current_date) AS z(q, w)", infer.Many, "??"},
		// Elements.
		{"SELECT coalesce(arr, '{1}'), coalesce(NULL, '{1}'::int[]), ARRAY[1, 2] FROM a", infer.Many, "!?!!"},
		{"SELECT array_agg(arr), array_agg(y) FROM b GROUP BY id", infer.Many, "!?!"},
		{"SELECT ARRAY[arr, arr], ARRAY(SELECT arr FROM b), ARRAY(SELECT y FROM b), ARRAY[ARRAY[1], ARRAY[2]] FROM b", infer.Many, "!?!?!!"},
	}
	for _, tt := range tests {
		list, diags := parser.ParseFiles([]*source.File{source.NewFile("q.sql", tt.sql)}, parser.Queries)
		if diags.HasErrors() {
			t.Fatal(diags[0].Error())
		}
		a, diags := analyze.Statement(cat, list[0])
		if a == nil {
			t.Fatal(tt.sql, diags[0].Error())
		}
		f := infer.Infer(cat, a.Query)
		outputs, got := a.Query.TargetList, ""
		if a.Query.Command != query.CmdSelect {
			outputs = a.Query.Returning
		}
		for i, c := range f.Columns {
			switch typ := cat.Type(outputs[i].Expr.ResultType()); {
			case c.Nullable:
				got += "?"
			case typ != nil && typ.Category == 'A' && c.ElementNullable:
				got += "!?"
			default:
				got += "!"
			}
		}
		if got != tt.cols || f.Cardinality != tt.rows {
			t.Errorf("%s: %s %s, want %s %s (%v)", tt.sql, f.Cardinality, got, tt.rows, tt.cols, f)
		}
	}
}
