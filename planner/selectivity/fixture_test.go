package selectivity_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/internal/plantest"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/selectivity"
	"github.com/dbgen/dbgen/planner/stats"
)

type fixture struct {
	conn  *pgx.Conn
	bound *stats.Bound
	g     *rel.Global
}

// root lays a planner's state over a query: its base relations with their sizes
// and indexes, and nothing more.
func (f *fixture) root(t testing.TB, sql string) *rel.PlannerInfo {
	t.Helper()
	q := plantest.Analyze(t, f.g.Catalog, sql)
	f.g.Reasons = nil
	root := &rel.PlannerInfo{Parse: q, Global: f.g, Level: 1}
	root.Rels = make([]*rel.RelOptInfo, len(q.RangeTable)+1)
	root.RTEs = make([]*query.RangeTblEntry, len(q.RangeTable)+1)
	for i, r := range q.RangeTable {
		root.RTEs[i+1] = r
		if r.Kind != query.RTERelation {
			continue
		}
		b := &rel.RelOptInfo{Relids: query.MakeRelids(i + 1), Index: i + 1, RTEKind: r.Kind, Table: f.g.Catalog.Table(r.Relation)}
		b.Pages, b.Tuples, _ = f.bound.Size(r.Relation)
		indexes := slices.Clone(b.Table.Indexes)
		slices.Reverse(indexes)
		for _, x := range indexes {
			b.Indexes = append(b.Indexes, f.index(x, b))
		}
		root.Rels[i+1] = b
		root.AllBaseRels = root.AllBaseRels.Add(i + 1)
	}
	return root
}

func (f *fixture) index(x *catalog.Index, b *rel.RelOptInfo) *rel.IndexOptInfo {
	o := &rel.IndexOptInfo{
		Index: x, Rel: b, NCols: len(x.Keys), NKeyCols: x.NumKeys, Unique: x.Unique, Method: f.g.Catalog.Method(x.Method),
		Predicate: x.Predicate, Physical: f.bound.Index(x.OID).Index,
	}
	for _, k := range x.Keys {
		o.Keys = append(o.Keys, k.Column)
		if k.Column == 0 {
			o.Exprs = append(o.Exprs, eval.ChangeVarNo(eval.Fold(f.g, k.Expr), 1, b.Index))
		}
		o.Collations = append(o.Collations, k.Collation)
		o.SortFamily = append(o.SortFamily, k.Family)
		o.Reverse = append(o.Reverse, k.Desc)
	}
	return o
}

func clampRows(n float64) float64 { return math.Max(1, math.RoundToEven(n)) }

func restrictInfo(root *rel.PlannerInfo, e query.Expr) *rel.RestrictInfo {
	r := &rel.RestrictInfo{Clause: e, NormSel: -1, OuterSel: -1, ClauseRelids: eval.PullVarNos(root, e)}
	r.NumBaseRels = r.ClauseRelids.Len()
	r.PseudoConstant = r.ClauseRelids.IsEmpty() && !eval.ContainVolatile(root.Global.Catalog, e)
	if l, rt, ok := eval.Inputs(e); ok {
		r.LeftRelids, r.RightRelids = eval.PullVarNos(root, l), eval.PullVarNos(root, rt)
	}
	return r
}

// handFixture is a fixture of a schema and a statistics file written by hand.
func handFixture(t testing.TB, schema, file string) *fixture {
	t.Helper()
	f, diags := stats.Read("stats.json", []byte(file))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	b := plantest.Bind(t, plantest.Catalog(t, 16, schema), f)
	return &fixture{bound: b, g: &rel.Global{Catalog: b.Catalog, Stats: b, Settings: b.Settings, VersionNum: b.VersionNum}}
}

// TestData estimates the conditions of testdata by hand-made statistics: schema
// and stats set the stage, where gives a selectivity and the reasons why it is
// not exact, groups a number of groups, bucket the hash bucket statistics of a
// key for as many buckets as the argument n says.
func TestData(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var f *fixture
		schema := ""
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "schema":
				schema = d.Input
				return ""
			case "stats":
				f = handFixture(t, schema, d.Input)
				return ""
			case "where":
				var b strings.Builder
				for _, w := range strings.Split(d.Input, "\n") {
					root := f.root(t, "SELECT 1 FROM t WHERE "+w)
					quals := eval.AndList(eval.Fold(f.g, root.Parse.JoinTree.Quals))
					s := selectivity.ClauselistExprs(root, quals, 0, query.JoinInner, nil)
					fmt.Fprintf(&b, "%.10g%s\n", s, f.reasons())
				}
				return b.String()
			case "groups":
				var b strings.Builder
				for _, w := range strings.Split(d.Input, "\n") {
					root := f.root(t, "SELECT "+w+" FROM t")
					rows := root.Rels[1].Tuples
					d.MaybeScanArgs(t, "rows", &rows)
					root.Rels[1].Rows = rows
					var exprs []query.Expr
					for _, x := range root.Parse.TargetList {
						exprs = append(exprs, x.Expr)
					}
					fmt.Fprintf(&b, "%.10g%s\n", selectivity.NumGroups(root, exprs, rows), f.reasons())
				}
				return b.String()
			case "bucket":
				n := 1024.0
				d.MaybeScanArgs(t, "n", &n)
				root := f.root(t, "SELECT "+d.Input+" FROM t")
				root.Rels[1].Rows = root.Rels[1].Tuples
				freq, size := selectivity.HashBucketStats(root, root.Parse.TargetList[0].Expr, n)
				return fmt.Sprintf("mcv %.10g bucket %.10g%s\n", freq, size, f.reasons())
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

func (f *fixture) reasons() string {
	if len(f.g.Reasons) == 0 {
		return ""
	}
	return " approximate: " + strings.Join(f.g.Reasons, "; ")
}
