package path

import (
	"math"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/selectivity"
	"github.com/dbgen/dbgen/planner/stats"
)

// searchCost is the cost of searching an index for a path's conditions: the
// access method's cost function with the selectivities that it asks for.
func searchCost(root *rel.PlannerInfo, p *rel.IndexPath, loopCount float64) cost.IndexCost {
	params := cost.ParamsOf(root.Global)
	x := p.Index
	quals := indexQuals(p.Clauses)
	probe := cost.IndexProbe{
		Pages: x.Pages, Tuples: x.Tuples, Height: x.Height, LoopCount: loopCount,
		Selectivity: indexSelectivity(root, x, withPredicate(root, x, quals)),
		ArgCost:     argCost(root, quals, p.OrderBys), Quals: len(quals), OrderBys: len(p.OrderBys),
		TotalTablePages: root.TotalTablePages,
	}
	if x.Derived && p.Approx == "" {
		p.Approx = "the size of index " + x.Index.Name + " is derived"
	}
	approximate := func(why string) {
		p.Approx = why
		root.Global.Approximate(why)
	}
	switch x.Index.Method {
	case catalog.BTreeMethod:
		if x.Height < 0 {
			approximate("the height of index " + x.Index.Name + " is not known")
			probe.Height = 0
		}
		btreeProbe(root, p, quals, &probe)
		return cost.BTree(params, probe)
	case catalog.HashMethod:
		genericProbe(root, x, quals, &probe)
		return cost.Hash(params, probe)
	case catalog.GistMethod, catalog.SPGistMethod:
		genericProbe(root, x, quals, &probe)
		return cost.Gist(params, probe)
	case catalog.GinMethod:
		return ginCost(root, p, probe, approximate)
	case catalog.BrinMethod:
		return brinCost(root, p, quals, probe, approximate)
	}
	approximate("the cost of index " + x.Index.Name + " is its access method's to estimate")
	genericProbe(root, x, quals, &probe)
	return cost.GenericIndex(params, probe)
}

// indexQuals lists the conditions of index clauses (get_quals_from_indexclauses,
// selfuncs.c).
func indexQuals(clauses []*rel.IndexClause) []*rel.RestrictInfo {
	var out []*rel.RestrictInfo
	for _, c := range clauses {
		out = append(out, c.Quals...)
	}
	return out
}

// withPredicate puts those parts of a partial index's predicate in front that
// the conditions do not imply (add_predicate_to_index_quals, selfuncs.c).
func withPredicate(root *rel.PlannerInfo, x *rel.IndexOptInfo, quals []*rel.RestrictInfo) []*rel.RestrictInfo {
	if len(x.Predicate) == 0 {
		return quals
	}
	have := restrictClauses(quals)
	var out []*rel.RestrictInfo
	for _, e := range x.Predicate {
		if !PredicateImpliedBy(root, []query.Expr{e}, have, false) {
			out = append(out, prep.MakeRestrictInfo(root, e, prep.ClauseInfo{PushedDown: true}))
		}
	}
	return append(out, quals...)
}

func indexSelectivity(root *rel.PlannerInfo, x *rel.IndexOptInfo, quals []*rel.RestrictInfo) float64 {
	return selectivity.Clauselist(root, quals, x.Rel.Index, query.JoinInner, nil)
}

// argCost is the cost of computing once what the columns are compared with
// (index_other_operands_eval_cost, selfuncs.c).
func argCost(root *rel.PlannerInfo, quals []*rel.RestrictInfo, orderBys []query.Expr) float64 {
	total := 0.0
	sum := 0.0
	add := func(e query.Expr) {
		var c rel.QualCost
		switch n := e.(type) {
		case *query.OpExpr:
			c = cost.QualEvalNode(root.Global, n.Args[1])
		case *query.RowCompareExpr:
			c = cost.QualEvalExprs(root.Global, n.Right)
		case *query.ScalarArrayOpExpr:
			c = cost.QualEvalNode(root.Global, n.Args[1])
		}
		sum += c.Startup + c.PerTuple
	}
	for _, r := range quals {
		add(r.Clause)
	}
	total, sum = sum, 0
	for _, e := range orderBys {
		add(e)
	}
	return total + sum
}

// arrayLength is the number of searches that an array condition makes, 1 for
// other conditions.
func arrayLength(root *rel.PlannerInfo, r *rel.RestrictInfo) float64 {
	n, ok := r.Clause.(*query.ScalarArrayOpExpr)
	if !ok {
		return 1
	}
	return max(selectivity.ArrayLength(root, n.Args[1]), 1)
}

// genericProbe fills in the number of searches and of index tuples as
// genericcostestimate (selfuncs.c) does by itself.
func genericProbe(root *rel.PlannerInfo, x *rel.IndexOptInfo, quals []*rel.RestrictInfo, probe *cost.IndexProbe) {
	probe.Descents = 1
	for _, r := range quals {
		probe.Descents *= arrayLength(root, r)
	}
	tuples := probe.Selectivity * x.Rel.Tuples
	probe.IndexTuples = math.RoundToEven(tuples / probe.Descents)
}

// boundary collects the conditions that bound a btree scan: equalities on
// leading columns and what there is on the next one.
type boundary struct {
	root *rel.PlannerInfo
	x    *rel.IndexOptInfo
	// quals are the boundary conditions, skip those of the present column that
	// limit the values which a skip scan has to visit (since 18).
	quals, skip []*rel.RestrictInfo
	// equal tells that the present column has an equality.
	equal, array, isNull, row bool
	scans                     float64
}

// add takes one condition on a column.
func (b *boundary) add(r *rel.RestrictInfo, col int) {
	var op pgtype.OID
	switch n := r.Clause.(type) {
	case *query.OpExpr:
		op = n.Op
	case *query.RowCompareExpr:
		op = n.Ops[0]
		b.row = true
	case *query.ScalarArrayOpExpr:
		op = n.Op
		b.array = true
		if length := selectivity.ArrayLength(b.root, n.Args[1]); length > 1 {
			b.scans *= length
		}
	case *query.NullTest:
		if !n.Not {
			b.isNull, b.equal = true, true
		}
	}
	if op != 0 && (matcher{root: b.root, x: b.x, col: col}).strategy(op) == catalog.BTEqual {
		b.equal = true
	}
	b.quals = append(b.quals, r)
	if !b.equal && !b.row && col < b.x.NKeyCols-1 {
		b.skip = append(b.skip, r)
	}
}

// btreeProbe fills in what a btree scan depends on (btcostestimate, selfuncs.c).
func btreeProbe(root *rel.PlannerInfo, p *rel.IndexPath, quals []*rel.RestrictInfo, probe *cost.IndexProbe) {
	x := p.Index
	b := &boundary{root: root, x: x, scans: 1}
	col := 0
	for _, c := range p.Clauses {
		if col != c.Column {
			if root.Global.Version(18) {
				var ok bool
				if col, ok = b.skipTo(col, c.Column); !ok {
					break
				}
			} else {
				if !b.equal {
					break
				}
				b.equal = false
				col++
				if col != c.Column {
					break
				}
			}
		}
		for _, r := range c.Quals {
			b.add(r, col)
		}
	}
	if x.Unique && col == x.NKeyCols-1 && b.equal && !b.array && !b.isNull {
		probe.IndexTuples = 1
	} else {
		sel := indexSelectivity(root, x, withPredicate(root, x, b.quals))
		tuples := sel * x.Rel.Tuples
		if root.Global.Version(17) {
			// There cannot be more searches than leaf pages.
			b.scans = max(min(b.scans, math.Ceil(x.Pages*0.3333333)), 1)
		}
		probe.IndexTuples = math.RoundToEven(tuples / b.scans)
	}
	probe.Descents = b.scans
	if !root.Global.Version(17) {
		// The generic part counts the arrays of all conditions.
		probe.Descents = 1
		for _, r := range quals {
			probe.Descents *= arrayLength(root, r)
		}
		if probe.IndexTuples <= 0 {
			probe.IndexTuples = math.RoundToEven(float64(probe.Selectivity*x.Rel.Tuples) / probe.Descents)
		}
	} else if probe.IndexTuples <= 0 {
		probe.IndexTuples = math.RoundToEven(float64(probe.Selectivity*x.Rel.Tuples) / probe.Descents)
	}
	probe.Correlation = correlation(root, x)
}

// skipTo passes to a later column. Columns without an equality in between are
// walked through value by value, if there are not too many values (since 18);
// ok is false if the column's conditions do not bound the scan.
func (b *boundary) skipTo(col, to int) (next int, ok bool) {
	before := b.scans
	if b.row {
		return col, false
	}
	if b.equal {
		col++
		b.skip = nil
	}
	b.equal = false
	for col < to {
		b.array = true
		nd, isDefault := selectivity.Examine(b.root, b.x.TargetList[col].Expr, 0).NDistinct()
		if isDefault {
			b.scans = before
			return col, false
		}
		if len(b.skip) > 0 {
			fraction := indexSelectivity(b.root, b.x, withPredicate(b.root, b.x, b.skip))
			if fraction < selectivity.DefaultRangeIneq {
				b.scans = before
				return col, false
			}
			nd = max(math.RoundToEven(nd*fraction), 1)
		} else {
			nd++
		}
		b.scans *= nd
		if b.x.Pages < b.scans {
			b.scans = before
			return col, false
		}
		col++
		b.skip = nil
	}
	return col, true
}

// columnStats returns the statistics of an index column, nil if there are none.
func columnStats(root *rel.PlannerInfo, x *rel.IndexOptInfo, col int) *stats.Column {
	if key := x.Keys[col]; key != 0 {
		return root.Global.Stats.Column(x.Rel.Table.OID, key, false).Column
	}
	if x.Hypothetical {
		return nil
	}
	return root.Global.Stats.IndexColumn(x.Index, col+1).Column
}

// correlation is how far the order of a btree is the table's: that of the first
// column, three quarters of it if there are more (btcost_correlation,
// selfuncs.c).
func correlation(root *rel.PlannerInfo, x *rel.IndexOptInfo) float64 {
	s := columnStats(root, x, 0)
	if s == nil || s.Correlation == nil {
		return 0
	}
	cat := root.Global.Catalog
	// The statistics are in the order of the type's own < operator.
	op := cat.OpFamilyMember(x.Families[0], x.InTypes[0], x.InTypes[0], catalog.BTLess)
	less, _ := cat.SortOps(x.TargetList[0].Expr.ResultType())
	if less == 0 || op != less && !sameOrder(cat, op, less) {
		return 0
	}
	c := *s.Correlation
	if x.Reverse[0] {
		c = -c
	}
	if x.NKeyCols > 1 {
		c *= 0.75
	}
	return c
}

// sameOrder reports whether the operator of a column's statistics is that of the
// index's input type, as for varchar, whose values are ordered as text.
func sameOrder(cat *catalog.Catalog, op, less pgtype.OID) bool {
	a, b := cat.Operator(op), cat.Operator(less)
	return a != nil && b != nil && a.Func == b.Func
}

// brinCost is the cost of a BRIN search, with the largest correlation of the
// columns in its conditions (brincostestimate, selfuncs.c).
func brinCost(root *rel.PlannerInfo, p *rel.IndexPath, quals []*rel.RestrictInfo, probe cost.IndexProbe, approximate func(string)) cost.IndexCost {
	x := p.Index
	for _, c := range p.Clauses {
		if s := columnStats(root, x, c.Column); s != nil && s.Correlation != nil {
			probe.Correlation = max(probe.Correlation, math.Abs(*s.Correlation))
		}
	}
	probe.Selectivity = indexSelectivity(root, x, quals)
	perRange := 128.0
	if n := x.Index.PagesPerRange; n > 0 {
		perRange = float64(n)
	}
	// More than one page of the revmap may not all have been made yet.
	if !x.Hypothetical && x.Rel.Pages/perRange > 1360 {
		approximate("the size of the revmap of BRIN index " + x.Index.Name)
	}
	return cost.BRIN(cost.ParamsOf(root.Global), probe, x.Rel.Pages, perRange, x.Hypothetical)
}
