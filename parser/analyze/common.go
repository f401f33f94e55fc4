package analyze

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

func typesOf(list []query.Expr) []pgtype.OID {
	out := make([]pgtype.OID, len(list))
	for i, e := range list {
		out[i] = e.ResultType()
	}
	return out
}

// commonType chooses the type of UNION, CASE and their kin, and says which
// expression has it (select_common_type, parse_coerce.c). Without a context a
// mismatch is 0 instead of an error.
func (s *state) commonType(list []query.Expr, context string) (pgtype.OID, query.Expr) {
	at := func(i int) int { return exprLoc(list[i]) }
	t, which := s.commonTypeOf(typesOf(list), func(i int, p, n pgtype.OID) bool {
		if context == "" {
			return false
		}
		s.fail(errDatatypeMismatch, at(i), "%s types %s and %s cannot be matched", context, s.format(p), s.format(n))
		return false
	})
	if t == 0 {
		return 0, nil
	}
	return t, list[which]
}

// commonTypeOf is the rule behind commonType; mismatch is told of types of two
// categories and the result is then 0.
func (a *analyzer) commonTypeOf(types []pgtype.OID, mismatch func(i int, p, n pgtype.OID) bool) (pgtype.OID, int) {
	p, which := types[0], 0
	if p != pgtype.UnknownOID {
		same := true
		for _, t := range types {
			same = same && t == p
		}
		if same {
			return p, 0
		}
	}
	p = a.cat.BaseType(p)
	category, preferred := a.category(p)
	for i := 1; i < len(types); i++ {
		n := a.cat.BaseType(types[i])
		if n == pgtype.UnknownOID || n == p {
			continue
		}
		nc, np := a.category(n)
		switch {
		case p == pgtype.UnknownOID:
		case nc != category:
			mismatch(i, p, n)
			return 0, 0
		case !preferred && a.canCoerce1(p, n, implicit) && !a.canCoerce1(n, p, implicit):
		default:
			continue
		}
		p, which, category, preferred = n, i, nc, np
	}
	if p == pgtype.UnknownOID {
		p = pgtype.TextOID
	}
	return p, which
}

// coerceToCommon is coerce_to_common_type.
func (s *state) coerceToCommon(e query.Expr, target pgtype.OID, context string) query.Expr {
	from := e.ResultType()
	if from == target {
		return e
	}
	if !s.canCoerce1(from, target, implicit) {
		s.fail(errCannotCoerce, exprLoc(e), "%s could not convert type %s to %s", context, s.format(from), s.format(target))
	}
	return s.coerceType(e, from, target, -1, implicit, query.CoerceImplicitCast, noLoc)
}

// coerceAllToCommon coerces every element in place.
func (s *state) coerceAllToCommon(list []query.Expr, target pgtype.OID, context string) {
	for i := range list {
		list[i] = s.coerceToCommon(list[i], target, context)
	}
}

// verifyCommon reports whether all types can become the common one
// (verify_common_type).
func (a *analyzer) verifyCommon(common pgtype.OID, types []pgtype.OID) bool {
	for _, t := range types {
		if !a.canCoerce1(t, common, implicit) {
			return false
		}
	}
	return true
}

// commonTypmod is select_common_typmod.
func commonTypmod(list []query.Expr, common pgtype.OID) pgtype.Typmod {
	mod := pgtype.NoTypmod
	for i, e := range list {
		if e.ResultType() != common {
			return -1
		}
		if i == 0 {
			mod = e.ResultTypmod()
		} else if e.ResultTypmod() != mod {
			return -1
		}
	}
	return mod
}

// sameTypmod is what exprTypmod says of CASE, COALESCE, GREATEST and ARRAY: the
// typmod of all inputs if they agree and have the result's type
// (nodeFuncs.c).
func sameTypmod(list []query.Expr, t pgtype.OID) pgtype.Typmod { return commonTypmod(list, t) }
