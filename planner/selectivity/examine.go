package selectivity

import (
	"math"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/stats"
)

// VarData is what is known of an expression (VariableStatData, utils/selfuncs.h).
type VarData struct {
	// Var is the expression without a RelabelType on top, where that is of no
	// matter.
	Var query.Expr
	// Rel is the relation it belongs to, nil if to none; a join relation for an
	// expression over several.
	Rel *rel.RelOptInfo
	// Stats are its statistics, nil if there are none.
	Stats *stats.Column
	// VarType is the type that the expression shows, Type and Typmod those of
	// what is inside a RelabelType.
	VarType pgtype.OID
	Type    pgtype.OID
	Typmod  pgtype.Typmod
	// Unique: a unique index or DISTINCT proves its values distinct.
	Unique bool

	root *rel.PlannerInfo
	// readable: the values may be shown to functions that are not leakproof.
	readable bool
	noValues bool
	mcv      *[]pgtype.Datum
	hist     *[]pgtype.Datum
	// pred is the last function that was prepared, predOf which it is and under
	// which collation.
	pred   predicate
	predOf [2]pgtype.OID
}

// baseRel returns a base relation, nil for an index that has none
// (find_base_rel, relnode.c).
func baseRel(root *rel.PlannerInfo, i int) *rel.RelOptInfo {
	if i <= 0 || i >= len(root.Rels) {
		return nil
	}
	return root.Rels[i]
}

// joinRel returns the join relation over relids, nil if it was not made yet
// (find_join_rel, relnode.c).
func joinRel(root *rel.PlannerInfo, relids query.Relids) *rel.RelOptInfo {
	if r := root.JoinRelIndex[relids]; r != nil {
		return r
	}
	for _, r := range root.JoinRels {
		if r.Relids == relids {
			return r
		}
	}
	return nil
}

// Examine looks up the statistics of an expression (examine_variable,
// selfuncs.c). With varRelid, only that relation's columns are taken as
// variables.
func Examine(root *rel.PlannerInfo, e query.Expr, varRelid int) *VarData {
	v := &VarData{root: root, VarType: e.ResultType(), readable: true}
	base := e
	if r, ok := e.(*query.RelabelType); ok {
		base = r.Arg
	}
	if col, ok := base.(*query.Var); ok && col.LevelsUp == 0 && (varRelid == 0 || varRelid == col.VarNo) {
		v.Var, v.Rel = base, baseRel(root, col.VarNo)
		v.Type, v.Typmod = col.Typ, col.Mod
		v.Unique = hasUniqueIndex(v.Rel, col.AttNo)
		v.simple(root, col)
		return v
	}
	varnos := eval.PullVarNos(root, base)
	baseVarnos := varnos.Minus(root.OuterJoins)
	var one *rel.RelOptInfo
	node := e
	if id, single := baseVarnos.Single(); single {
		if varRelid == 0 || varRelid == id {
			one = baseRel(root, id)
			v.Rel, node = one, base
		}
	} else if !baseVarnos.IsEmpty() {
		if varRelid == 0 {
			v.Rel, node = joinRel(root, varnos), base
		} else if varnos.Has(varRelid) {
			v.Rel, node = baseRel(root, varRelid), base
		}
	}
	v.Var, v.Type, v.Typmod = node, node.ResultType(), node.ResultTypmod()
	if one != nil {
		v.expression(one, eval.RemoveNullingRels(node, root.OuterJoins, query.Relids{}))
	}
	return v
}

// expression looks for an index, or extended statistics, over an expression.
func (v *VarData) expression(b *rel.RelOptInfo, node query.Expr) {
	for _, x := range b.Indexes {
		at := 0
		for pos := range x.Keys {
			if x.Keys[pos] != 0 || pos >= x.NCols {
				continue
			}
			if at >= len(x.Exprs) {
				break
			}
			key := x.Exprs[at]
			at++
			if r, ok := key.(*query.RelabelType); ok {
				key = r.Arg
			}
			if !query.Equal(node, key) {
				continue
			}
			if x.Unique && x.NKeyCols == 1 && pos == 0 && (len(x.Predicate) == 0 || x.PredOK) {
				v.Unique = true
			}
			if len(x.Predicate) == 0 {
				v.Stats = indexStats(v, x, pos)
				v.readable = v.allRows(b.Index)
				if v.Stats != nil {
					return
				}
			}
		}
	}
	if _, isVar := node.(*query.Var); isVar {
		return
	}
	for _, x := range b.ExtStats {
		if len(x.Exprs) > 0 {
			v.root.Global.Approximate("extended statistics over expressions are not used")
			return
		}
	}
}

// simple looks up the statistics of a column, through subqueries
// (examine_simple_variable, selfuncs.c).
func (v *VarData) simple(root *rel.PlannerInfo, col *query.Var) {
	if col.VarNo <= 0 || col.VarNo >= len(root.RTEs) || root.RTEs[col.VarNo] == nil {
		return
	}
	rte := root.RTEs[col.VarNo]
	switch {
	case rte.Kind == query.RTERelation:
		v.root = root
		v.Stats = columnStats(v, root, rte, col.AttNo)
		v.readable = v.allRows(col.VarNo)
	case rte.Kind == query.RTESubquery && !rte.Inherit, rte.Kind == query.RTECTE && !rte.SelfRef && root.Global.Version(17):
		v.throughSubquery(root, rte, col)
	}
}

func (v *VarData) throughSubquery(root *rel.PlannerInfo, rte *query.RangeTblEntry, col *query.Var) {
	if col.AttNo == 0 {
		return
	}
	var sub *rel.PlannerInfo
	if rte.Kind == query.RTESubquery {
		if b := baseRel(root, col.VarNo); b != nil {
			sub = b.SubRoot
		}
	} else {
		sub = cteRoot(root, rte)
	}
	if sub == nil {
		return
	}
	q := sub.Parse
	if q.SetOperations != nil || len(q.GroupingSets) > 0 {
		return
	}
	groups := len(q.GroupClause) > 0
	if groups && !root.Global.Version(18) {
		return
	}
	list := q.TargetList
	if len(q.Returning) > 0 {
		list = q.Returning
	}
	var target *query.TargetEntry
	for _, t := range list {
		if t.ResNo == col.AttNo && !t.Junk {
			target = t
		}
	}
	if target == nil {
		return
	}
	if len(q.Distinct) > 0 {
		v.Unique = v.Unique || len(q.Distinct) == 1 && refersTo(target, q.Distinct)
		return
	}
	if groups {
		v.Unique = v.Unique || len(q.GroupClause) == 1 && refersTo(target, q.GroupClause)
		return
	}
	if rte.SecurityBarrier {
		return
	}
	if inner, ok := target.Expr.(*query.Var); ok && inner.LevelsUp == 0 {
		v.simple(sub, inner)
	}
}

func refersTo(t *query.TargetEntry, list []*query.SortGroupClause) bool {
	if t.SortGroupRef == 0 {
		return false
	}
	for _, s := range list {
		if s.Ref == t.SortGroupRef {
			return true
		}
	}
	return false
}

// cteRoot finds the planned query of a CTE, nil if there is none yet.
func cteRoot(root *rel.PlannerInfo, rte *query.RangeTblEntry) *rel.PlannerInfo {
	at := root
	for range rte.CTELevels {
		if at = at.Parent; at == nil {
			return nil
		}
	}
	for i, c := range at.Parse.CTEs {
		if c.Name != rte.CTEName {
			continue
		}
		if i >= len(at.CTEPlanIDs) {
			return nil
		}
		id := at.CTEPlanIDs[i]
		if id <= 0 || id > len(root.Global.Subplans) {
			return nil
		}
		return root.Global.Subplans[id-1].Root
	}
	return nil
}

// hasUniqueIndex reports whether an index makes a column unique
// (has_unique_index, plancat.c).
func hasUniqueIndex(b *rel.RelOptInfo, attno int) bool {
	if b == nil {
		return false
	}
	for _, x := range b.Indexes {
		if x.Unique && x.NKeyCols == 1 && len(x.Keys) > 0 && x.Keys[0] == attno && (len(x.Predicate) == 0 || x.PredOK) {
			return true
		}
	}
	return false
}

// allRows reports whether every row may be looked at: no row-level security
// stands before the relation or a parent. The planning role is taken to own the
// tables (all_rows_selectable, selfuncs.c).
func (v *VarData) allRows(i int) bool {
	for i > 0 && i < len(v.root.RTEs) && v.root.RTEs[i] != nil {
		if len(v.root.RTEs[i].SecurityQuals) > 0 {
			return false
		}
		if i >= len(v.root.Append) || v.root.Append[i] == nil {
			return true
		}
		up := v.root.Append[i].Parent
		if up >= len(v.root.RTEs) || v.root.RTEs[up] == nil || v.root.RTEs[up].Kind != query.RTERelation {
			return true
		}
		i = up
	}
	return true
}

// allows reports whether a function may see the statistics' values
// (statistic_proc_security_check, selfuncs.c).
func (v *VarData) allows(fn pgtype.OID) bool {
	if v.readable {
		return true
	}
	f := v.root.Global.Catalog.Func(fn)
	return f != nil && f.LeakProof
}

// nullFrac is the fraction of NULLs, 0 where it is not known.
func (v *VarData) nullFrac() float64 {
	if v.Stats == nil {
		return 0
	}
	return v.Stats.NullFrac
}

// NDistinct estimates the number of distinct values; isDefault says that it is
// a guess without any ground (get_variable_numdistinct, selfuncs.c).
func (v *VarData) NDistinct() (nd float64, isDefault bool) {
	d, nullFrac := 0.0, 0.0
	switch {
	case v.Stats != nil:
		d, nullFrac = v.Stats.NDistinct, v.Stats.NullFrac
	case v.VarType == pgtype.BoolOID:
		d = 2
	case v.Rel != nil && v.Rel.RTEKind == query.RTEValues:
		d = -1
	default:
		if col, ok := v.Var.(*query.Var); ok {
			switch col.AttNo {
			case -1: // ctid
				d = -1
			case -6: // tableoid
				d = 1
			}
		}
	}
	if v.Unique {
		d = -1.0 * (1.0 - nullFrac)
	}
	if d > 0 {
		return clampRows(d), false
	}
	if v.Rel == nil || v.Rel.Tuples <= 0 {
		return DefaultNumDistinct, true
	}
	switch tuples := v.Rel.Tuples; {
	case d < 0:
		return clampRows(-d * tuples), false
	case tuples < DefaultNumDistinct:
		return clampRows(tuples), false
	}
	return DefaultNumDistinct, true
}

// clampRows makes an estimate a sane number of rows (clamp_row_est,
// costsize.c).
func clampRows(n float64) float64 {
	switch {
	case n > 1e100 || math.IsNaN(n):
		return 1e100
	case n <= 1:
		return 1
	}
	return math.RoundToEven(n)
}

// restrictionVar takes a clause apart into a variable and the value it is
// compared with; ok is false for other clauses (get_restriction_variable,
// selfuncs.c).
func (c *context) restrictionVar(args []query.Expr) (v *VarData, other query.Expr, onLeft, ok bool) {
	if len(args) != 2 {
		return nil, nil, false, false
	}
	l, r := Examine(c.root, args[0], c.varRelid), Examine(c.root, args[1], c.varRelid)
	switch {
	case l.Rel != nil && r.Rel == nil:
		return l, eval.Estimate(c.root.Global, r.Var), true, true
	case l.Rel == nil && r.Rel != nil:
		return r, eval.Estimate(c.root.Global, l.Var), false, true
	}
	return nil, nil, false, false
}

// joinVars examines both sides of a join clause; reversed says that the left
// argument belongs to the join's right side (get_join_variables, selfuncs.c).
func (c *context) joinVars(args []query.Expr) (l, r *VarData, reversed bool) {
	l, r = Examine(c.root, args[0], 0), Examine(c.root, args[1], 0)
	switch {
	case l.Rel != nil && l.Rel.Relids.IsSubset(c.sj.SynRight):
		reversed = true
	case r.Rel != nil && r.Rel.Relids.IsSubset(c.sj.SynLeft):
		reversed = true
	}
	return l, r, reversed
}

// collationOf is the collation of the statistics' values.
func (v *VarData) collation() pgtype.OID {
	if c := v.Var.ResultCollation(); c != 0 {
		return c
	}
	return 0
}

func (v *VarData) catalog() *catalog.Catalog { return v.root.Global.Catalog }
