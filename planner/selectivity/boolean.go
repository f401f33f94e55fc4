package selectivity

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// booleanEqual is = of boolean (BooleanEqualOperator): pinned.
const booleanEqual pgtype.OID = 91

// boolVar estimates a boolean expression as expression = true (boolvarsel,
// selfuncs.c).
func (c *context) boolVar(e query.Expr) float64 {
	v := Examine(c.root, e, c.varRelid)
	if v.Stats == nil {
		return 0.5
	}
	k := &query.Const{Header: query.Header{Typ: pgtype.BoolOID, Mod: -1}, Value: "t", Len: 1, ByVal: true}
	return eqConst(v, booleanEqual, 0, k, true, false)
}

// nullTest estimates IS NULL, or with not IS NOT NULL (nulltestsel,
// selfuncs.c).
func (c *context) nullTest(arg query.Expr, not bool) float64 {
	v := Examine(c.root, arg, c.varRelid)
	s := DefaultUnknown
	if not {
		s = defaultNotUnknown
	}
	if v.Stats != nil {
		s = v.Stats.NullFrac
		if not {
			s = 1.0 - v.Stats.NullFrac
		}
	} else if col, ok := v.Var.(*query.Var); ok && col.AttNo < 0 {
		// System columns are never NULL.
		s = 0
		if not {
			s = 1
		}
	}
	return clamp(s)
}

// booleanTest estimates IS TRUE and its kin (booltestsel, selfuncs.c).
func (c *context) booleanTest(n *query.BooleanTest) float64 {
	v := Examine(c.root, n.Arg, c.varRelid)
	if v.Stats == nil {
		switch n.Kind {
		case query.IsUnknown:
			return DefaultUnknown
		case query.IsNotUnknown:
			return defaultNotUnknown
		case query.IsTrue, query.IsNotFalse:
			return clamp(c.expr(n.Arg, nil))
		}
		return clamp(1.0 - c.expr(n.Arg, nil))
	}
	null := v.Stats.NullFrac
	switch n.Kind {
	case query.IsUnknown:
		return clamp(null)
	case query.IsNotUnknown:
		return clamp(1.0 - null)
	}
	values, ok := v.mcvs()
	if !v.hasMCV() || !ok {
		if n.Kind == query.IsTrue || n.Kind == query.IsFalse {
			return clamp((1.0 - null) / 2.0)
		}
		return clamp((null + 1.0) / 2.0)
	}
	yes := v.Stats.MCF[0]
	if !values[0].Bool() {
		yes = 1.0 - yes - null
	}
	no := 1.0 - yes - null
	switch n.Kind {
	case query.IsTrue:
		return clamp(yes)
	case query.IsNotTrue:
		return clamp(1.0 - yes)
	case query.IsFalse:
		return clamp(no)
	}
	return clamp(1.0 - no)
}
