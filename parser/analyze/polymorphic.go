package analyze

import (
	"github.com/dbgen/dbgen/parser/pgtype"
)

func (a *analyzer) rangeSubtype(oid pgtype.OID) pgtype.OID {
	if t := a.cat.Type(oid); t != nil && t.Kind == 'r' {
		return t.RangeSubtype
	}
	return 0
}

func (a *analyzer) rangeOfMulti(oid pgtype.OID) pgtype.OID {
	if t := a.cat.Type(oid); t != nil && t.Kind == 'm' {
		return t.RangeOf
	}
	return 0
}

func (a *analyzer) multiOfRange(oid pgtype.OID) pgtype.OID {
	if t := a.cat.Type(oid); t != nil {
		return t.RangeMulti
	}
	return 0
}

func (a *analyzer) isEnum(oid pgtype.OID) bool {
	t := a.cat.Type(oid)
	return t != nil && t.Kind == 'e'
}

// generic gathers what a call says about the polymorphic types of a signature.
// One pass serves both questions: whether arguments fit
// (check_generic_type_consistency, parse_coerce.c) and what the types become
// (enforce_generic_type_consistency).
type generic struct {
	a *analyzer
	// fail reports a contradiction; while only asking it returns.
	fail func(detail, format string, args ...any)
	bad  bool

	elem, array, rng, multi          pgtype.OID
	compat, compatArray, compatRange pgtype.OID
	compatRangeElem, compatMulti     pgtype.OID
	compatMultiElem                  pgtype.OID
	nonArray, enum, wantMulti        bool
	compatNonArray, wantCompatArray  bool
	wantCompatRange, wantCompatMulti bool
	polyArgs                         int
	haveCompat, unknowns             bool
	compatTypes                      []pgtype.OID
	allowPoly                        bool
}

// same enters an actual type for a variable that must be one type throughout.
func (g *generic) same(v *pgtype.OID, actual pgtype.OID, name string) {
	if *v != 0 && *v != actual {
		g.fail(g.versus(*v, actual), "arguments declared \"%s\" are not all alike", name)
		return
	}
	*v = actual
}

func (g *generic) versus(x, y pgtype.OID) string { return g.a.format(x) + " versus " + g.a.format(y) }

func (g *generic) gather(actual, declared []pgtype.OID) {
	for i, d := range declared {
		if i >= len(actual) || g.bad {
			return
		}
		t := actual[i]
		switch d {
		case pgtype.AnyelementOID, pgtype.AnynonarrayOID, pgtype.AnyenumOID:
			g.polyArgs++
			g.nonArray = g.nonArray || d == pgtype.AnynonarrayOID
			g.enum = g.enum || d == pgtype.AnyenumOID
			if g.pass(t, d, &g.unknowns) {
				g.same(&g.elem, t, "anyelement")
			}
		case pgtype.AnyarrayOID:
			g.polyArgs++
			if g.pass(t, d, &g.unknowns) {
				g.same(&g.array, g.a.cat.BaseType(t), "anyarray")
			}
		case pgtype.AnyrangeOID:
			g.polyArgs++
			if g.pass(t, d, &g.unknowns) {
				g.same(&g.rng, g.a.cat.BaseType(t), "anyrange")
			}
		case pgtype.AnymultirangeOID:
			g.polyArgs++
			g.wantMulti = true
			if g.pass(t, d, &g.unknowns) {
				g.same(&g.multi, g.a.cat.BaseType(t), "anymultirange")
			}
		default:
			g.gatherCompat(d, t)
		}
	}
}

// pass reports whether an argument says something; an unknown one does not.
func (g *generic) pass(actual, declared pgtype.OID, unknown *bool) bool {
	if actual == pgtype.UnknownOID {
		if unknown != nil {
			*unknown = true
		}
		return false
	}
	return !g.allowPoly || declared != actual
}

func (g *generic) gatherCompat(d, t pgtype.OID) {
	switch d {
	case pgtype.AnycompatibleOID, pgtype.AnycompatiblenonarrayOID:
		g.haveCompat = true
		g.compatNonArray = g.compatNonArray || d == pgtype.AnycompatiblenonarrayOID
		if g.pass(t, d, nil) {
			g.compatTypes = append(g.compatTypes, t)
		}
	case pgtype.AnycompatiblearrayOID:
		g.haveCompat, g.wantCompatArray = true, true
		if g.pass(t, d, nil) {
			t = g.a.cat.BaseType(t)
			e := g.a.elementType(t)
			if e == 0 {
				g.fail("", "argument declared %s is not an array but type %s", "anycompatiblearray", g.a.format(t))
				return
			}
			g.compatTypes = append(g.compatTypes, e)
		}
	case pgtype.AnycompatiblerangeOID:
		g.haveCompat, g.wantCompatRange = true, true
		if g.pass(t, d, nil) {
			t = g.a.cat.BaseType(t)
			if g.compatRange != 0 {
				g.same(&g.compatRange, t, "anycompatiblerange")
				return
			}
			g.compatRange, g.compatRangeElem = t, g.a.rangeSubtype(t)
			if g.compatRangeElem == 0 {
				g.fail("", "argument declared %s is not a range type but type %s", "anycompatiblerange", g.a.format(t))
				return
			}
			g.compatTypes = append(g.compatTypes, g.compatRangeElem)
		}
	case pgtype.AnycompatiblemultirangeOID:
		g.haveCompat, g.wantCompatMulti = true, true
		if g.pass(t, d, nil) {
			t = g.a.cat.BaseType(t)
			if g.compatMulti != 0 {
				g.same(&g.compatMulti, t, "anycompatiblemultirange")
				return
			}
			g.compatMulti, g.compatMultiElem = t, g.a.rangeOfMulti(t)
			if g.compatMultiElem == 0 {
				g.fail("", "argument declared %s is not a multirange type but type %s", "anycompatiblemultirange", g.a.format(t))
			}
		}
	}
}

// resolveMembers relates element, array, range and multirange to one another.
func (g *generic) resolveMembers(result pgtype.OID, asking bool) {
	consistent := func(d1, d2 string, x, y pgtype.OID) {
		g.fail(g.versus(x, y), "argument declared %s is not consistent with argument declared %s", d1, d2)
	}
	if g.array != 0 && !(asking && g.array == pgtype.AnyarrayOID) {
		var e pgtype.OID
		if g.array == pgtype.AnyarrayOID {
			if g.polyArgs != 1 || result != pgtype.AnyarrayOID && isPolymorphic1(result) {
				g.fail("", "cannot determine element type of \"anyarray\" argument")
				return
			}
			e = pgtype.AnyelementOID
		} else if e = g.a.elementType(g.array); e == 0 {
			g.fail("", "argument declared %s is not an array but type %s", "anyarray", g.a.format(g.array))
			return
		}
		if g.elem == 0 {
			g.elem = e
		} else if g.elem != e {
			consistent("anyarray", "anyelement", g.array, g.elem)
			return
		}
	}
	if g.multi != 0 {
		e := g.a.rangeOfMulti(g.multi)
		if e == 0 {
			g.fail("", "argument declared %s is not a multirange type but type %s", "anymultirange", g.a.format(g.multi))
			return
		}
		if g.rng == 0 {
			g.rng = e
		} else if g.rng != e {
			consistent("anymultirange", "anyrange", g.multi, g.rng)
			return
		}
	} else if g.wantMulti && g.rng != 0 {
		g.multi = g.a.multiOfRange(g.rng)
	}
	if g.rng != 0 {
		e := g.a.rangeSubtype(g.rng)
		if e == 0 {
			g.fail("", "argument declared %s is not a range type but type %s", "anyrange", g.a.format(g.rng))
			return
		}
		if g.elem == 0 {
			g.elem = e
		} else if g.elem != e {
			consistent("anyrange", "anyelement", g.rng, g.elem)
			return
		}
	}
	if g.elem == 0 && !asking {
		if !g.allowPoly {
			g.fail("", "could not determine polymorphic type because input has type %s", "unknown")
			return
		}
		g.elem, g.array = pgtype.AnyelementOID, pgtype.AnyarrayOID
		g.rng, g.multi = pgtype.AnyrangeOID, pgtype.AnymultirangeOID
	}
	if g.nonArray && g.elem != pgtype.AnyelementOID && g.a.baseElementType(g.elem) != 0 {
		g.fail("", "type matched to anynonarray is an array type: %s", g.a.format(g.elem))
		return
	}
	if g.enum && g.elem != pgtype.AnyelementOID && !g.a.isEnum(g.elem) {
		g.fail("", "type matched to anyenum is not an enum type: %s", g.a.format(g.elem))
	}
}

// resolveCompat does the same for the anycompatible family.
func (g *generic) resolveCompat(asking bool) {
	if g.compatMulti != 0 {
		if g.compatRange != 0 {
			if g.compatMultiElem != g.compatRange {
				g.fail(g.versus(g.compatMulti, g.compatRange), "argument declared %s is not consistent with argument declared %s",
					"anycompatiblemultirange", "anycompatiblerange")
				return
			}
		} else {
			g.compatRange = g.compatMultiElem
			g.compatRangeElem = g.a.rangeSubtype(g.compatRange)
			if g.compatRangeElem == 0 {
				g.fail("", "argument declared %s is not a multirange type but type %s", "anycompatiblemultirange", g.a.format(g.compatMulti))
				return
			}
			g.wantCompatRange = true
			g.compatTypes = append(g.compatTypes, g.compatRangeElem)
		}
	} else if g.wantCompatMulti && g.compatRange != 0 {
		g.compatMulti = g.a.multiOfRange(g.compatRange)
	}
	if len(g.compatTypes) == 0 {
		if asking {
			return
		}
		g.compatWithoutInput()
		return
	}
	g.compat, _ = g.a.commonTypeOf(g.compatTypes, func(_ int, p, n pgtype.OID) bool {
		g.fail("", "argument types %s and %s cannot be matched", g.a.format(p), g.a.format(n))
		return false
	})
	if g.bad {
		return
	}
	if !g.a.verifyCommon(g.compat, g.compatTypes) {
		g.fail("", "arguments of anycompatible family cannot be cast to a common type")
		return
	}
	if g.wantCompatArray && !asking {
		if g.compatArray = g.a.arrayType(g.compat); g.compatArray == 0 {
			g.a.fail(errUndefinedObject, noLoc, "could not find array type for data type %s", g.a.format(g.compat))
		}
	}
	if !asking && g.wantCompatRange && g.compatRange == 0 {
		g.fail("", "could not determine polymorphic type %s because input has type %s", "anycompatiblerange", "unknown")
		return
	}
	if !asking && g.wantCompatMulti && g.compatMulti == 0 {
		g.fail("", "could not determine polymorphic type %s because input has type %s", "anycompatiblemultirange", "unknown")
		return
	}
	if g.compatRangeElem != 0 && g.compatRangeElem != g.compat {
		g.fail("", "anycompatiblerange type %s does not match anycompatible type %s", g.a.format(g.compatRange), g.a.format(g.compat))
		return
	}
	if g.compatNonArray && g.a.baseElementType(g.compat) != 0 {
		g.fail("", "type matched to anycompatiblenonarray is an array type: %s", g.a.format(g.compat))
	}
}

func (g *generic) compatWithoutInput() {
	if g.allowPoly {
		g.compat, g.compatArray = pgtype.AnycompatibleOID, pgtype.AnycompatiblearrayOID
		g.compatRange, g.compatMulti = pgtype.AnycompatiblerangeOID, pgtype.AnycompatiblemultirangeOID
		return
	}
	g.compat, g.compatArray = pgtype.TextOID, pgtype.TextArrayOID
	switch {
	case g.wantCompatRange:
		g.fail("", "could not determine polymorphic type %s because input has type %s", "anycompatiblerange", "unknown")
	case g.wantCompatMulti:
		g.fail("", "could not determine polymorphic type %s because input has type %s", "anycompatiblemultirange", "unknown")
	}
}

// genericConsistent is check_generic_type_consistency.
func (a *analyzer) genericConsistent(actual, declared []pgtype.OID) bool {
	g := &generic{a: a}
	g.fail = func(string, string, ...any) { g.bad = true }
	g.gather(actual, declared)
	if !g.bad {
		g.resolveMembers(0, true)
	}
	if !g.bad && g.haveCompat {
		g.resolveCompat(true)
	}
	return !g.bad
}

// enforceGeneric replaces polymorphic types in declared by what the arguments
// make them and returns the result type (enforce_generic_type_consistency).
func (a *analyzer) enforceGeneric(actual, declared []pgtype.OID, result pgtype.OID, allowPoly bool) pgtype.OID {
	g := &generic{
		a: a, allowPoly: allowPoly,
		nonArray: result == pgtype.AnynonarrayOID, enum: result == pgtype.AnyenumOID,
		wantMulti:       result == pgtype.AnymultirangeOID,
		compatNonArray:  result == pgtype.AnycompatiblenonarrayOID,
		wantCompatArray: result == pgtype.AnycompatiblearrayOID,
		wantCompatRange: result == pgtype.AnycompatiblerangeOID,
		wantCompatMulti: result == pgtype.AnycompatiblemultirangeOID,
	}
	g.fail = func(detail, format string, args ...any) {
		a.failDetail(errDatatypeMismatch, noLoc, detail, format, args...)
	}
	g.gather(actual, declared)
	if g.polyArgs == 0 && !g.haveCompat {
		return result
	}
	if g.polyArgs > 0 {
		g.resolveMembers(result, false)
	}
	if g.haveCompat {
		g.resolveCompat(false)
	}
	for i := range declared {
		if t := g.compatFor(declared[i]); t != 0 {
			declared[i] = t
		} else if i < len(actual) && actual[i] == pgtype.UnknownOID && isPolymorphic1(declared[i]) {
			declared[i] = g.memberFor(declared[i])
		}
	}
	if t := g.compatFor(result); t != 0 {
		return t
	}
	if isPolymorphic1(result) {
		return g.memberFor(result)
	}
	return result
}

func (g *generic) compatFor(d pgtype.OID) pgtype.OID {
	switch d {
	case pgtype.AnycompatibleOID, pgtype.AnycompatiblenonarrayOID:
		return g.compat
	case pgtype.AnycompatiblearrayOID:
		return g.compatArray
	case pgtype.AnycompatiblerangeOID:
		return g.compatRange
	case pgtype.AnycompatiblemultirangeOID:
		return g.compatMulti
	}
	return 0
}

// memberFor is the concrete type of a variable of the anyelement family.
func (g *generic) memberFor(d pgtype.OID) pgtype.OID {
	undetermined := func(name string) {
		g.fail("", "could not determine polymorphic type %s because input has type %s", name, "unknown")
	}
	switch d {
	case pgtype.AnyarrayOID:
		if g.array == 0 {
			if g.array = g.a.arrayType(g.elem); g.array == 0 {
				g.a.fail(errUndefinedObject, noLoc, "could not find array type for data type %s", g.a.format(g.elem))
			}
		}
		return g.array
	case pgtype.AnyrangeOID:
		if g.rng == 0 {
			undetermined("anyrange")
		}
		return g.rng
	case pgtype.AnymultirangeOID:
		if g.multi == 0 {
			undetermined("anymultirange")
		}
		return g.multi
	}
	return g.elem
}
