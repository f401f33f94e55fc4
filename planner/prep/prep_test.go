package prep_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/dbgen/dbgen/parser/deparse"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/internal/plantest"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/rewrite"
)

// TestPrep shows what becomes of queries on the way to their base relations. The
// commands of testdata are
//
//	schema   DDL; later commands use it
//	tree     the join tree and the target list after pull-ups and reductions
//	rels     conditions of relations and joins, equivalence classes, outer and
//	         semi joins, and the partitions that are left
func TestPrep(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		tables := ""
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "schema":
				tables = d.Input
				return ""
			case "tree":
				p := newPrinter(t, tables, d.Input)
				p.tree(p.root.Parse.JoinTree, 0)
				return p.String()
			case "rels":
				p := newPrinter(t, tables, d.Input)
				prep.SetupArrays(p.root)
				prep.Init(p.root, func() {})
				prep.AddOtherRels(p.root)
				p.rels()
				return p.String()
			}
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		})
	})
}

// printer prints a planner's state with the names of the query.
type printer struct {
	strings.Builder
	root *rel.PlannerInfo
}

func newPrinter(t *testing.T, tables, sql string) *printer {
	t.Helper()
	b := plantest.Bind(t, plantest.Catalog(t, 16, tables), nil)
	g := &rel.Global{Catalog: b.Catalog, Stats: b, Settings: b.Settings, VersionNum: b.VersionNum}
	root := &rel.PlannerInfo{
		Parse: rewrite.Rewrite(g, plantest.Analyze(t, b.Catalog, sql)), Global: g, Level: 1,
		JoinDomains: []*rel.JoinDomain{{}}, WTParamID: -1, LimitTuples: -1,
	}
	prep.Preprocess(root)
	root.ProcessedTargetList = root.Parse.TargetList
	return &printer{root: root}
}

var joinTypes = map[query.JoinType]string{
	query.JoinInner: "inner", query.JoinLeft: "left", query.JoinFull: "full", query.JoinRight: "right",
	query.JoinSemi: "semi", query.JoinAnti: "anti",
}

func (p *printer) name(i int) string {
	return p.root.Parse.RTE(i).ERef.Name
}

func (p *printer) names(r query.Relids) string {
	var out []string
	for i := range r.All() {
		if rte := p.root.Parse.RTE(i); rte.Kind != query.RTEJoin {
			out = append(out, rte.ERef.Name)
		}
	}
	return strings.Join(out, " ")
}

func (p *printer) exprs(list ...query.Expr) string {
	return deparse.And(list, &deparse.Context{Catalog: p.root.Global.Catalog, Prefix: true, Column: func(v *query.Var) (string, string) {
		rte := p.root.Parse.RTE(v.VarNo)
		if v.AttNo < 1 {
			return rte.ERef.Name, "*"
		}
		return rte.ERef.Name, rte.ERef.Columns[v.AttNo-1]
	}})
}

func (p *printer) line(depth int, format string, args ...any) {
	fmt.Fprintf(p, "%s%s\n", strings.Repeat("  ", depth), strings.TrimRight(fmt.Sprintf(format, args...), " "))
}

func (p *printer) tree(n query.JoinNode, depth int) {
	quals := func(e query.Expr) string {
		if e == nil {
			return ""
		}
		return "on " + p.exprs(e)
	}
	switch n := n.(type) {
	case *query.RangeTblRef:
		p.line(depth, "%s", p.name(n.Index))
	case *query.FromExpr:
		p.line(depth, "from %s", quals(n.Quals))
		for _, c := range n.List {
			p.tree(c, depth+1)
		}
	case *query.JoinExpr:
		p.line(depth, "%s join %s", joinTypes[n.Type], quals(n.Quals))
		p.tree(n.Left, depth+1)
		p.tree(n.Right, depth+1)
	}
}

func (p *printer) rels() {
	for _, rl := range p.root.Rels {
		if rl == nil {
			continue
		}
		p.line(0, "%s", p.name(rl.Index))
		for _, r := range rl.BaseRestrict {
			p.line(1, "filter %s", p.exprs(r.Clause))
		}
		for _, r := range rl.JoinInfo {
			p.line(1, "joins by %s", p.exprs(r.Clause))
		}
		if rl.PartScheme != nil {
			p.line(1, "partitions %v", rl.LiveParts)
		}
	}
	for _, ec := range p.root.ECs {
		var members []string
		for _, m := range ec.Members {
			members = append(members, p.exprs(m.Expr))
		}
		slices.Sort(members)
		p.line(0, "equal: %s", strings.Join(members, ", "))
	}
	for _, sj := range p.root.JoinInfoList {
		p.line(0, "%s join of %s with %s", joinTypes[sj.Type], p.names(sj.MinLeft), p.names(sj.MinRight))
	}
}
