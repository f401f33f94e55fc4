package upper

import (
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/path"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// newModifyTable makes the step that changes the table
// (create_modifytable_path, pathnode.c).
func newModifyTable(root *rel.PlannerInfo, rl *rel.RelOptInfo, sub rel.Path) *rel.ModifyTablePath {
	q := root.Parse
	prep.SpecialExecParam(root)
	p := &rel.ModifyTablePath{
		PathBase: rel.PathBase{Parent: rl, Target: &rel.PathTarget{}}, Sub: sub, Operation: q.Command,
		Nominal: q.ResultRelation, ResultRels: resultRelations(root), Returning: len(q.Returning) > 0,
		OnConflict: q.OnConflict,
	}
	cost.ModifyTable(cost.EstimateOf(sub), p.Returning).Set(&p.PathBase)
	if p.Returning {
		p.Target.Width = sub.Base().Target.Width
	}
	if q.OnConflict != nil {
		p.Arbiters = arbiters(root)
	}
	return p
}

// resultRelations are the tables that are changed: the target, or those of its
// children that may have rows to change; the target itself if none has
// (grouping_planner, planner.c).
func resultRelations(root *rel.PlannerInfo) []int {
	if root.AllResultRels.Len() < 2 {
		return []int{root.Parse.ResultRelation}
	}
	var out []int
	for i := range root.LeafResultRels.All() {
		if !root.Rels[i].Dummy {
			out = append(out, i)
		}
	}
	if len(out) == 0 {
		out = []int{root.Parse.ResultRelation}
	}
	return out
}

// arbiters infers the unique indexes that ON CONFLICT is about
// (infer_arbiter_indexes, plancat.c); none if it is about all.
func arbiters(root *rel.PlannerInfo) []*catalog.Index {
	q := root.Parse
	c := q.OnConflict
	if len(c.ArbiterElems) == 0 && c.Constraint == 0 {
		return nil
	}
	cat := root.Global.Catalog
	t := cat.Table(q.RTE(q.ResultRelation).Relation)
	if c.Constraint != 0 {
		for _, con := range t.Constraints {
			if x := cat.Index(con.Index); con.OID == c.Constraint && x != nil {
				return []*catalog.Index{x}
			}
		}
		root.Global.NotSupported("ON CONFLICT ON CONSTRAINT without an index")
		return nil
	}
	var attrs query.Relids
	var exprs []query.Expr
	for _, el := range c.ArbiterElems {
		if v, ok := el.Arg.(*query.Var); ok && v.AttNo > 0 {
			attrs = attrs.Add(v.AttNo)
		} else {
			exprs = append(exprs, el.Arg)
		}
	}
	var out []*catalog.Index
	for _, x := range t.Indexes {
		if x.Valid && x.Unique && !x.Hypothetical && arbitrates(root, x, attrs, exprs) {
			out = append(out, x)
		}
	}
	slices.SortStableFunc(out, func(a, b *catalog.Index) int { return int(a.OID) - int(b.OID) })
	if len(out) == 0 {
		root.Global.NotSupported("ON CONFLICT: no unique index matches")
	}
	return out
}

// arbitrates reports whether a unique index is the one that ON CONFLICT
// describes: over the same columns and expressions, its predicate implied.
func arbitrates(root *rel.PlannerInfo, x *catalog.Index, attrs query.Relids, exprs []query.Expr) bool {
	varno := root.Parse.ResultRelation
	var columns query.Relids
	var indexed []query.Expr
	for _, k := range x.Keys[:x.NumKeys] {
		if k.Column > 0 {
			columns = columns.Add(k.Column)
		} else {
			indexed = append(indexed, eval.Fold(root.Global, eval.ChangeVarNo(k.Expr, 1, varno)))
		}
	}
	if columns != attrs {
		return false
	}
	c := root.Parse.OnConflict
	for _, el := range c.ArbiterElems {
		if !inferMatches(root.Global.Catalog, el, x, indexed) {
			return false
		}
		if _, ok := el.Arg.(*query.Var); ok || el.InferColl != 0 || el.OpClass != 0 {
			continue
		}
		if !hasExpr(indexed, el.Arg) {
			return false
		}
	}
	for _, e := range indexed {
		if !hasExpr(exprs, e) {
			return false
		}
	}
	var predicate, where []query.Expr
	for _, e := range x.Predicate {
		predicate = append(predicate, eval.AndList(eval.Fold(root.Global, eval.ChangeVarNo(e, 1, varno)))...)
	}
	if c.ArbiterWhere != nil {
		where = eval.AndList(c.ArbiterWhere)
	}
	return path.PredicateImpliedBy(root, predicate, where, false)
}

// inferMatches reports whether an index has a column with the collation and
// operator class that an element asks for (infer_collation_opclass_match,
// plancat.c).
func inferMatches(cat *catalog.Catalog, el *query.InferenceElem, x *catalog.Index, indexed []query.Expr) bool {
	if el.InferColl == 0 && el.OpClass == 0 {
		return true
	}
	oc := cat.OpClass(el.OpClass)
	at := 0
	for _, k := range x.Keys {
		var e query.Expr
		if k.Column == 0 && at < len(indexed) {
			e = indexed[at]
			at++
		}
		if oc != nil && (oc.Family != k.Family || oc.InType != k.InType) || el.InferColl != 0 && el.InferColl != k.Collation {
			continue
		}
		if v, ok := el.Arg.(*query.Var); ok {
			if v.AttNo == k.Column {
				return true
			}
		} else if e != nil && query.Equal(el.Arg, e) {
			return true
		}
	}
	return false
}
