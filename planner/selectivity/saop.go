package selectivity

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// assumedElements is how many elements an array of unknown length is taken to
// have (scalararraysel and estimate_array_length, selfuncs.c).
const assumedElements = 10

// scalarArray estimates op ANY or ALL (array) (scalararraysel, selfuncs.c).
func (c *context) scalarArray(n *query.ScalarArrayOpExpr, join bool) float64 {
	g := c.root.Global
	left, right := eval.Estimate(g, n.Args[0]), eval.Estimate(g, n.Args[1])
	elem := elementType(g.Catalog, right.ResultType())
	if elem == 0 {
		return 0.5
	}
	elemColl := right.ResultCollation()
	right = stripArrayCoercion(right)
	isEq, isNe := false, false
	if eq := equalityOp(g.Catalog, elem); eq != 0 {
		isEq = n.Op == eq
		if o := g.Catalog.Operator(n.Op); o != nil && !isEq {
			isNe = o.Negator == eq
		}
	}
	if (isEq || isNe) && !join {
		if s := c.elementOf(left, right, elem, isEq, n.UseOr); s >= 0 {
			return s
		}
	}
	o := g.Catalog.Operator(n.Op)
	if o == nil {
		return 0.5
	}
	name := o.Restrict
	if join {
		name = o.Join
	}
	switch name {
	case "":
		return 0.5
	case "eqsel", "eqjoinsel":
		isEq = true
	case "neqsel", "neqjoinsel":
		isNe = true
	}
	each := func(e query.Expr) float64 {
		args := []query.Expr{left, e}
		if join {
			return c.join(n.Op, args, n.InputColl)
		}
		return c.restriction(n.Op, args, n.InputColl)
	}
	acc := &disjunction{or: n.UseOr, eq: isEq, ne: isNe}
	acc.start()
	switch a := right.(type) {
	case *query.Const:
		if a.Null {
			return 0
		}
		elems, ok := eval.Elements(g, a)
		if !ok {
			c.approximate("the elements of an array are not known")
			break
		}
		if s, ok := c.equalElements(n, left, name, elems, acc); ok {
			return s
		}
		for _, e := range elems {
			k := *e
			k.Typ, k.Coll = elem, elemColl
			acc.add(each(&k))
		}
		return acc.result()
	case *query.ArrayExpr:
		if a.Multidims {
			break
		}
		for _, e := range a.Elements {
			acc.add(each(e))
		}
		return acc.result()
	}
	s2 := each(&query.CaseTestExpr{Header: query.Header{Typ: elem, Mod: -1, Coll: n.InputColl}})
	s := 1.0
	if n.UseOr {
		s = 0
	}
	for range assumedElements {
		if n.UseOr {
			s = s + s2 - float64(s*s2)
		} else {
			s *= s2
		}
	}
	return clamp(s)
}

// equalElements is the estimate of = ANY and <> ALL over constants, with the
// column looked up once; false for other cases.
func (c *context) equalElements(n *query.ScalarArrayOpExpr, left query.Expr, name string, elems []*query.Const, acc *disjunction) (float64, bool) {
	negate := name == "neqsel"
	if len(elems) == 0 || name != "eqsel" && !negate {
		return 0, false
	}
	op := n.Op
	if negate {
		o := c.root.Global.Catalog.Operator(op)
		if o == nil || o.Negator == 0 {
			return 0, false
		}
		op = o.Negator
	}
	v, _, onLeft, ok := c.restrictionVar([]query.Expr{left, elems[0]})
	if !ok || !onLeft {
		return 0, false
	}
	for _, e := range elems {
		acc.add(eqConst(v, op, n.InputColl, e, true, negate))
	}
	return acc.result(), true
}

// disjunction joins the estimates of an array's elements: independently, or for
// = ANY and <> ALL as disjoint where that stays a probability.
type disjunction struct {
	or, eq, ne  bool
	s, disjoint float64
}

func (d *disjunction) start() {
	if !d.or {
		d.s, d.disjoint = 1, 1
	}
}

func (d *disjunction) add(s2 float64) {
	if d.or {
		d.s = d.s + s2 - float64(d.s*s2)
		if d.eq {
			d.disjoint += s2
		}
		return
	}
	d.s *= s2
	if d.ne {
		d.disjoint += s2 - 1.0
	}
}

func (d *disjunction) result() float64 {
	if (d.or && d.eq || !d.or && d.ne) && d.disjoint >= 0 && d.disjoint <= 1 {
		return clamp(d.disjoint)
	}
	return clamp(d.s)
}

// elementType is the type of an array's elements, through domains
// (get_base_element_type, lsyscache.c); 0 for what is no array.
func elementType(cat *catalog.Catalog, typ pgtype.OID) pgtype.OID {
	t := cat.Type(cat.BaseType(typ))
	if t == nil || !t.IsArray() {
		return 0
	}
	return t.Element
}

// equalityOp is a type's default equality operator (lookup_type_cache with
// TYPECACHE_EQ_OPR), 0 if it has none.
func equalityOp(cat *catalog.Catalog, typ pgtype.OID) pgtype.OID {
	for _, name := range []string{"btree", "hash"} {
		am := cat.MethodByName(name)
		if am == nil {
			continue
		}
		oc := cat.DefaultOpClass(typ, am.OID)
		if oc == nil {
			continue
		}
		strategy := catalog.BTEqual
		if name == "hash" {
			strategy = 1
		}
		if op := cat.OpFamilyMember(oc.Family, oc.InType, oc.InType, strategy); op != 0 {
			return op
		}
	}
	return 0
}

// stripArrayCoercion drops casts that leave the elements as they are
// (strip_array_coercion, selfuncs.c).
func stripArrayCoercion(e query.Expr) query.Expr {
	for {
		switch n := e.(type) {
		case *query.ArrayCoerceExpr:
			r, ok := n.Elem.(*query.RelabelType)
			if !ok {
				return e
			}
			if _, ok = r.Arg.(*query.CaseTestExpr); !ok {
				return e
			}
			e = n.Arg
		case *query.RelabelType:
			e = n.Arg
		default:
			return e
		}
	}
}

// ArrayLength estimates the number of elements of an array expression
// (estimate_array_length, selfuncs.c); 10 where nothing tells. Since 17 a
// column's average length is used.
func ArrayLength(root *rel.PlannerInfo, e query.Expr) float64 {
	e = stripArrayCoercion(e)
	switch n := e.(type) {
	case *query.Const:
		if n.Null {
			return 0
		}
		elems, ok := eval.Elements(root.Global, n)
		if !ok {
			root.Global.Approximate("the elements of an array are not known")
			return assumedElements
		}
		return float64(len(elems))
	case *query.ArrayExpr:
		if !n.Multidims {
			return float64(len(n.Elements))
		}
	}
	if e == nil || !root.Global.Version(17) {
		return assumedElements
	}
	if v, ok := e.(*query.Var); ok && (v.VarNo == 0 || v.LevelsUp != 0) {
		return assumedElements
	}
	v := Examine(root, e, 0)
	if v.Stats != nil && len(v.Stats.ElemHist) > 0 {
		return clampRows(v.Stats.ElemHist[len(v.Stats.ElemHist)-1])
	}
	return assumedElements
}
