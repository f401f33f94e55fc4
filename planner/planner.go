// Package planner turns an analysed query into the plan that PostgreSQL would
// run, from a catalog and a statistics file alone.
//
// The work is done by the packages below, in PostgreSQL's own order and under
// its own names: planner/rewrite puts views in place, prep prepares the query
// and finds what equals what, path makes the scans, join searches the join
// orders, upper puts grouping, sorting and the rest on top, and plan turns the
// cheapest path into the tree that EXPLAIN prints. Package rel holds the data
// they share, eval and selectivity answer what an expression is worth, and cost
// what an operation costs.
//
// A [Result] says how far it can be trusted. A plan is exact only if every
// number in it came from PostgreSQL's own formula over statistics that the file
// really has; anything else is said.
package planner

import (
	"fmt"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/path"
	"github.com/dbgen/dbgen/planner/plan"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/rewrite"
	"github.com/dbgen/dbgen/planner/stats"
	"github.com/dbgen/dbgen/planner/upper"
)

// Options steer [Plan].
type Options struct {
	// Params are the values to plan for, by parameter number. A parameter
	// without one is planned as a generic plan does.
	Params map[int]*query.Const
	// Hypothetical are indexes to plan with that do not exist; their sizes are
	// derived from the table's.
	Hypothetical []*catalog.Index
}

// Result is a plan and how far it can be trusted.
type Result struct {
	// Root is nil where Precision is Unsupported.
	Root      *plan.Node
	Precision rel.Precision
	// Reasons say why the plan is approximate or there is none.
	Reasons []string
	// Info is the planner's state, for those who look closer: findings and
	// index advice.
	Info *rel.PlannerInfo
}

// Plan plans a query over the catalog of a bound statistics file
// (standard_planner, planner.c). It never fails: what it cannot plan is
// unsupported, with the reason.
func Plan(bound *stats.Bound, q *query.Query, opts Options) (res *Result) {
	g := newGlobal(bound, opts)
	defer func() {
		// A broken invariant in one query must not take the others down.
		switch r := recover().(type) {
		case nil:
		case stop:
			res = unsupported(g)
		default:
			res = &Result{Precision: rel.Unsupported, Reasons: append(g.Unsupported, fmt.Sprintf("internal error of the planner: %v", r))}
		}
	}()
	if q.Command == query.CmdUtility {
		g.NotSupported(q.Utility + " has no plan")
		return unsupported(g)
	}
	parse := rewrite.Rewrite(g, q)
	if len(g.Unsupported) > 0 {
		return unsupported(g)
	}
	g.ParallelModeOK = q.Command == query.CmdSelect && !q.HasModifyingCTE &&
		g.Settings.MaxParallelWorkersPerGather > 0 &&
		eval.MaxParallelHazard(g, parse) != 'u'
	root := planQuery(g, nil, parse, false, 0)
	if len(g.Unsupported) > 0 {
		return unsupported(g)
	}
	best := path.GetCheapestFractionalPath(prep.FetchUpperRel(root, rel.UpperFinal, query.Relids{}), 0)
	if g.Settings.DebugParallelQuery != "off" && g.Settings.DebugParallelQuery != "" {
		g.Approximate("debug_parallel_query is " + g.Settings.DebugParallelQuery)
	}
	if s := g.Settings; g.Version(18) && !(s.EnableSeqScan && s.EnableIndexScan && s.EnableIndexOnlyScan && s.EnableBitmapScan &&
		s.EnableTidScan && s.EnableSort && s.EnableNestLoop && s.EnableHashJoin && s.EnableMergeJoin && s.EnableHashAgg) {
		// Rarely a server keeps another path than is kept here.
		g.Approximate("a setting disables plan nodes on PostgreSQL 18")
	}
	node := plan.Create(root, best)
	if len(g.Unsupported) > 0 {
		return unsupported(g)
	}
	res = &Result{Root: node, Precision: rel.Exact, Info: root}
	if len(g.Reasons) > 0 {
		res.Precision, res.Reasons = rel.Approximate, g.Reasons
	}
	return res
}

func unsupported(g *rel.Global) *Result {
	return &Result{Precision: rel.Unsupported, Reasons: g.Unsupported}
}

func newGlobal(bound *stats.Bound, opts Options) *rel.Global {
	g := &rel.Global{
		Catalog: bound.Catalog, Stats: bound, Settings: bound.Settings,
		VersionNum: bound.VersionNum, Params: opts.Params, Hypothetical: map[pgtype.OID][]*catalog.Index{},
	}
	for _, x := range opts.Hypothetical {
		g.Hypothetical[x.Table] = append(g.Hypothetical[x.Table], x)
	}
	return g
}

// planQuery plans one query level, and through [rel.PlannerInfo.Subplan] those
// below it (subquery_planner, planner.c).
func planQuery(g *rel.Global, parent *rel.PlannerInfo, q *query.Query, hasRecursion bool, tupleFraction float64) *rel.PlannerInfo {
	root := &rel.PlannerInfo{
		Parse: q, Global: g, Level: 1, Parent: parent, HasRecursion: hasRecursion,
		JoinDomains: []*rel.JoinDomain{{}}, WTParamID: -1, LimitTuples: -1,
	}
	if parent != nil {
		root.Level = parent.Level + 1
	}
	root.Subplan = func(p *rel.PlannerInfo, sub *query.Query, recursion bool, fraction float64) *rel.PlannerInfo {
		return planQuery(g, p, sub, recursion, fraction)
	}
	root.CheapestFractional = path.GetCheapestFractionalPath
	prep.Preprocess(root)
	if len(g.Unsupported) > 0 {
		// Nothing above can use the relation; the caller looks at
		// Unsupported before it looks at paths.
		panic(stop{})
	}
	upper.GroupingPlanner(root, tupleFraction)
	prep.IdentifyOuterParams(root)
	final := prep.FetchUpperRel(root, rel.UpperFinal, query.Relids{})
	prep.ChargeForInitPlans(root, final)
	path.SetCheapest(final)
	return root
}

// stop unwinds planning once something unsupported was met.
type stop struct{}
