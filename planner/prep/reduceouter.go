package prep

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// reduceOuterJoins turns outer joins into simpler ones where a strict qual
// above rejects the rows that they add, and left joins whose inner side must be
// NULL into anti joins (reduce_outer_joins, prepjointree.c).
func reduceOuterJoins(root *rel.PlannerInfo) {
	r := &outerReducer{root: root, outers: map[query.JoinNode]bool{}}
	r.scan(root.Parse.JoinTree)
	r.reduce(root.Parse.JoinTree, query.Relids{}, eval.VarSet{})
	if !r.toInner.IsEmpty() {
		removeNullingRelsAll(root, r.toInner, query.Relids{})
	}
	for _, p := range r.partial {
		removeNullingRelsAll(root, query.MakeRelids(p.join), p.unreduced)
	}
}

// removeNullingRelsAll takes outer joins out of every Var of the query level.
func removeNullingRelsAll(root *rel.PlannerInfo, joins, except query.Relids) {
	*root.Parse = *eval.RemoveNullingRelsQuery(root.Parse, joins, except)
	for _, a := range root.AppendRels {
		for i, v := range a.Vars {
			a.Vars[i] = eval.RemoveNullingRels(v, joins, except)
		}
	}
}

type outerReducer struct {
	root    *rel.PlannerInfo
	outers  map[query.JoinNode]bool // nodes with an outer join in or below
	toInner query.Relids
	partial []partialReduction
}

type partialReduction struct {
	join      int
	unreduced query.Relids
}

func (r *outerReducer) scan(n query.JoinNode) bool {
	has := false
	switch n := n.(type) {
	case *query.FromExpr:
		for _, c := range n.List {
			has = r.scan(c) || has
		}
	case *query.JoinExpr:
		has = n.Type.IsOuter()
		has = r.scan(n.Left) || has
		has = r.scan(n.Right) || has
	}
	r.outers[n] = has
	return has
}

// relids of a subtree, without joins' own indexes.
func relids(n query.JoinNode) query.Relids { return JoinTreeRelids(n, false, false) }

func (r *outerReducer) reduce(n query.JoinNode, nonnull query.Relids, forced eval.VarSet) {
	cat := r.root.Global.Catalog
	switch n := n.(type) {
	case *query.FromExpr:
		pass := eval.NonNullableRels(cat, n.Quals).Union(nonnull)
		passForced := eval.ForcedNullVars(n.Quals)
		passForced.AddAll(forced)
		for _, c := range n.List {
			if r.outers[c] {
				r.reduce(c, pass, passForced)
			}
		}
	case *query.JoinExpr:
		jt := n.Type
		left, right := relids(n.Left), relids(n.Right)
		switch jt {
		case query.JoinLeft:
			if nonnull.Overlaps(right) {
				jt = query.JoinInner
			}
		case query.JoinRight:
			if nonnull.Overlaps(left) {
				jt = query.JoinInner
			}
		case query.JoinFull:
			switch l, ri := nonnull.Overlaps(left), nonnull.Overlaps(right); {
			case l && ri:
				jt = query.JoinInner
			case l:
				jt = query.JoinLeft
				r.partial = append(r.partial, partialReduction{n.Index, right})
			case ri:
				jt = query.JoinRight
				r.partial = append(r.partial, partialReduction{n.Index, left})
			}
		}
		if jt == query.JoinRight {
			n.Left, n.Right = n.Right, n.Left
			jt = query.JoinLeft
			right = left
		}
		if jt == query.JoinLeft {
			// The join's own condition needs a column to be not null that a
			// qual above needs to be null: only unmatched rows come through.
			if eval.NonNullableVars(cat, n.Quals).OverlapRels(forced).Overlaps(right) {
				jt = query.JoinAnti
			}
		}
		if n.Index != 0 && jt != n.Type {
			rte := *r.root.Parse.RTE(n.Index)
			rte.JoinType = jt
			r.root.Parse.RangeTable[n.Index-1] = &rte
			if jt == query.JoinInner {
				r.toInner = r.toInner.Add(n.Index)
			}
		}
		n.Type = jt
		r.below(n, jt, nonnull, forced)
	}
}

// below goes on to the sides of a join with what its type lets through.
func (r *outerReducer) below(n *query.JoinExpr, jt query.JoinType, nonnull query.Relids, forced eval.VarSet) {
	if !r.outers[n.Left] && !r.outers[n.Right] {
		return
	}
	cat := r.root.Global.Catalog
	inner := jt == query.JoinInner || jt == query.JoinSemi
	var local query.Relids
	localForced := eval.VarSet{}
	if jt != query.JoinFull {
		local = eval.NonNullableRels(cat, n.Quals)
		localForced = eval.ForcedNullVars(n.Quals)
		if inner {
			local = local.Union(nonnull)
			localForced.AddAll(forced)
		}
	}
	if r.outers[n.Left] {
		switch {
		case inner:
			r.reduce(n.Left, local, localForced)
		case jt != query.JoinFull:
			r.reduce(n.Left, nonnull, forced)
		default:
			r.reduce(n.Left, query.Relids{}, eval.VarSet{})
		}
	}
	if r.outers[n.Right] {
		r.reduce(n.Right, local, localForced)
	}
}
