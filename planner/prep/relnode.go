package prep

import (
	"math"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// NewRel returns a relation with what all kinds start with.
func NewRel(root *rel.PlannerInfo, kind rel.RelKind, relids query.Relids) *rel.RelOptInfo {
	return &rel.RelOptInfo{
		Kind: kind, Relids: relids, ConsiderStartup: root.TupleFraction > 0,
		Target: &rel.PathTarget{}, ParallelWorkers: -1, BaseMinSecurity: math.MaxInt, NParts: -1,
	}
}

// BuildSimpleRel makes the RelOptInfo of a range table entry; parent is given
// for a child of an append relation (build_simple_rel, relnode.c).
func BuildSimpleRel(root *rel.PlannerInfo, index int, parent *rel.RelOptInfo) *rel.RelOptInfo {
	rte := root.RTEs[index]
	kind := rel.BaseRel
	if parent != nil {
		kind = rel.OtherMemberRel
	}
	rl := NewRel(root, kind, query.MakeRelids(index))
	rl.Index, rl.RTEKind = index, rte.Kind
	if parent != nil {
		rl.ParentRel, rl.TopParent = parent, parent
		if parent.TopParent != nil {
			rl.TopParent = parent.TopParent
		}
		rl.TopParentRelids = rl.TopParent.Relids
		rl.NullingRels = parent.NullingRels
		rl.DirectLateral, rl.LateralRelids = parent.DirectLateral, parent.LateralRelids
		rl.LateralReferencers = parent.LateralReferencers
	}
	root.Rels[index] = rl
	switch rte.Kind {
	case query.RTERelation:
		getRelationInfo(root, rte, rl)
	case query.RTEResult:
		rl.MinAttr, rl.MaxAttr = 0, -1
	default:
		rl.MinAttr, rl.MaxAttr = 0, len(rte.ERef.Columns)
		rl.AttrNeeded = make([]query.Relids, rl.MaxAttr+1)
		rl.AttrWidths = make([]int, rl.MaxAttr+1)
	}
	if parent != nil && !applyChildBaseQuals(root, parent, rl, root.Append[index]) {
		rl.Dummy = true
	}
	return rl
}

// FindBaseRel returns a base or child relation; it panics if there is none,
// which is a broken invariant (find_base_rel).
func FindBaseRel(root *rel.PlannerInfo, index int) *rel.RelOptInfo {
	if rl := root.Rels[index]; rl != nil {
		return rl
	}
	panic("prep: no such base relation")
}

// FindJoinRel returns the join relation of a set, nil if it is not made yet.
func FindJoinRel(root *rel.PlannerInfo, relids query.Relids) *rel.RelOptInfo {
	return root.JoinRelIndex[relids]
}

// FetchUpperRel returns the upper relation of a step, making it at its first
// use (fetch_upper_rel).
func FetchUpperRel(root *rel.PlannerInfo, kind rel.UpperKind, relids query.Relids) *rel.RelOptInfo {
	for _, rl := range root.UpperRels[kind] {
		if rl.Relids == relids {
			return rl
		}
	}
	rl := NewRel(root, rel.UpperRelation, relids)
	root.UpperRels[kind] = append(root.UpperRels[kind], rl)
	return rl
}

// ChildRelParents returns the indexes of all parents of a child relation
// (find_childrel_parents).
func ChildRelParents(root *rel.PlannerInfo, rl *rel.RelOptInfo) query.Relids {
	var out query.Relids
	for rl.Kind == rel.OtherMemberRel {
		p := root.Append[rl.Index].Parent
		out = out.Add(p)
		rl = root.Rels[p]
	}
	return out
}

// FindParamPathInfo returns the parameterisation that a relation has for a set
// of outer relations, nil if none was made (find_param_path_info).
func FindParamPathInfo(rl *rel.RelOptInfo, outer query.Relids) *rel.ParamPathInfo {
	for _, p := range rl.ParamPathInfos {
		if p.RequiredOuter == outer {
			return p
		}
	}
	return nil
}

// GetBaseRelParamPathInfo returns the parameterisation of a base relation's
// paths by a set of outer relations; nil for the empty set. size estimates the
// rows given the clauses (get_baserel_parampathinfo).
func GetBaseRelParamPathInfo(root *rel.PlannerInfo, rl *rel.RelOptInfo, outer query.Relids, size func([]*rel.RestrictInfo) float64) *rel.ParamPathInfo {
	if outer.IsEmpty() {
		return nil
	}
	if p := FindParamPathInfo(rl, outer); p != nil {
		return p
	}
	joined := rl.Relids.Union(outer)
	var clauses []*rel.RestrictInfo
	for _, r := range rl.JoinInfo {
		if JoinClauseIsMovableInto(r, rl.Relids, joined) {
			clauses = append(clauses, r)
		}
	}
	clauses = append(clauses, GenerateJoinImpliedEqualities(root, joined, outer, rl, nil)...)
	p := &rel.ParamPathInfo{RequiredOuter: outer, Clauses: clauses, Serials: map[int]bool{}}
	for _, r := range clauses {
		p.Serials[r.Serial] = true
	}
	p.Rows = size(clauses)
	rl.ParamPathInfos = append(rl.ParamPathInfos, p)
	return p
}

// GetAppendRelParamPathInfo is the same for an append relation, whose children
// hold the clauses (get_appendrel_parampathinfo).
func GetAppendRelParamPathInfo(rl *rel.RelOptInfo, outer query.Relids) *rel.ParamPathInfo {
	if outer.IsEmpty() {
		return nil
	}
	if p := FindParamPathInfo(rl, outer); p != nil {
		return p
	}
	p := &rel.ParamPathInfo{RequiredOuter: outer}
	rl.ParamPathInfos = append(rl.ParamPathInfos, p)
	return p
}

// ClauseSerials returns the serial numbers of the clauses that a parameterised
// path enforces (get_param_path_clause_serials); nil if it has no parameters.
func ClauseSerials(p rel.Path) map[int]bool {
	b := p.Base()
	if b.Param == nil {
		return nil
	}
	var join *rel.JoinPath
	var subs []rel.Path
	switch p := p.(type) {
	case *rel.NestPath:
		join = &p.JoinPath
	case *rel.MergePath:
		join = &p.JoinPath
	case *rel.HashPath:
		join = &p.JoinPath
	case *rel.AppendPath:
		subs = p.Subs
	case *rel.MergeAppendPath:
		subs = p.Subs
	default:
		return b.Param.Serials
	}
	out := map[int]bool{}
	if join != nil {
		for _, side := range []rel.Path{join.Outer, join.Inner} {
			for s := range ClauseSerials(side) {
				out[s] = true
			}
		}
		for _, r := range join.Restrict {
			out[r.Serial] = true
		}
		return out
	}
	for i, sub := range subs {
		have := ClauseSerials(sub)
		if i == 0 {
			for s := range have {
				out[s] = true
			}
			continue
		}
		for s := range out {
			if !have[s] {
				delete(out, s)
			}
		}
	}
	return out
}
