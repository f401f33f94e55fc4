package selectivity

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// mergeOps are the operators by which the two sides of a merge clause are
// searched.
type mergeOps struct {
	less, lessEq       pgtype.OID // left op right
	revLess, revLessEq pgtype.OID // right op left
	statLeft           pgtype.OID // the order that statistics are in
	statRight          pgtype.OID
}

// MergejoinScan estimates where a merge join starts and ends reading its inputs,
// as fractions of each (mergejoinscansel, selfuncs.c). clause is an equality of
// the family; strategy and nullsFirst are the sort order's.
func MergejoinScan(root *rel.PlannerInfo, clause query.Expr, family pgtype.OID, strategy int, nullsFirst bool) (leftStart, leftEnd, rightStart, rightEnd float64) {
	leftEnd, rightEnd = 1, 1
	n, ok := clause.(*query.OpExpr)
	if !ok || len(n.Args) != 2 {
		return leftStart, leftEnd, rightStart, rightEnd
	}
	l, r := Examine(root, n.Args[0], 0), Examine(root, n.Args[1], 0)
	ops, ok := mergeOperators(root.Global.Catalog, n.Op, family, strategy)
	if !ok {
		return leftStart, leftEnd, rightStart, rightEnd
	}
	gt := strategy == catalog.BTGreater
	leftMin, leftMax, ok := l.valueRange(ops.statLeft, n.InputColl)
	if !ok {
		return leftStart, leftEnd, rightStart, rightEnd
	}
	rightMin, rightMax, ok := r.valueRange(ops.statRight, n.InputColl)
	if !ok {
		return leftStart, leftEnd, rightStart, rightEnd
	}
	if gt {
		leftMin, leftMax, rightMin, rightMax = leftMax, leftMin, rightMax, rightMin
	}
	take := func(into *float64, s float64) {
		if s != DefaultIneq {
			*into = s
		}
	}
	// Reading ends where the other side has no more.
	take(&leftEnd, scalarIneqValue(l, ops.lessEq, gt, true, n.InputColl, rightMax))
	take(&rightEnd, scalarIneqValue(r, ops.revLessEq, gt, true, n.InputColl, leftMax))
	switch {
	case leftEnd > rightEnd:
		leftEnd = 1
	case leftEnd < rightEnd:
		rightEnd = 1
	default:
		leftEnd, rightEnd = 1, 1
	}
	take(&leftStart, scalarIneqValue(l, ops.less, gt, false, n.InputColl, rightMin))
	take(&rightStart, scalarIneqValue(r, ops.revLess, gt, false, n.InputColl, leftMin))
	switch {
	case leftStart < rightStart:
		leftStart = 0
	case leftStart > rightStart:
		rightStart = 0
	default:
		leftStart, rightStart = 0, 0
	}
	if nullsFirst {
		// NULLs are read before anything matches.
		if l.Stats != nil {
			leftStart, leftEnd = clamp(leftStart+l.Stats.NullFrac), clamp(leftEnd+l.Stats.NullFrac)
		}
		if r.Stats != nil {
			rightStart, rightEnd = clamp(rightStart+r.Stats.NullFrac), clamp(rightEnd+r.Stats.NullFrac)
		}
	}
	if leftStart >= leftEnd {
		leftStart, leftEnd = 0, 1
	}
	if rightStart >= rightEnd {
		rightStart, rightEnd = 0, 1
	}
	return leftStart, leftEnd, rightStart, rightEnd
}

func mergeOperators(cat *catalog.Catalog, op, family pgtype.OID, strategy int) (mergeOps, bool) {
	var left, right pgtype.OID
	for _, a := range cat.AmOpsOf(op) {
		if a.Family == family && a.Purpose == 's' {
			left, right = a.Left, a.Right
		}
	}
	less, lessEq := catalog.BTLess, catalog.BTLessEqual
	if strategy == catalog.BTGreater {
		less, lessEq = catalog.BTGreater, catalog.BTGreaterEqual
	} else if strategy != catalog.BTLess {
		return mergeOps{}, false
	}
	o := mergeOps{
		less:      cat.OpFamilyMember(family, left, right, less),
		lessEq:    cat.OpFamilyMember(family, left, right, lessEq),
		revLess:   cat.OpFamilyMember(family, right, left, less),
		revLessEq: cat.OpFamilyMember(family, right, left, lessEq),
		statLeft:  cat.OpFamilyMember(family, left, left, catalog.BTLess),
		statRight: cat.OpFamilyMember(family, right, right, catalog.BTLess),
	}
	ok := o.less != 0 && o.lessEq != 0 && o.revLess != 0 && o.revLessEq != 0 && o.statLeft != 0 && o.statRight != 0
	return o, ok && cat.OpFamilyMember(family, left, left, less) != 0 && cat.OpFamilyMember(family, right, right, less) != 0
}

// valueRange is the smallest and largest value that the statistics know, by the
// histogram and the most common values (get_variable_range, selfuncs.c); false
// where they do not cover the column.
func (v *VarData) valueRange(sortOp, coll pgtype.OID) (low, high pgtype.Datum, ok bool) {
	if v.Stats == nil || !v.allows(opFunc(v, sortOp)) {
		return low, high, false
	}
	hist, known := v.histogram()
	if !known {
		return low, high, false
	}
	have := false
	less := predicate(nil)
	take := func(values []pgtype.Datum) {
		if less == nil && len(values) > 0 {
			if less = v.predicate(opFunc(v, sortOp), coll); less == nil {
				return
			}
		}
		for _, x := range values {
			if !have {
				low, high, have = x, x, true
				continue
			}
			if below, _ := less(x, low); below {
				low = x
			}
			if above, _ := less(high, x); above {
				high = x
			}
		}
	}
	if len(hist) > 0 {
		if v.collation() == coll && v.isSortOp(sortOp) {
			low, high, have = hist[0], hist[len(hist)-1], true
		} else {
			take(hist)
		}
	}
	if v.hasMCV() {
		use := have
		if !have {
			// Without a histogram the list may still be all there is.
			sum := 0.0
			for _, f := range v.freqs() {
				sum += f
			}
			use = sum+v.nullFrac() > 0.99999
		}
		if use {
			values, known := v.mcvs()
			if !known {
				return low, high, false
			}
			take(values)
		}
	}
	return low, high, have
}

// isSortOp reports whether an operator is the < that the histogram is sorted by.
func (v *VarData) isSortOp(op pgtype.OID) bool {
	cat := v.catalog()
	bt := cat.MethodByName("btree")
	if bt == nil {
		return false
	}
	oc := cat.DefaultOpClass(v.Type, bt.OID)
	return oc != nil && cat.OpFamilyMember(oc.Family, oc.InType, oc.InType, catalog.BTLess) == op
}
