package eval_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

const clauseSchema = `
	CREATE TABLE x (a int, b int, c text, e boolean);
	CREATE TABLE y (a int, b int, c text, e boolean);`

// analysed returns a catalog and the query of a statement over x (1) and y (2).
func analysed(t *testing.T, sql string) (*catalog.Catalog, *query.Query) {
	t.Helper()
	base, err := builtin.Load(16)
	if err != nil {
		t.Fatal(err)
	}
	cat := catalog.New(base)
	stmts, diags := parser.ParseFiles([]*source.File{source.NewFile("schema.sql", clauseSchema)}, parser.Schema)
	diags.Append(ddl.Apply(cat, stmts))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	stmts, diags = parser.ParseFiles([]*source.File{source.NewFile("q.sql", "-- name: Q :many\n"+sql+";")}, parser.Queries)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	a, diags := analyze.Statement(cat, stmts[0])
	if diags.HasErrors() {
		t.Fatalf("%s: %s", sql, diags[0].Message)
	}
	return cat, a.Query
}

// TestClauses asks of each condition what it contains and forces.
func TestClauses(t *testing.T) {
	t.Parallel()
	// v volatile, m mutable, n not strict, s subplan, p pseudoconstant, l leaks,
	// r not parallel safe.
	tests := []struct{ where, flags, varnos, nonNullable, vars, forced string }{
		{"x.a = 1", "", "(b 1)", "(b 1)", "1.1", ""},
		{"x.a = y.a", "", "(b 1 2)", "(b 1 2)", "1.1 2.1", ""},
		{"x.a = 1 OR y.a = 1", "n", "(b 1 2)", "(b)", "", ""},
		{"x.a = 1 OR x.b = 1", "n", "(b 1)", "(b 1)", "", ""},
		{"x.a = 1 AND y.b IS NOT NULL", "n", "(b 1 2)", "(b 1 2)", "1.1 2.2", ""},
		{"x.a IS NULL", "n", "(b 1)", "(b)", "", "1.1"},
		{"x.e IS UNKNOWN AND y.a IS NULL", "n", "(b 1 2)", "(b)", "", "1.4 2.1"},
		{"x.e IS TRUE", "n", "(b 1)", "(b 1)", "1.4", ""},
		{"x.e IS NOT TRUE", "n", "(b 1)", "(b)", "", ""},
		{"NOT (x.a = 1)", "", "(b 1)", "(b 1)", "1.1", ""},
		{"coalesce(x.a, y.a) = 1", "n", "(b 1 2)", "(b)", "", ""},
		{"x.a IN (1, 2)", "n", "(b 1)", "(b 1)", "1.1", ""},
		{"x.a = ANY ($1::int[])", "n", "(b 1)", "(b 1)", "1.1", ""},
		{"x.a <> ALL ($1::int[])", "n", "(b 1)", "(b)", "", ""},
		{"x.a IS DISTINCT FROM y.a", "n", "(b 1 2)", "(b)", "", ""},
		{"x.c || y.c = 'a'", "l", "(b 1 2)", "(b 1 2)", "1.3 2.3", ""},
		{"random() < 0.5", "vmr", "(b)", "(b)", "", ""},
		{"x.a = random()", "vmr", "(b 1)", "(b 1)", "1.1", ""},
		{"now() > '2020-01-01'", "mp", "(b)", "(b)", "", ""},
		{"$1::int = 5", "p", "(b)", "(b)", "", ""},
		{"x.c LIKE $1", "l", "(b 1)", "(b 1)", "1.3", ""},
		{"EXISTS (SELECT 1 FROM y z WHERE z.a = x.a)", "nsplr", "(b 1)", "(b)", "", ""},
	}
	for _, test := range tests {
		cat, q := analysed(t, "SELECT 1 FROM x, y WHERE "+test.where)
		g := &rel.Global{Catalog: cat, VersionNum: 160000}
		e := q.JoinTree.Quals
		var flags strings.Builder
		for _, f := range []struct {
			name string
			on   bool
		}{
			{"v", eval.ContainVolatile(cat, e)},
			{"m", eval.ContainMutable(cat, e)},
			{"n", eval.ContainNonStrict(cat, e)},
			{"s", eval.ContainSubPlans(e)},
			{"p", eval.IsPseudoConstant(cat, e)},
			{"l", eval.ContainLeakedVars(cat, e)},
			{"r", !eval.ParallelSafe(g, e)},
		} {
			if f.on {
				flags.WriteString(f.name)
			}
		}
		got := []string{
			flags.String(), eval.PullVarNos(&rel.PlannerInfo{Global: g}, e).String(), eval.NonNullableRels(cat, e).String(),
			varNames(eval.NonNullableVars(cat, e)), varNames(eval.ForcedNullVars(e)),
		}
		if diff := cmp.Diff([]string{test.flags, test.varnos, test.nonNullable, test.vars, test.forced}, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", test.where, diff)
		}
	}
}

func varNames(s eval.VarSet) string {
	var out []string
	for v := 1; v <= 2; v++ {
		for a := range s[v].All() {
			out = append(out, string(rune('0'+v))+"."+string(rune('0'+a-eval.AttrOffset)))
		}
	}
	return strings.Join(out, " ")
}

// TestMoveVars moves references and back: through levels, range table indexes
// and nullingrels.
func TestMoveVars(t *testing.T) {
	t.Parallel()
	_, q := analysed(t, "SELECT x.a + (SELECT max(z.b) FROM y z WHERE z.a = x.a AND z.b IN (SELECT w.a FROM x w WHERE w.b = z.b AND w.c = x.c)) FROM x, y WHERE x.a = y.a")
	e := q.TargetList[0].Expr
	up := eval.IncrementLevels(e, 2, 0)
	if eval.ContainVarsOfLevel(up, 0) || !eval.ContainVarsOfLevel(up, 2) {
		t.Error("references to level 0 did not go to level 2")
	}
	if !query.Equal(eval.IncrementLevels(up, -2, 2), e) {
		t.Error("levels did not come back")
	}
	if got := len(eval.PullVarsOfLevel(e, 0)); got != 3 {
		t.Errorf("%d references to the own level, want 3", got)
	}
	moved := eval.OffsetVarNosExpr(e, 5)
	if got := eval.PullVarNos(nil, moved).String(); got != "(b 6)" {
		t.Errorf("moved by 5: %s", got)
	}
	if got := eval.PullVarNos(nil, eval.ChangeVarNo(moved, 6, 1)).String(); got != "(b 1)" {
		t.Errorf("changed back: %s", got)
	}
	nulled := eval.AddNullingRels(e, query.MakeRelids(1), query.MakeRelids(7))
	if got := eval.PullVarNos(nil, nulled).String(); got != "(b 1 7)" {
		t.Errorf("nulled: %s", got)
	}
	if !query.Equal(eval.RemoveNullingRels(nulled, query.MakeRelids(7), query.Relids{}), e) {
		t.Error("nullingrels did not go away")
	}
	if got := eval.RemoveNullingRels(nulled, query.MakeRelids(7), query.MakeRelids(1)); !query.Equal(got, nulled) {
		t.Error("nullingrels of an excepted relation went away")
	}
	deep := eval.ReplaceVars(e, 1, func(v *query.Var) query.Expr {
		c := *v
		c.VarNo = 9
		return &c
	})
	if got := eval.PullVarNos(nil, deep).String(); got != "(b 9)" {
		t.Errorf("replaced: %s", got)
	}
	whole := eval.OffsetVarNos(q, 3)
	if got := eval.PullVarNosQuery(nil, whole, 0).String(); got != "(b 4 5)" {
		t.Errorf("query moved by 3: %s", got)
	}
	if got := whole.JoinTree.List[1].(*query.RangeTblRef).Index; got != 5 {
		t.Errorf("second table is %d, want 5", got)
	}
}
