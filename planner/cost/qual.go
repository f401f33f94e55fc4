package cost

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// minHashedArray is from how many constant elements on an IN list is looked up
// in a hash table (MIN_ARRAY_SIZE_FOR_HASHED_SAOP, clauses.c).
const minHashedArray = 9

// QualEval is the cost of checking clauses, AND-ed (cost_qual_eval). The cost of
// each is kept in its RestrictInfo.
func QualEval(g *rel.Global, clauses []*rel.RestrictInfo) rel.QualCost {
	w := walker{g: g, unit: ParamsOf(g).CPUOperatorCost}
	for _, r := range clauses {
		w.restrict(r)
	}
	return w.total
}

// QualEvalExprs is [QualEval] of bare expressions.
func QualEvalExprs(g *rel.Global, list []query.Expr) rel.QualCost {
	w := walker{g: g, unit: ParamsOf(g).CPUOperatorCost}
	for _, e := range list {
		w.expr(e)
	}
	return w.total
}

// QualEvalNode is the cost of evaluating one expression (cost_qual_eval_node).
func QualEvalNode(g *rel.Global, e query.Expr) rel.QualCost {
	w := walker{g: g, unit: ParamsOf(g).CPUOperatorCost}
	w.expr(e)
	return w.total
}

// walker sums costs over a tree (cost_qual_eval_walker).
type walker struct {
	g     *rel.Global
	unit  float64 // cpu_operator_cost
	total rel.QualCost
}

func (w *walker) restrict(r *rel.RestrictInfo) {
	if !r.HasCost {
		sub := walker{g: w.g, unit: w.unit}
		if r.OrClause != nil {
			sub.or(r.OrClause)
		} else {
			sub.expr(r.Clause)
		}
		if r.PseudoConstant {
			sub.total.Startup += sub.total.PerTuple
			sub.total.PerTuple = 0
		}
		r.EvalCost, r.HasCost = sub.total, true
	}
	w.total.Startup += r.EvalCost.Startup
	w.total.PerTuple += r.EvalCost.PerTuple
}

func (w *walker) or(o *rel.OrClause) {
	for _, arm := range o.Arms {
		for _, r := range arm.And {
			w.restrict(r)
		}
	}
}

// function adds the cost of a call (add_function_cost, plancat.c).
func (w *walker) function(oid pgtype.OID) {
	if f := w.g.Catalog.Func(oid); f != nil {
		w.total.PerTuple += float64(f.Cost * w.unit)
	}
}

func (w *walker) operator(op pgtype.OID) {
	if o := w.g.Catalog.Operator(op); o != nil {
		w.function(o.Func)
	}
}

func (w *walker) expr(e query.Expr) {
	if e == nil {
		return
	}
	cat := w.g.Catalog
	switch n := e.(type) {
	case *query.FuncExpr:
		w.function(n.Func)
	case *query.OpExpr:
		w.operator(n.Op)
	case *query.DistinctExpr:
		w.operator(n.Op)
	case *query.NullIfExpr:
		w.operator(n.Op)
	case *query.ScalarArrayOpExpr:
		w.arrayOp(n)
	case *query.Aggref, *query.WindowFunc:
		// Charged by the node that computes it.
		return
	case *query.GroupingFunc:
		w.total.PerTuple += w.unit
		return
	case *query.CoerceViaIO:
		if t := cat.Type(n.Typ); t != nil {
			w.function(t.Input)
		}
		if t := cat.Type(n.Arg.ResultType()); t != nil {
			w.function(t.Output)
		}
	case *query.ArrayCoerceExpr:
		each := QualEvalNode(w.g, n.Elem)
		w.total.Startup += each.Startup
		if each.PerTuple > 0 {
			w.total.PerTuple += float64(each.PerTuple * w.arrayLength(n.Arg))
		}
	case *query.RowCompareExpr:
		for _, op := range n.Ops {
			w.operator(op)
		}
	case *query.MinMaxExpr, *query.SQLValueFunction, *query.XMLExpr, *query.CoerceToDomain, *query.NextValueExpr:
		w.total.PerTuple += w.unit
	case *query.JSONExpr:
		w.json(n)
		return
	case *query.CurrentOfExpr:
		w.total.Startup += Disable
	case *query.SubPlan:
		w.total.Startup += n.StartupCost
		w.total.PerTuple += n.PerCallCost
		return
	case *query.AlternativeSubPlan:
		if len(n.Plans) > 0 {
			w.expr(n.Plans[0])
		}
		return
	case *query.PlaceHolderVar:
		// Charged where it is computed.
		return
	}
	for _, c := range query.Children(e) {
		w.expr(c)
	}
}

// json charges a SQL/JSON expression as the call that it stands for; the
// standard's query functions (since 17) have a node of their own that costs one
// operator.
func (w *walker) json(n *query.JSONExpr) {
	switch n.Op {
	case "JSON_VALUE", "JSON_QUERY", "JSON_EXISTS", "JSON_TABLE":
		w.total.PerTuple += w.unit
		for _, c := range query.Children(n) {
			w.expr(c)
		}
		return
	}
	if n.Func == nil {
		for _, c := range query.Children(n) {
			w.expr(c)
		}
		return
	}
	w.expr(n.Func)
	w.expr(n.Coercion)
}

func (w *walker) arrayLength(e query.Expr) float64 {
	n, known := ArrayLength(e)
	if !known && w.g.Version(17) {
		if _, ok := stripArray(e).(*query.Var); ok {
			w.g.Approximate("the number of elements of an array column")
		}
	}
	return n
}

// arrayOp charges x op ANY (array): half of the elements on average, or one
// lookup if the executor hashes a constant list.
func (w *walker) arrayOp(n *query.ScalarArrayOpExpr) {
	length := w.arrayLength(n.Args[1])
	var call, hash walker
	call = walker{g: w.g, unit: w.unit}
	call.operator(n.Op)
	if fn := hashFunction(w.g.Catalog, n); fn != 0 {
		hash = walker{g: w.g, unit: w.unit}
		hash.function(fn)
		w.total.Startup += call.total.Startup + hash.total.Startup
		w.total.Startup += float64(length * hash.total.PerTuple)
		w.total.PerTuple += hash.total.PerTuple + call.total.PerTuple
		return
	}
	w.total.Startup += call.total.Startup
	w.total.PerTuple += float64(call.total.PerTuple * length * 0.5)
}

// hashFunction returns the function by which the executor would hash an IN list,
// 0 if it searches it (convert_saop_to_hashed_saop, clauses.c).
func hashFunction(cat *catalog.Catalog, n *query.ScalarArrayOpExpr) pgtype.OID {
	c, ok := n.Args[1].(*query.Const)
	if !ok || c.Null || CountElements(c.Value) < minHashedArray {
		return 0
	}
	op := n.Op
	if !n.UseOr {
		// NOT IN is hashed by the equality that it negates.
		o := cat.Operator(op)
		if o == nil || o.Negator == 0 {
			return 0
		}
		op = o.Negator
	}
	left := n.Args[0].ResultType()
	if !cat.CanHashJoin(op, left) {
		return 0
	}
	for _, a := range cat.AmOpsOf(op) {
		if a.Method != catalog.HashMethod || a.Strategy != 1 || a.Purpose != 's' {
			continue
		}
		l := hashProc(cat, a.Family, a.Left)
		r := l
		if a.Left != a.Right {
			r = hashProc(cat, a.Family, a.Right)
		}
		if l != 0 && r != 0 {
			if l == r {
				return l
			}
			return 0
		}
	}
	return 0
}

func hashProc(cat *catalog.Catalog, family, typ pgtype.OID) pgtype.OID {
	for _, p := range cat.AmProcs(family) {
		if p.Number == 1 && p.Left == typ && p.Right == typ {
			return p.Func
		}
	}
	return 0
}
