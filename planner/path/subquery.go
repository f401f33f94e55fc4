package path

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// setSubqueryPathList pushes restrictions into a subquery, plans it and makes a
// scan of each of its paths (set_subquery_pathlist, allpaths.c).
func setSubqueryPathList(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	rte := root.RTEs[rl.Index]
	sub := rte.Subquery.Clone()
	outer := rl.LateralRelids
	used := query.Relids{}
	d := &pushDown{
		root: root, sub: sub, rti: rl.Index, leaky: rte.SecurityBarrier, unsafe: make([]unsafeFlags, len(sub.TargetList)+1),
	}
	if len(rl.BaseRestrict) > 0 && d.safe(sub) {
		var keep []*rel.RestrictInfo
		for _, r := range rl.BaseRestrict {
			if d.push(r) {
				continue
			}
			keep = append(keep, r)
		}
		rl.BaseRestrict = keep
		used = d.runAttrs
	}
	removeUnusedOutputs(root, sub, rl, used)

	fraction := root.TupleFraction
	q := root.Parse
	if q.HasAggs || len(q.GroupClause) > 0 || len(q.GroupingSets) > 0 || root.HasHavingQual ||
		len(q.Distinct) > 0 || len(q.SortClause) > 0 || root.AllBaseRels.Len() > 1 {
		fraction = 0
	}
	rl.SubRoot = root.Subplan(root, sub, false, fraction)
	rl.SubParams, root.PlanParams = root.PlanParams, nil
	if rl.SubRoot == nil {
		root.Global.NotSupported("a subquery in FROM")
		SetDummyRel(root, rl)
		return
	}
	final := prep.FetchUpperRel(rl.SubRoot, rel.UpperFinal, query.Relids{})
	if IsDummy(final) || final.CheapestTotal == nil {
		SetDummyRel(root, rl)
		return
	}
	setSubquerySize(root, rl)
	trivial := trivialTarget(rl, sub)
	keysOf := func(p rel.Path) []*rel.PathKey {
		return prep.ConvertSubqueryPathKeys(root, rl, p.Base().PathKeys, targetsOf(p.Base().Target))
	}
	for _, p := range final.Paths {
		AddPath(rl, NewSubqueryScan(root, rl, p, trivial, keysOf(p), outer))
	}
	if !rl.ConsiderParallel || !outer.IsEmpty() {
		return
	}
	for _, p := range final.PartialPaths {
		AddPartialPath(rl, NewSubqueryScan(root, rl, p, trivial, keysOf(p), outer))
	}
}

// IsDummy reports whether a relation is proved empty: it is marked so, or its
// cheapest path is an empty Append, possibly below projections (is_dummy_rel,
// joinrels.c).
func IsDummy(rl *rel.RelOptInfo) bool {
	if rl.Dummy {
		return true
	}
	if len(rl.Paths) == 0 {
		return false
	}
	p := rl.Paths[0]
	for {
		switch n := p.(type) {
		case *rel.ProjectionPath:
			p = n.Sub
		case *rel.ProjectSetPath:
			p = n.Sub
		case *rel.AppendPath:
			return len(n.Subs) == 0
		default:
			return false
		}
	}
}

// targetsOf numbers a target's expressions (make_tlist_from_pathtarget).
func targetsOf(t *rel.PathTarget) []*query.TargetEntry {
	out := make([]*query.TargetEntry, len(t.Exprs))
	for i, e := range t.Exprs {
		out[i] = &query.TargetEntry{Expr: e, ResNo: i + 1, SortGroupRef: prep.SortRef(t, i)}
	}
	return out
}

// trivialTarget reports whether a scan passes on a subquery's columns one by
// one, so that no node is needed for it.
func trivialTarget(rl *rel.RelOptInfo, sub *query.Query) bool {
	if len(rl.Target.Exprs) != len(sub.TargetList) {
		return false
	}
	for i, e := range rl.Target.Exprs {
		v, ok := e.(*query.Var)
		if !ok || v.VarNo != rl.Index || v.AttNo != i+1 {
			return false
		}
	}
	return true
}

// removeUnusedOutputs makes NULLs of a subquery's columns that nobody reads
// (remove_unused_subquery_outputs, allpaths.c). used are columns that are read
// in other ways.
func removeUnusedOutputs(root *rel.PlannerInfo, sub *query.Query, rl *rel.RelOptInfo, used query.Relids) {
	if sub.SetOperations != nil || len(sub.Distinct) > 0 && !sub.HasDistinctOn {
		return
	}
	attrs := eval.VarSet{}
	note := func(e query.Expr) {
		query.Walk(e, func(x query.Expr) bool {
			if v, ok := x.(*query.Var); ok && v.VarNo == rl.Index && v.LevelsUp == 0 {
				attrs.Add(v.VarNo, v.AttNo)
			}
			return true
		})
	}
	for _, e := range rl.Target.Exprs {
		note(e)
	}
	for _, r := range rl.BaseRestrict {
		note(r.Clause)
	}
	if attrs.Has(rl.Index, 0) {
		return
	}
	for _, te := range sub.TargetList {
		if te.SortGroupRef != 0 || te.Junk || attrs.Has(rl.Index, te.ResNo) || used.Has(te.ResNo) {
			continue
		}
		if sub.HasTargetSRFs && eval.ContainSRF(te.Expr) || eval.ContainVolatile(root.Global.Catalog, te.Expr) {
			continue
		}
		te.Expr = nullLike(root, te.Expr)
	}
}

// nullLike is a NULL of an expression's type (makeNullConst).
func nullLike(root *rel.PlannerInfo, e query.Expr) query.Expr {
	c := &query.Const{Null: true, Len: -1}
	c.Typ, c.Mod, c.Coll, c.Loc = e.ResultType(), e.ResultTypmod(), e.ResultCollation(), e.Span()
	if t := root.Global.Catalog.Type(c.Typ); t != nil {
		c.Len, c.ByVal = t.Len, t.ByVal
	}
	return c
}

// unsafeFlags say why no qual on a subquery's column may be pushed into it.
type unsafeFlags int

const (
	unsafeVolatile unsafeFlags = 1 << iota
	unsafeSet
	unsafeDistinctOn
	unsafePartitionBy // only as a run condition
	unsafeType
)

// pushDown decides what may be pushed into a subquery, and does it.
type pushDown struct {
	root  *rel.PlannerInfo
	sub   *query.Query
	rti   int
	leaky bool
	// volatile quals must stay: the subquery's rows are not its input's.
	volatile bool
	unsafe   []unsafeFlags // by column
	runAttrs query.Relids  // columns in run conditions
}

// safe reports whether quals may be pushed into q, the subquery itself or an arm
// of its set operations, and notes the columns that forbid it
// (subquery_is_pushdown_safe, allpaths.c).
func (d *pushDown) safe(q *query.Query) bool {
	if q.LimitOffset != nil || q.LimitCount != nil || len(q.GroupClause) > 0 && len(q.GroupingSets) > 0 {
		return false
	}
	if len(q.Distinct) > 0 || q.HasWindowFuncs || q.HasTargetSRFs {
		d.volatile = true
	}
	if q.SetOperations == nil {
		d.checkOutputs(q)
	}
	if q == d.sub {
		return q.SetOperations == nil || d.safeArms(q.SetOperations)
	}
	if q.SetOperations != nil {
		return false
	}
	top, ok := d.sub.SetOperations.(*query.SetOperationStmt)
	if !ok {
		return false
	}
	i := 0
	for _, te := range q.TargetList {
		if te.Junk {
			continue
		}
		if i >= len(top.ColTypes) {
			return false
		}
		if te.Expr.ResultType() != top.ColTypes[i] {
			d.unsafe[te.ResNo] |= unsafeType
		}
		i++
	}
	return i == len(top.ColTypes)
}

func (d *pushDown) safeArms(n query.SetOpNode) bool {
	switch n := n.(type) {
	case *query.RangeTblRef:
		return d.safe(d.sub.RTE(n.Index).Subquery)
	case *query.SetOperationStmt:
		return n.Op != query.SetOpExcept && d.safeArms(n.Left) && d.safeArms(n.Right)
	}
	return false
}

func inSortList(te *query.TargetEntry, list []*query.SortGroupClause) bool {
	return te.SortGroupRef != 0 && slices.ContainsFunc(list, func(c *query.SortGroupClause) bool { return c.Ref == te.SortGroupRef })
}

// checkOutputs notes the columns on which a qual must not go below
// (check_output_expressions, allpaths.c).
func (d *pushDown) checkOutputs(q *query.Query) {
	for _, te := range q.TargetList {
		if te.Junk || te.ResNo >= len(d.unsafe) {
			continue
		}
		have := &d.unsafe[te.ResNo]
		switch {
		case q.HasTargetSRFs && *have&unsafeSet == 0 && eval.ContainSRF(te.Expr):
			*have |= unsafeSet
		case *have&unsafeVolatile == 0 && eval.ContainVolatile(d.root.Global.Catalog, te.Expr):
			*have |= unsafeVolatile
		case q.HasDistinctOn && *have&unsafeDistinctOn == 0 && !inSortList(te, q.Distinct):
			*have |= unsafeDistinctOn
		case q.HasWindowFuncs && *have&unsafePartitionBy == 0 && slices.ContainsFunc(q.WindowClause, func(w *query.WindowClause) bool {
			return !inSortList(te, w.PartitionBy)
		}):
			*have |= unsafePartitionBy
		}
	}
}

// push pushes a restriction into the subquery if it may; it reports whether the
// restriction is now of no more use above.
func (d *pushDown) push(r *rel.RestrictInfo) bool {
	if r.PseudoConstant {
		return false
	}
	ok, run := d.qualSafe(r.Clause)
	switch {
	case ok:
		d.pushQual(d.sub, r.Clause)
		return true
	case run && d.sub.HasWindowFuncs:
		return !d.runCondition(r.Clause)
	}
	return false
}

// qualSafe says whether a qual may be pushed down, or could be a run condition
// of a window function (qual_is_pushdown_safe, allpaths.c).
func (d *pushDown) qualSafe(e query.Expr) (ok, run bool) {
	cat := d.root.Global.Catalog
	if eval.ContainSubPlans(e) || d.volatile && eval.ContainVolatile(cat, e) || d.leaky && eval.ContainLeakedVars(cat, e) {
		return false, false
	}
	ok = true
	for _, x := range eval.PullVars(e, eval.IncludePlaceHolders) {
		v, is := x.(*query.Var)
		if !is || v.VarNo != d.rti || v.AttNo <= 0 || v.AttNo >= len(d.unsafe) {
			return false, false
		}
		flags := d.unsafe[v.AttNo]
		if flags&^unsafePartitionBy != 0 {
			return false, false
		}
		if flags != 0 {
			ok, run = false, true
		}
	}
	return ok, run
}

// pushQual adds a qual to a query, or to the arms of its set operations
// (subquery_push_qual, allpaths.c).
func (d *pushDown) pushQual(q *query.Query, e query.Expr) {
	if q.SetOperations != nil {
		d.pushArms(q.SetOperations, q, e)
		return
	}
	e = eval.ReplaceVars(e, d.rti, func(v *query.Var) query.Expr {
		for _, te := range q.TargetList {
			if te.ResNo == v.AttNo {
				return te.Expr
			}
		}
		return v
	})
	q.HasSubLinks = q.HasSubLinks || eval.ContainSubPlans(e)
	if q.HasAggs || len(q.GroupClause) > 0 || len(q.GroupingSets) > 0 || q.Having != nil {
		q.Having = andQual(q.Having, e)
		return
	}
	q.JoinTree.Quals = andQual(q.JoinTree.Quals, e)
}

func (d *pushDown) pushArms(n query.SetOpNode, top *query.Query, e query.Expr) {
	switch n := n.(type) {
	case *query.RangeTblRef:
		d.pushQual(top.RTE(n.Index).Subquery, e)
	case *query.SetOperationStmt:
		d.pushArms(n.Left, top, e)
		d.pushArms(n.Right, top, e)
	}
}

// andQual joins two quals (make_and_qual, clauses.c).
func andQual(a, b query.Expr) query.Expr {
	if a == nil {
		return b
	}
	return eval.MakeBool(query.AndExpr, []query.Expr{a, b})
}
