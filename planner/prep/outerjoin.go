package prep

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// makeOuterJoinInfo works out which relations an outer or semi join needs on
// each side, and so which join orders are legal (make_outerjoininfo,
// initsplan.c).
func (d *deconstructor) makeOuterJoinInfo(it *joinItem, jt query.JoinType, index int, quals []query.Expr) *rel.SpecialJoinInfo {
	root := d.root
	left, right := it.left, it.right
	sj := &rel.SpecialJoinInfo{SynLeft: left, SynRight: right, Type: jt, OJRelid: index}
	for _, m := range root.Parse.RowMarks {
		if right.Has(m.Index) || jt == query.JoinFull && left.Has(m.Index) {
			root.Global.NotSupported("FOR UPDATE on the nullable side of an outer join, which the server refuses")
		}
	}
	d.semiJoinInfo(sj, quals)
	if jt == query.JoinFull {
		sj.MinLeft, sj.MinRight = left, right
		return sj
	}
	cat := root.Global.Catalog
	clauses := eval.PullVarNosList(root, quals)
	strict := eval.NonNullableRelsList(cat, quals)
	sj.LHSStrict = strict.Overlaps(left)
	minLeft := clauses.Intersect(left)
	minRight := clauses.Union(it.inner).Intersect(right)
	var belowL, belowR query.Relids
	for _, o := range root.JoinInfoList {
		all := o.SynLeft.Union(o.SynRight)
		if o.OJRelid != 0 {
			all = all.Add(o.OJRelid)
		}
		if o.Type == query.JoinFull {
			if left.Overlaps(o.SynLeft) || left.Overlaps(o.SynRight) {
				minLeft = minLeft.Union(all)
			}
			if right.Overlaps(o.SynLeft) || right.Overlaps(o.SynRight) {
				minRight = minRight.Union(all)
			}
			continue
		}
		unsafePHV := o.OJRelid != 0 && containPlaceHolderReferences(root, quals, o.OJRelid)
		if left.Overlaps(o.SynRight) {
			switch {
			case clauses.Overlaps(o.SynRight) &&
				(unsafePHV || jt == query.JoinSemi || jt == query.JoinAnti || !strict.Overlaps(o.MinRight)):
				minLeft = minLeft.Union(all)
			case jt == query.JoinLeft && o.Type == query.JoinLeft &&
				strict.Overlaps(o.MinRight) && !clauses.Overlaps(o.SynLeft):
				// Identity 3 of the planner's README lets the two commute.
				minLeft = minLeft.Remove(o.OJRelid)
				belowL = belowL.Add(o.OJRelid)
			}
		}
		if right.Overlaps(o.SynRight) {
			semiOrAnti := func(t query.JoinType) bool { return t == query.JoinSemi || t == query.JoinAnti }
			switch {
			case clauses.Overlaps(o.SynRight) || !clauses.Overlaps(o.MinLeft) || unsafePHV ||
				semiOrAnti(jt) || semiOrAnti(o.Type) || !o.LHSStrict:
				minRight = minRight.Union(all)
			case jt == query.JoinLeft && o.Type == query.JoinLeft && o.LHSStrict:
				minRight = minRight.Remove(o.OJRelid)
				belowR = belowR.Add(o.OJRelid)
			}
		}
	}
	for _, ph := range root.PlaceHolders {
		if ph.Var.Rels.IsSubset(right) {
			minRight = minRight.Union(ph.EvalAt)
		}
	}
	if minLeft.IsEmpty() {
		minLeft = left
	}
	if minRight.IsEmpty() {
		minRight = right
	}
	sj.MinLeft, sj.MinRight = minLeft, minRight
	sj.CommuteBelowL, sj.CommuteBelowR = belowL.Minus(minLeft), belowR.Minus(minRight)
	for _, o := range root.JoinInfoList {
		switch {
		case sj.CommuteBelowL.Has(o.OJRelid):
			o.CommuteAboveL = o.CommuteAboveL.Add(index)
		case sj.CommuteBelowR.Has(o.OJRelid):
			o.CommuteAboveR = o.CommuteAboveR.Add(index)
		}
	}
	return sj
}

// semiJoinInfo says whether a semijoin's inner side can be made unique instead,
// and by what (compute_semijoin_info).
func (d *deconstructor) semiJoinInfo(sj *rel.SpecialJoinInfo, quals []query.Expr) {
	if sj.Type != query.JoinSemi {
		return
	}
	root := d.root
	cat := root.Global.Catalog
	right := sj.SynRight
	var ops []*query.OpExpr
	btree, hash := true, root.Global.Settings.EnableHashAgg
	for _, q := range quals {
		op, ok := q.(*query.OpExpr)
		all := eval.PullVarNos(root, q)
		if !all.Overlaps(right) || all.IsSubset(right) {
			// Not a condition between the sides: harmless unless volatile.
			if eval.ContainVolatile(cat, q) {
				return
			}
			continue
		}
		if !ok || len(op.Args) != 2 {
			return
		}
		l, r := eval.PullVarNos(root, op.Args[0]), eval.PullVarNos(root, op.Args[1])
		opno, rhs := op.Op, op.Args[1]
		switch {
		case !r.IsEmpty() && r.IsSubset(right) && !l.Overlaps(right):
		case !l.IsEmpty() && l.IsSubset(right) && !r.Overlaps(right):
			opno, rhs = cat.Operator(op.Op).Commutator, op.Args[0]
			if opno == 0 {
				return
			}
		default:
			return
		}
		typ := op.Args[0].ResultType()
		btree = btree && cat.CanMergeJoin(opno, typ) && len(cat.MergeJoinFamilies(opno)) > 0
		hash = hash && cat.CanHashJoin(opno, typ)
		if !btree && !hash {
			return
		}
		ops = append(ops, op)
		sj.SemiOperators = append(sj.SemiOperators, opno)
		sj.SemiRHSExprs = append(sj.SemiRHSExprs, rhs)
	}
	volatile := false
	for _, e := range sj.SemiRHSExprs {
		volatile = volatile || eval.ContainVolatile(cat, e)
	}
	if len(ops) == 0 || volatile {
		sj.SemiOperators, sj.SemiRHSExprs = nil, nil
		return
	}
	sj.SemiCanBtree, sj.SemiCanHash = btree, hash
}

// distributeOuterJoinQuals hands out the postponed quals of an outer join that
// may commute with others: once for each order, as clones
// (deconstruct_distribute_oj_quals).
func (d *deconstructor) distributeOuterJoinQuals(it *joinItem) {
	root, sj := d.root, it.sj
	scope := sj.SynLeft.Union(sj.SynRight).Add(sj.OJRelid)
	ojScope := sj.MinLeft.Union(sj.MinRight)
	if sj.CommuteAboveR.IsEmpty() && sj.CommuteBelowL.IsEmpty() {
		d.quals(it.ojQuals, it, qualContext{
			sj: sj, level: root.QualSecurityLevel, scope: scope, ojScope: ojScope, nonnull: sj.SynLeft, allowEC: true,
		})
		return
	}
	above, below := sj.CommuteAboveR, sj.CommuteBelowL
	quals := it.ojQuals
	if !below.IsEmpty() {
		quals = mapExprs(quals, func(e query.Expr) query.Expr { return eval.RemoveNullingRels(e, below, query.Relids{}) })
	}
	incompatible := below.Union(above).Add(sj.OJRelid)
	serial := root.LastRInfoSerial
	var soFar query.Relids
	for _, other := range d.items {
		osj := other.sj
		if osj == nil {
			continue
		}
		isBelow, isAbove := below.Has(osj.OJRelid), false
		switch {
		case isBelow, osj == sj:
		case above.Has(osj.OJRelid):
			isAbove = true
		default:
			continue
		}
		// All versions of a qual have one serial number.
		root.LastRInfoSerial = serial
		if isAbove {
			quals = mapExprs(quals, func(e query.Expr) query.Expr {
				return eval.AddNullingRels(e, sj.SynLeft, query.MakeRelids(osj.OJRelid))
			})
			incompatible = incompatible.Remove(osj.OJRelid)
		}
		thisScope, thisOJ := scope.Union(soFar), ojScope.Union(soFar)
		if isAbove {
			thisScope = thisScope.Add(osj.OJRelid)
			thisOJ = thisOJ.Add(osj.OJRelid).Remove(sj.OJRelid)
		}
		first := soFar.IsEmpty()
		d.quals(quals, other, qualContext{
			sj: sj, level: root.QualSecurityLevel, scope: thisScope, ojScope: thisOJ, nonnull: sj.SynLeft,
			incompat: incompatible, allowEC: first, hasClone: first, isClone: !first,
		})
		if isBelow {
			quals = mapExprs(quals, func(e query.Expr) query.Expr {
				return eval.AddNullingRels(e, osj.SynRight, query.MakeRelids(osj.OJRelid))
			})
			incompatible = incompatible.Remove(osj.OJRelid)
		}
		soFar = soFar.Add(osj.OJRelid)
	}
}

func mapExprs(list []query.Expr, fn func(query.Expr) query.Expr) []query.Expr {
	out := make([]query.Expr, len(list))
	for i, e := range list {
		out[i] = fn(e)
	}
	return out
}
