package eval

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
)

// AttrOffset is added to an attribute number to make it a member of a set: the
// lowest system column is -6, 0 the whole row (FirstLowInvalidHeapAttributeNumber).
const AttrOffset = 7

// VarSet is a set of columns: by range table index, the attribute numbers plus
// [AttrOffset] (a multibitmapset).
type VarSet map[int]query.Relids

// Add puts a column into the set.
func (s VarSet) Add(varno, attno int) { s[varno] = s[varno].Add(attno + AttrOffset) }

// Has reports whether a column is in the set.
func (s VarSet) Has(varno, attno int) bool { return s[varno].Has(attno + AttrOffset) }

// AddAll puts the columns of t into s.
func (s VarSet) AddAll(t VarSet) {
	for v, m := range t {
		s[v] = s[v].Union(m)
	}
}

// Intersect returns the columns in both.
func (s VarSet) Intersect(t VarSet) VarSet {
	out := VarSet{}
	for v, m := range s {
		if x := m.Intersect(t[v]); !x.IsEmpty() {
			out[v] = x
		}
	}
	return out
}

// OverlapRels returns the relations of which some column is in both sets
// (mbms_overlap_sets, multibitmapset.c).
func (s VarSet) OverlapRels(t VarSet) query.Relids {
	var out query.Relids
	for v, m := range s {
		if m.Overlaps(t[v]) {
			out = out.Add(v)
		}
	}
	return out
}

// NonNullableRels returns the relations of which a row of NULLs makes e, used
// as a qual, not true (find_nonnullable_rels, clauses.c).
func NonNullableRels(cat *catalog.Catalog, e query.Expr) query.Relids {
	return nonNullableRels(cat, e, true)
}

// NonNullableRelsList is [NonNullableRels] of an implicit AND.
func NonNullableRelsList(cat *catalog.Catalog, list []query.Expr) query.Relids {
	return relsOfAll(cat, list, true)
}

func relsOfAll(cat *catalog.Catalog, list []query.Expr, top bool) query.Relids {
	var out query.Relids
	for _, e := range list {
		out = out.Union(nonNullableRels(cat, e, top))
	}
	return out
}

func nonNullableRels(cat *catalog.Catalog, e query.Expr, top bool) query.Relids {
	switch n := e.(type) {
	case *query.Var:
		if n.LevelsUp == 0 {
			return query.MakeRelids(n.VarNo)
		}
	case *query.PlaceHolderVar:
		out := nonNullableRels(cat, n.Arg, top)
		if _, one := n.Rels.Single(); one && n.LevelsUp == 0 {
			out = out.Union(n.Rels)
		}
		return out
	case *query.BoolExpr:
		if n.Op == query.NotExpr {
			return relsOfAll(cat, n.Args, false)
		}
		if n.Op == query.AndExpr && top {
			return relsOfAll(cat, n.Args, true)
		}
		var out query.Relids
		for i, a := range n.Args {
			r := nonNullableRels(cat, a, top)
			if i == 0 {
				out = r
			} else {
				out = out.Intersect(r)
			}
			if out.IsEmpty() {
				break
			}
		}
		return out
	}
	args, below, ok := strictPart(cat, e, top)
	if !ok {
		return query.Relids{}
	}
	return relsOfAll(cat, args, below)
}

// strictPart gives the inputs of e on which e depends strictly, and whether
// they still stand at top level; ok is false where there are none.
func strictPart(cat *catalog.Catalog, e query.Expr, top bool) (args []query.Expr, below, ok bool) {
	switch n := e.(type) {
	case *query.FuncExpr:
		return n.Args, false, Strict(cat, n.Func)
	case *query.OpExpr:
		return n.Args, false, Strict(cat, opFunc(cat, n))
	case *query.ScalarArrayOpExpr:
		return n.Args[:], false, strictSAOP(cat, n, true)
	case *query.RelabelType:
		return []query.Expr{n.Arg}, top, true
	case *query.CoerceViaIO:
		return []query.Expr{n.Arg}, false, true
	case *query.ArrayCoerceExpr:
		return []query.Expr{n.Arg}, top, true
	case *query.ConvertRowtypeExpr:
		return []query.Expr{n.Arg}, top, true
	case *query.CollateExpr:
		return []query.Expr{n.Arg}, top, true
	case *query.NullTest:
		return []query.Expr{n.Arg}, false, top && n.Not && !n.ArgIsRow
	case *query.BooleanTest:
		return []query.Expr{n.Arg}, false, top && (n.Kind == query.IsTrue || n.Kind == query.IsFalse || n.Kind == query.IsNotUnknown)
	case *query.SubPlan:
		strict := top && n.Kind == query.AnySubLink || n.Kind == query.RowCompareSubLink
		return []query.Expr{n.Test}, top, strict && n.Test != nil
	}
	return nil, false, false
}

// NonNullableVars returns the columns whose being NULL makes e, used as a qual,
// not true (find_nonnullable_vars, clauses.c).
func NonNullableVars(cat *catalog.Catalog, e query.Expr) VarSet {
	return nonNullableVars(cat, e, true)
}

// NonNullableVarsList is [NonNullableVars] of an implicit AND.
func NonNullableVarsList(cat *catalog.Catalog, list []query.Expr) VarSet {
	return varsOfAll(cat, list, true)
}

func varsOfAll(cat *catalog.Catalog, list []query.Expr, top bool) VarSet {
	out := VarSet{}
	for _, e := range list {
		out.AddAll(nonNullableVars(cat, e, top))
	}
	return out
}

func nonNullableVars(cat *catalog.Catalog, e query.Expr, top bool) VarSet {
	switch n := e.(type) {
	case *query.Var:
		out := VarSet{}
		if n.LevelsUp == 0 {
			out.Add(n.VarNo, n.AttNo)
		}
		return out
	case *query.PlaceHolderVar:
		return nonNullableVars(cat, n.Arg, top)
	case *query.BoolExpr:
		if n.Op == query.NotExpr {
			return varsOfAll(cat, n.Args, false)
		}
		if n.Op == query.AndExpr && top {
			return varsOfAll(cat, n.Args, true)
		}
		out := VarSet{}
		for i, a := range n.Args {
			v := nonNullableVars(cat, a, top)
			if i == 0 {
				out = v
			} else {
				out = out.Intersect(v)
			}
			if len(out) == 0 {
				break
			}
		}
		return out
	}
	args, below, ok := strictPart(cat, e, top)
	if !ok {
		return VarSet{}
	}
	return varsOfAll(cat, args, below)
}

// ForcedNullVars returns the columns that e, used as a qual, requires to be
// NULL (find_forced_null_vars, clauses.c).
func ForcedNullVars(e query.Expr) VarSet {
	out := VarSet{}
	if v := ForcedNullVar(e); v != nil {
		out.Add(v.VarNo, v.AttNo)
		return out
	}
	if b, ok := e.(*query.BoolExpr); ok && b.Op == query.AndExpr {
		for _, a := range b.Args {
			out.AddAll(ForcedNullVars(a))
		}
	}
	return out
}

// ForcedNullVar returns the Var of v IS NULL or v IS UNKNOWN; nil for anything
// else (find_forced_null_var, clauses.c).
func ForcedNullVar(e query.Expr) *query.Var {
	var arg query.Expr
	switch n := e.(type) {
	case *query.NullTest:
		if !n.Not && !n.ArgIsRow {
			arg = n.Arg
		}
	case *query.BooleanTest:
		if n.Kind == query.IsUnknown {
			arg = n.Arg
		}
	}
	if v, ok := arg.(*query.Var); ok && v.LevelsUp == 0 {
		return v
	}
	return nil
}
