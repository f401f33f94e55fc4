package join

import (
	"slices"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/selectivity"
)

// memoize puts a cache on top of an inner path that depends on the outer row,
// nil if that is not possible or of no use (get_memoize_path, joinpath.c).
func (b *builder) memoize(inner, outer rel.Path) rel.Path {
	g := b.root.Global
	in := inner.Base()
	if !g.Settings.EnableMemoize || outer.Base().Parent.Rows < 2 {
		return nil
	}
	lateral := b.placeHolderLaterals()
	noParams := in.Param == nil || len(in.Param.Clauses) == 0
	if noParams && len(b.inner.LateralVars) == 0 && len(lateral) == 0 {
		return nil
	}
	x := b.extra
	if !x.InnerUnique && (b.jt == query.JoinSemi || b.jt == query.JoinAnti) {
		return nil
	}
	// A cached row is taken for the only match, so all clauses must have been
	// checked below.
	if x.InnerUnique && (in.Param == nil || b.checkedBelow(in.Param) < len(x.Restrict)) {
		return nil
	}
	volatile := func(e query.Expr) bool { return eval.ContainVolatile(g.Catalog, e) }
	volatileClause := func(r *rel.RestrictInfo) bool { return volatile(r.Clause) }
	if slices.ContainsFunc(b.inner.Target.Exprs, volatile) || slices.ContainsFunc(b.inner.BaseRestrict, volatileClause) {
		return nil
	}
	if in.Param != nil && slices.ContainsFunc(in.Param.Clauses, volatileClause) {
		return nil
	}
	m := &rel.MemoizePath{Sub: inner, SingleRow: x.InnerUnique}
	if !b.memoizeKeys(m, in.Param, lateral) {
		return nil
	}
	p := b.params()
	m.Parent, m.Target, m.Param = b.inner, b.inner.Target, in.Param
	m.ParallelSafe = b.inner.ConsiderParallel && in.ParallelSafe
	m.ParallelWorkers, m.PathKeys = in.ParallelWorkers, in.PathKeys
	m.Calls = cost.ClampRows(outer.Base().Rows)
	// The first run misses and stores one entry.
	m.Startup, m.Total = in.Startup+p.CPUTupleCost, in.Total+p.CPUTupleCost
	m.Rows, m.DisabledNodes = in.Rows, in.DisabledNodes
	return m
}

// checkedBelow counts the clauses that a parameterisation enforces.
func (b *builder) checkedBelow(p *rel.ParamPathInfo) int {
	if b.root.Global.Version(16) {
		return len(p.Serials)
	}
	return len(p.Clauses)
}

// memoizeKeys finds the cache's keys: the outer side of each clause, which must
// be an equality that can be hashed, and LATERAL references
// (paraminfo_get_equal_hashops).
func (b *builder) memoizeKeys(m *rel.MemoizePath, param *rel.ParamPathInfo, lateral []query.Expr) bool {
	g := b.root.Global
	outer := b.outer
	if outer.TopParent != nil {
		outer = outer.TopParent
	}
	add := func(e query.Expr, op pgtype.OID) {
		// A key that occurs twice counts twice before 17.
		if g.Version(17) && slices.ContainsFunc(m.Params, func(x query.Expr) bool { return query.Equal(x, e) }) {
			return
		}
		m.Params, m.HashOps = append(m.Params, e), append(m.HashOps, op)
	}
	if param != nil {
		for _, r := range param.Clauses {
			left, right, ok := prep.Sides(r.Clause)
			if !ok || !sidesMatch(r, outer, b.inner) {
				return false
			}
			e, op := right, r.RightHashEqOp
			if r.OuterIsLeft {
				e, op = left, r.LeftHashEqOp
			}
			if op == 0 {
				return false
			}
			add(e, op)
			if r.HashOp == 0 {
				// Equal by another operator: only the same bytes are the same.
				m.BinaryMode = true
			}
		}
	}
	for _, e := range append(slices.Clone(b.inner.LateralVars), lateral...) {
		typ := e.ResultType()
		op := g.Catalog.EqualityOp(typ)
		if eval.ContainVolatile(g.Catalog, e) || op == 0 || !g.Catalog.HasHash(typ) {
			return false
		}
		add(e, op)
		m.BinaryMode = true
	}
	return true
}

// placeHolderLaterals returns the LATERAL references inside placeholders that
// the inner relation computes (extract_lateral_vars_from_PHVs, since 18).
func (b *builder) placeHolderLaterals() []query.Expr {
	root := b.root
	if !root.Global.Version(18) || !root.HasLateralRTEs || b.inner.Relids.Len() != 1 {
		return nil
	}
	var out []query.Expr
	for _, ph := range root.PlaceHolders {
		if ph.Lateral.IsEmpty() || ph.EvalAt != b.inner.Relids {
			continue
		}
		if !eval.PullVarNos(root, ph.Var.Arg).Overlaps(b.inner.Relids) {
			out = append(out, ph.Var.Arg)
			continue
		}
		for _, e := range eval.PullVarsOfLevel(ph.Var.Arg, 0) {
			switch v := e.(type) {
			case *query.Var:
				if ph.Lateral.Has(v.VarNo) {
					out = append(out, v)
				}
			case *query.PlaceHolderVar:
				if prep.FindPlaceHolder(root, v).EvalAt.IsSubset(ph.Lateral) {
					out = append(out, v)
				}
			}
		}
	}
	return out
}

// Rescan is the cost of running a path again, of a cache as far as it is
// expected to miss (cost_rescan, cost_memoize_rescan, costsize.c).
func Rescan(root *rel.PlannerInfo, p rel.Path) (startup, total float64) {
	params := cost.ParamsOf(root.Global)
	m, ok := p.(*rel.MemoizePath)
	if !ok {
		return cost.Rescan(params, p)
	}
	sub := m.Sub.Base()
	in := cost.MemoizeScan{Input: cost.EstimateOf(m.Sub), Width: sub.Target.Width, Calls: m.Calls}
	for _, e := range m.Params {
		in.KeyWidth += prep.ExprWidth(root, e)
	}
	groups, isDefault := selectivity.NumGroupsInfo(root, m.Params, m.Calls)
	in.Distinct = groups
	if isDefault {
		// A mere guess must not make a cache look good.
		in.Distinct = m.Calls
	}
	startup, total, m.EstEntries = params.MemoizeRescan(in)
	return startup, total
}
