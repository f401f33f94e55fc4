package upper

import (
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/join"
	"github.com/dbgen/dbgen/planner/path"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// minMaxAggs sees whether all aggregates of a query are MIN or MAX that an index
// could answer by its first entry, and if so adds that way to the grouping's
// paths (preprocess_minmax_aggregates, planagg.c).
func minMaxAggs(root *rel.PlannerInfo) {
	q := root.Parse
	if len(q.GroupClause) > 0 || len(q.GroupingSets) > 1 || q.HasWindowFuncs || len(q.CTEs) > 0 || !singleTable(root) {
		return
	}
	aggs := minMaxCandidates(root)
	if aggs == nil {
		return
	}
	for _, m := range aggs {
		eq, reverse, ok := equalityFor(root.Global.Catalog, m.SortOp)
		if !ok {
			return
		}
		if !minMaxPath(root, m, eq, reverse) && !minMaxPath(root, m, eq, !reverse) {
			return
		}
	}
	for _, m := range aggs {
		m.Param = prep.NewExecParam(root, m.Target.ResultType(), pgtype.NoTypmod, m.Target.ResultCollation())
	}
	rl := prep.FetchUpperRel(root, rel.UpperGroupAgg, query.Relids{})
	path.AddPath(rl, newMinMaxAgg(root, rl, aggs))
}

// singleTable reports whether the query reads one table, or one UNION ALL.
func singleTable(root *rel.PlannerInfo) bool {
	var n query.JoinNode = root.Parse.JoinTree
	for {
		from, ok := n.(*query.FromExpr)
		if !ok {
			break
		}
		if len(from.List) != 1 {
			return false
		}
		n = from.List[0]
	}
	ref, ok := n.(*query.RangeTblRef)
	if !ok {
		return false
	}
	rte := root.Parse.RTE(ref.Index)
	return rte.Kind == query.RTERelation || rte.Kind == query.RTESubquery && rte.Inherit
}

// minMaxCandidates lists the aggregates, nil if one of them is of another kind
// (can_minmax_aggs, planagg.c).
func minMaxCandidates(root *rel.PlannerInfo) []*rel.MinMaxAgg {
	cat := root.Global.Catalog
	var out []*rel.MinMaxAgg
	for _, info := range root.Aggs {
		a := info.Aggrefs[0]
		if len(a.Args) != 1 || len(a.Order) > 0 || a.Filter != nil {
			return nil
		}
		f := cat.Func(a.Func)
		if f == nil || f.Aggregate == nil || f.Aggregate.SortOp == 0 {
			return nil
		}
		target := a.Args[0].Expr
		if eval.ContainMutable(cat, target) || isRowType(cat, target.ResultType()) {
			return nil
		}
		out = append(out, &rel.MinMaxAgg{Func: a.Func, SortOp: f.Aggregate.SortOp, Target: target})
	}
	return out
}

func isRowType(cat *catalog.Catalog, typ pgtype.OID) bool {
	t := cat.Type(cat.BaseType(typ))
	return typ == pgtype.RecordOID || t != nil && t.Kind == 'c'
}

// equalityFor returns the equality that belongs to an ordering operator
// (get_equality_op_for_ordering_op, lsyscache.c).
func equalityFor(cat *catalog.Catalog, op pgtype.OID) (eq pgtype.OID, reverse, ok bool) {
	family, typ, strategy, ok := cat.OrderingOp(op)
	if !ok {
		return 0, false, false
	}
	eq = cat.OpFamilyMember(family, typ, typ, catalog.BTEqual)
	return eq, strategy == catalog.BTGreater, eq != 0
}

// minMaxPath plans "SELECT x FROM … WHERE x IS NOT NULL ORDER BY x LIMIT 1" and
// reports whether there is a path in that order (build_minmax_path, planagg.c).
func minMaxPath(root *rel.PlannerInfo, m *rel.MinMaxAgg, eq pgtype.OID, nullsFirst bool) bool {
	sub := *root
	q := eval.IncrementLevelsQuery(root.Parse.Clone(), 1, 1)
	sub.Level, sub.Parent, sub.Parse = root.Level+1, root, q
	sub.PlanParams, sub.OuterParams, sub.InitPlans = nil, query.Relids{}, nil
	sub.Aggs, sub.Trans, sub.MinMaxAggs = nil, nil, nil
	sub.AppendRels = slices.Clone(root.AppendRels)
	sub.JoinDomains = []*rel.JoinDomain{{}}
	sub.UpperRels = [rel.NumUpper][]*rel.RelOptInfo{}
	sub.CanonPathKeys = nil

	te := &query.TargetEntry{Expr: m.Target, ResNo: 1, Name: "agg_target", SortGroupRef: 1}
	q.TargetList = []*query.TargetEntry{te}
	sub.ProcessedTargetList = q.TargetList
	q.Having, sub.HasHavingQual = nil, false
	q.Distinct, q.HasDistinctOn, q.HasAggs = nil, false, false
	test := &query.NullTest{Header: query.Header{Typ: pgtype.BoolOID, Mod: pgtype.NoTypmod}, Arg: m.Target, Not: true}
	var quals []query.Expr
	if q.JoinTree.Quals != nil {
		quals = eval.AndList(q.JoinTree.Quals)
	}
	if !slices.ContainsFunc(quals, func(e query.Expr) bool { return query.Equal(e, test) }) {
		quals = append([]query.Expr{test}, quals...)
	}
	q.JoinTree.Quals = eval.MakeAnd(quals)
	q.SortClause = []*query.SortGroupClause{{Ref: 1, EqOp: eq, SortOp: m.SortOp, NullsFirst: nullsFirst}}
	q.LimitOffset, q.LimitCount = nil, one()
	sub.TupleFraction, sub.LimitTuples = 1, 1

	final := join.QueryPlanner(&sub, func() {
		sub.GroupPathKeys, sub.WindowPathKeys, sub.DistinctPathKeys = nil, nil, nil
		sub.SortPathKeys = prep.PathKeysForSortClauses(&sub, q.SortClause, q.TargetList, false, false).Keys
		sub.QueryPathKeys = sub.SortPathKeys
	})
	prep.IdentifyOuterParams(&sub)
	prep.ChargeForInitPlans(&sub, final)
	fraction := 1.0
	if final.Rows > 1 {
		fraction = 1 / final.Rows
	}
	p := path.GetCheapestFractionalPathForPathKeys(final.Paths, sub.QueryPathKeys, query.Relids{}, fraction)
	if p == nil {
		return false
	}
	p = path.ApplyProjection(&sub, final, p, prep.MakeTargetCosted(&sub, sub.ProcessedTargetList))
	b := p.Base()
	m.SubRoot, m.Path = &sub, p
	m.PathCost = b.Startup + float64(fraction*(b.Total-b.Startup))
	return true
}

// newMinMaxAgg makes the path that takes its values from init plans
// (create_minmaxagg_path, pathnode.c).
func newMinMaxAgg(root *rel.PlannerInfo, rl *rel.RelOptInfo, aggs []*rel.MinMaxAgg) *rel.MinMaxAggPath {
	g := root.Global
	quals := having(root)
	target := prep.MakeTargetCosted(root, root.ProcessedTargetList)
	p := &rel.MinMaxAggPath{PathBase: rel.PathBase{Parent: rl, Target: target, Rows: 1}, Aggs: aggs, Quals: quals}
	plans := 0.0
	safe := g.Version(17)
	for _, m := range aggs {
		plans += m.PathCost
		p.DisabledNodes += m.Path.Base().DisabledNodes
		safe = safe && m.Path.Base().ParallelSafe
	}
	c := target.Cost
	p.Startup = plans + c.Startup
	p.Total = plans + c.Startup + c.PerTuple + cost.ParamsOf(g).CPUTupleCost
	if len(quals) > 0 {
		q := cost.QualEvalExprs(g, quals)
		p.Startup += q.Startup
		p.Total += q.Startup + q.PerTuple
	}
	p.ParallelSafe = safe && parallelSafe(root, target.Exprs) && parallelSafe(root, quals)
	return p
}
