package path

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
)

// btNotEqual stands for <> beside the strategies of a btree family
// (ROWCOMPARE_NE).
const btNotEqual = 6

// interpretation is a meaning of an operator in a btree family
// (OpBtreeInterpretation).
type interpretation struct {
	Family      pgtype.OID
	Strategy    int
	Left, Right pgtype.OID
}

// btreeInterpretations lists the btree families that an operator, or the
// equality that it negates, belongs to (get_op_btree_interpretation,
// lsyscache.c).
func btreeInterpretations(cat *catalog.Catalog, op pgtype.OID) []interpretation {
	var out []interpretation
	for _, a := range cat.AmOpsOf(op) {
		if a.Method == catalog.BTreeMethod && a.Purpose == 's' {
			out = append(out, interpretation{a.Family, a.Strategy, a.Left, a.Right})
		}
	}
	if out != nil {
		return out
	}
	o := cat.Operator(op)
	if o == nil || o.Negator == 0 {
		return nil
	}
	for _, a := range cat.AmOpsOf(o.Negator) {
		if a.Method == catalog.BTreeMethod && a.Purpose == 's' && a.Strategy == catalog.BTEqual {
			out = append(out, interpretation{a.Family, btNotEqual, a.Left, a.Right})
		}
	}
	return out
}

const (
	lt = catalog.BTLess
	le = catalog.BTLessEqual
	eq = catalog.BTEqual
	ge = catalog.BTGreaterEqual
	gt = catalog.BTGreater
	ne = btNotEqual
)

// sameImplies says whether "x op1 y" implies "x op2 y", sameRefutes whether it
// refutes it; by clause and predicate strategy, from < on
// (BT_implies_table, BT_refutes_table, predtest.c). They are arithmetic of
// orders: x < y gives x <= y and x <> y.
func sameImplies(clause, pred int) bool {
	switch clause {
	case lt:
		return pred == lt || pred == le || pred == ne
	case le:
		return pred == le
	case eq:
		return pred == le || pred == eq || pred == ge
	case ge:
		return pred == ge
	case gt:
		return pred == ge || pred == gt || pred == ne
	}
	return pred == ne
}

func sameRefutes(clause, pred int) bool {
	switch clause {
	case lt:
		return pred == eq || pred == ge || pred == gt
	case le:
		return pred == gt
	case eq:
		return pred == lt || pred == gt || pred == ne
	case ge:
		return pred == lt
	case gt:
		return pred == lt || pred == le || pred == eq
	}
	return pred == eq
}

// impliesTest gives the comparison of the predicate's constant with the
// clause's that proves "x clause c1" to imply "x pred c2": c2 test c1; 0 for
// none (BT_implic_table, predtest.c).
func impliesTest(clause, pred int) int {
	switch clause {
	case lt:
		return pick(pred, lt, ge, le, ge, ne, ge)
	case le:
		return pick(pred, lt, gt, le, ge, ne, gt)
	case eq:
		return pick(pred, lt, gt, le, ge, eq, eq, ge, le, gt, lt, ne, ne)
	case ge:
		return pick(pred, ge, le, gt, lt, ne, lt)
	case gt:
		return pick(pred, ge, le, gt, le, ne, le)
	}
	return pick(pred, ne, eq)
}

// refutesTest is [impliesTest] for refutation (BT_refute_table, predtest.c).
func refutesTest(clause, pred int) int {
	switch clause {
	case lt:
		return pick(pred, eq, ge, ge, ge, gt, ge)
	case le:
		return pick(pred, eq, gt, ge, gt, gt, ge)
	case eq:
		return pick(pred, lt, le, le, lt, eq, ne, ge, gt, gt, ge, ne, eq)
	case ge:
		return pick(pred, lt, le, le, lt, eq, lt)
	case gt:
		return pick(pred, lt, le, le, le, eq, le)
	}
	return pick(pred, eq, eq)
}

// pick finds key in pairs of key and value.
func pick(key int, pairs ...int) int {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] == key {
			return pairs[i+1]
		}
	}
	return 0
}

// proof is what two operators allow to conclude (lookup_proof_cache).
func proof(cat *catalog.Catalog, predOp, clauseOp pgtype.OID, refute bool) (same bool, test pgtype.OID) {
	clauses := btreeInterpretations(cat, clauseOp)
	for _, p := range btreeInterpretations(cat, predOp) {
		for _, c := range clauses {
			if p.Family != c.Family {
				continue
			}
			sameTable, testTable := sameImplies, impliesTest
			if refute {
				sameTable, testTable = sameRefutes, refutesTest
			}
			same = same || sameTable(c.Strategy, p.Strategy)
			strategy := testTable(c.Strategy, p.Strategy)
			if strategy == 0 {
				continue
			}
			var op pgtype.OID
			if strategy == btNotEqual {
				if o := cat.Operator(cat.OpFamilyMember(p.Family, p.Right, c.Right, eq)); o != nil {
					op = o.Negator
				}
			} else {
				op = cat.OpFamilyMember(p.Family, p.Right, c.Right, strategy)
			}
			if op != 0 && immutableOp(cat, op) {
				return same && immutableOp(cat, clauseOp), op
			}
		}
	}
	return same && immutableOp(cat, clauseOp), 0
}

func immutableOp(cat *catalog.Catalog, op pgtype.OID) bool {
	o := cat.Operator(op)
	if o == nil {
		return false
	}
	f := cat.Func(o.Func)
	return f != nil && f.Volatile == 'i'
}

// operatorProof proves or refutes a comparison by another one on the same
// expression (operator_predicate_proof, predtest.c).
func (p prover) operatorProof(predicate, clause query.Expr, refute, weak bool) bool {
	cat := p.root.Global.Catalog
	po, ok := predicate.(*query.OpExpr)
	if !ok || len(po.Args) != 2 {
		return false
	}
	co, ok := clause.(*query.OpExpr)
	if !ok || len(co.Args) != 2 || po.InputColl != co.InputColl {
		return false
	}
	commute := func(op pgtype.OID) pgtype.OID {
		if o := cat.Operator(op); o != nil {
			return o.Commutator
		}
		return 0
	}
	predOp, clauseOp := po.Op, co.Op
	var predSide, clauseSide query.Expr
	switch {
	case query.Equal(po.Args[0], co.Args[0]):
		if query.Equal(po.Args[1], co.Args[1]) {
			return sameProof(cat, predOp, clauseOp, refute)
		}
		predSide, clauseSide = po.Args[1], co.Args[1]
	case query.Equal(po.Args[1], co.Args[1]):
		predSide, clauseSide = po.Args[0], co.Args[0]
		predOp, clauseOp = commute(predOp), commute(clauseOp)
	case query.Equal(po.Args[0], co.Args[1]):
		if query.Equal(po.Args[1], co.Args[0]) {
			predOp = commute(predOp)
			return predOp != 0 && sameProof(cat, predOp, clauseOp, refute)
		}
		predSide, clauseSide = po.Args[1], co.Args[0]
		clauseOp = commute(clauseOp)
	case query.Equal(po.Args[1], co.Args[0]):
		predSide, clauseSide = po.Args[0], co.Args[1]
		predOp = commute(predOp)
	default:
		return false
	}
	pc, ok := predSide.(*query.Const)
	if !ok {
		return false
	}
	cc, ok := clauseSide.(*query.Const)
	if !ok || predOp == 0 || clauseOp == 0 {
		return false
	}
	if cc.Null {
		// The clause is never true, which proves anything but weakly.
		if !eval.OpStrict(cat, clauseOp) {
			return false
		}
		return !weak || refute || pc.Null && eval.OpStrict(cat, predOp)
	}
	if pc.Null {
		return weak && eval.OpStrict(cat, predOp)
	}
	_, test := proof(cat, predOp, clauseOp, refute)
	if test == 0 {
		return false
	}
	v, ok := eval.Run(p.root.Global, cat.Operator(test).Func, po.InputColl, pc, cc)
	if !ok {
		p.root.Global.Approximate("a proof between conditions needs " + cat.Operator(test).Name + " of values that cannot be compared here")
		return false
	}
	return !v.IsNull() && v.Bool()
}

func sameProof(cat *catalog.Catalog, predOp, clauseOp pgtype.OID, refute bool) bool {
	if refute {
		if o := cat.Operator(predOp); o != nil && o.Negator != 0 && o.Negator == clauseOp {
			return true
		}
	} else if predOp == clauseOp {
		return true
	}
	same, _ := proof(cat, predOp, clauseOp, refute)
	return same
}
