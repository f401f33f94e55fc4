package analyze

import (
	"strconv"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// coercionContext says how willingly a value is coerced (CoercionContext,
// primnodes.h); a later one allows more.
type coercionContext int

const (
	implicit coercionContext = iota
	assignment
	explicit
)

// pathway is the way from one type to another (CoercionPathType).
type pathway int

const (
	pathNone pathway = iota
	pathFunc
	pathRelabel
	pathArray
	pathIO
)

// coerceToTarget coerces an expression to a type and typmod, nil if that is
// impossible (coerce_to_target_type, parse_coerce.c).
func (s *state) coerceToTarget(e query.Expr, target pgtype.OID, mod pgtype.Typmod, ctx coercionContext, form query.CoercionForm, loc int) query.Expr {
	from := e.ResultType()
	if !s.canCoerce1(from, target, ctx) {
		return nil
	}
	orig := e
	for {
		c, ok := e.(*query.CollateExpr)
		if !ok {
			break
		}
		e = c.Arg
	}
	r := s.coerceType(e, from, target, mod, ctx, form, loc)
	_, isConst := r.(*query.Const)
	r = s.coerceTypmod(r, target, mod, ctx, form, loc, r != e && !isConst)
	if e != orig && s.typeCollation(target) != 0 {
		r = s.recollate(orig.(*query.CollateExpr), r)
	}
	return r
}

// recollate puts a COLLATE that stood outside a coerced expression back.
func (s *state) recollate(c *query.CollateExpr, arg query.Expr) query.Expr {
	n := &query.CollateExpr{Arg: arg}
	n.Header = query.Header{Typ: arg.ResultType(), Mod: arg.ResultTypmod(), Coll: c.Coll, Loc: c.Loc}
	return n
}

// coerceType coerces an expression to a type, which must be possible
// (coerce_type).
func (s *state) coerceType(e query.Expr, from, target pgtype.OID, mod pgtype.Typmod, ctx coercionContext, form query.CoercionForm, loc int) query.Expr {
	if from == target || e == nil {
		return e
	}
	switch target {
	case pgtype.AnyOID, pgtype.AnyelementOID, pgtype.AnynonarrayOID, pgtype.AnycompatibleOID, pgtype.AnycompatiblenonarrayOID:
		return e
	case pgtype.AnyarrayOID, pgtype.AnyenumOID, pgtype.AnyrangeOID, pgtype.AnymultirangeOID,
		pgtype.AnycompatiblearrayOID, pgtype.AnycompatiblerangeOID, pgtype.AnycompatiblemultirangeOID:
		if from != pgtype.UnknownOID {
			if base := s.cat.BaseType(from); base != from {
				return s.relabel(e, base, -1, 0, form, loc)
			}
			return e
		}
	}
	if c, ok := e.(*query.Const); ok && from == pgtype.UnknownOID {
		return s.coerceUnknown(c, target, mod, ctx, form, loc)
	}
	if p, ok := e.(*query.Param); ok {
		if r := s.coerceParam(p, target, loc); r != nil {
			return r
		}
	}
	if c, ok := e.(*query.CollateExpr); ok {
		r := s.coerceType(c.Arg, from, target, mod, ctx, form, loc)
		if s.typeCollation(target) != 0 {
			r = s.recollate(c, r)
		}
		return r
	}
	path, fn := s.findPathway(target, from, ctx)
	switch path {
	case pathNone:
	case pathRelabel:
		r := s.coerceToDomain(e, 0, -1, target, ctx, form, loc, false)
		if r == e {
			r = s.relabel(e, target, -1, 0, form, loc)
		}
		return r
	default:
		base, baseMod := s.cat.BaseTypeAndTypmod(target, mod)
		r := s.buildCoercion(e, path, fn, base, baseMod, ctx, form, loc)
		if target != base {
			r = s.coerceToDomain(r, base, baseMod, target, ctx, form, loc, true)
		}
		return r
	}
	if from == pgtype.RecordOID && s.isComplex(target) {
		return s.coerceRecord(e, target, ctx, form, loc)
	}
	if target == pgtype.RecordOID && s.isComplex(from) || target == pgtype.RecordArrayOID && s.isComplexArray(from) {
		return e
	}
	if s.inherits(from, target) {
		if base := s.cat.BaseType(from); base != from {
			e = s.relabel(e, base, -1, 0, query.CoerceImplicitCast, loc)
		}
		r := &query.ConvertRowtypeExpr{Arg: e, Form: form}
		r.Header = query.Header{Typ: target, Mod: -1, Loc: s.span(loc)}
		return r
	}
	s.fail("XX000", noLoc, "failed to find conversion function from %s to %s", s.format(from), s.format(target))
	return nil
}

func (s *state) relabel(e query.Expr, t pgtype.OID, mod pgtype.Typmod, coll pgtype.OID, form query.CoercionForm, loc int) query.Expr {
	r := &query.RelabelType{Arg: e, Form: form}
	r.Header = query.Header{Typ: t, Mod: mod, Coll: coll, Loc: s.span(loc)}
	return r
}

// coerceUnknown reads a literal by the input function of its type.
func (s *state) coerceUnknown(c *query.Const, target pgtype.OID, mod pgtype.Typmod, ctx coercionContext, form query.CoercionForm, loc int) query.Expr {
	base, baseMod := s.cat.BaseTypeAndTypmod(target, mod)
	inMod := pgtype.NoTypmod
	if base == pgtype.IntervalOID {
		inMod = baseMod
	}
	t := s.typ(base)
	n := &query.Const{Null: c.Null, Len: t.Len, ByVal: t.ByVal}
	n.Header = query.Header{Typ: base, Mod: inMod, Coll: t.Collation, Loc: c.Loc}
	if !c.Null {
		s.at(locOf(c.Loc), func() { n.Value = s.input(t, c.Value, inMod) })
	}
	if base == target {
		return n
	}
	return s.coerceToDomain(n, base, baseMod, target, ctx, form, loc, false)
}

// canCoerce1 is canCoerce of one type.
func (a *analyzer) canCoerce1(from, to pgtype.OID, ctx coercionContext) bool {
	return a.canCoerce([]pgtype.OID{from}, []pgtype.OID{to}, ctx)
}

// canCoerce reports whether each type can become the other (can_coerce_type).
func (a *analyzer) canCoerce(from, to []pgtype.OID, ctx coercionContext) bool {
	generic := false
	for i, f := range from {
		t := to[i]
		if f == t {
			continue
		}
		if f == pgtype.InternalOID || t == pgtype.InternalOID {
			return false
		}
		if t == pgtype.AnyOID {
			continue
		}
		if isPolymorphic(t) {
			generic = true
			continue
		}
		if f == pgtype.UnknownOID {
			continue
		}
		if p, _ := a.findPathway(t, f, ctx); p != pathNone {
			continue
		}
		if f == pgtype.RecordOID && a.isComplex(t) || t == pgtype.RecordOID && a.isComplex(f) ||
			t == pgtype.RecordArrayOID && a.isComplexArray(f) || a.inherits(f, t) {
			continue
		}
		return false
	}
	return !generic || a.genericConsistent(from, to)
}

// inherits reports whether one row type is of a table that descends from the
// other's (typeInheritsFrom, pg_inherits.c).
func (a *analyzer) inherits(sub, super pgtype.OID) bool {
	t, top := a.rowRelation(sub), a.cat.Type(super)
	if t == nil || top == nil || top.Relation == 0 {
		return false
	}
	seen := map[pgtype.OID]bool{}
	work := []pgtype.OID{t.OID}
	for len(work) > 0 {
		oid := work[0]
		work = work[1:]
		if seen[oid] {
			continue
		}
		seen[oid] = true
		if oid == top.Relation && oid != t.OID {
			return true
		}
		if x := a.cat.Table(oid); x != nil {
			work = append(work, x.Parents...)
		}
	}
	return false
}

// coerceToDomain is coerce_to_domain; base 0 means look it up.
func (s *state) coerceToDomain(e query.Expr, base pgtype.OID, baseMod pgtype.Typmod, target pgtype.OID, ctx coercionContext, form query.CoercionForm, loc int, hide bool) query.Expr {
	if base == 0 {
		base, baseMod = s.cat.BaseTypeAndTypmod(target, baseMod)
	}
	if base == target {
		return e
	}
	if hide {
		hideCoercion(e)
	}
	e = s.coerceTypmod(e, base, baseMod, ctx, query.CoerceImplicitCast, loc, false)
	r := &query.CoerceToDomain{Arg: e, Form: form}
	r.Header = query.Header{Typ: target, Mod: -1, Loc: s.span(loc)}
	return r
}

// coerceTypmod applies a length coercion if the type has one
// (coerce_type_typmod).
func (s *state) coerceTypmod(e query.Expr, target pgtype.OID, mod pgtype.Typmod, ctx coercionContext, form query.CoercionForm, loc int, hide bool) query.Expr {
	if mod == e.ResultTypmod() && mod != pgtype.UnknownTypmod {
		return e
	}
	if hide {
		hideCoercion(e)
	}
	if mod >= 0 || mod == pgtype.UnknownTypmod {
		if path, fn := s.typmodCoercion(target); path != pathNone {
			return s.buildCoercion(e, path, fn, target, mod, ctx, form, loc)
		}
	}
	return s.applyRelabel(e, target, mod, e.ResultCollation(), form, loc)
}

// applyRelabel is applyRelabelType (nodeFuncs.c).
func (s *state) applyRelabel(e query.Expr, t pgtype.OID, mod pgtype.Typmod, coll pgtype.OID, form query.CoercionForm, loc int) query.Expr {
	for {
		r, ok := e.(*query.RelabelType)
		if !ok {
			break
		}
		e = r.Arg
	}
	if c, ok := e.(*query.Const); ok {
		n := *c
		n.Typ, n.Mod, n.Coll = t, mod, coll
		return &n
	}
	if e.ResultType() == t && e.ResultTypmod() == mod && e.ResultCollation() == coll {
		return e
	}
	return s.relabel(e, t, mod, coll, form, loc)
}

// hideCoercion marks a coercion as not written (hide_coercion_node).
func hideCoercion(e query.Expr) {
	switch e := e.(type) {
	case *query.FuncExpr:
		e.Form = query.CoerceImplicitCast
	case *query.RelabelType:
		e.Form = query.CoerceImplicitCast
	case *query.CoerceViaIO:
		e.Form = query.CoerceImplicitCast
	case *query.ArrayCoerceExpr:
		e.Form = query.CoerceImplicitCast
	case *query.ConvertRowtypeExpr:
		e.Form = query.CoerceImplicitCast
	case *query.RowExpr:
		e.Form = query.CoerceImplicitCast
	case *query.CoerceToDomain:
		e.Form = query.CoerceImplicitCast
	}
}

// buildCoercion makes the node for a pathway (build_coercion_expression).
func (s *state) buildCoercion(e query.Expr, path pathway, fn pgtype.OID, target pgtype.OID, mod pgtype.Typmod, ctx coercionContext, form query.CoercionForm, loc int) query.Expr {
	switch path {
	case pathFunc:
		f := s.cat.Func(fn)
		if f == nil {
			s.fail("XX000", noLoc, "cache lookup failed for function %d", fn)
		}
		r := &query.FuncExpr{Func: fn, Form: form, Args: []query.Expr{e}}
		r.Header = query.Header{Typ: target, Mod: -1, Loc: s.span(loc)}
		if len(f.Args) >= 2 {
			r.Args = append(r.Args, s.constOf(pgtype.Int4OID, strconv.Itoa(int(mod))))
			r.Mod = mod
		}
		if len(f.Args) == 3 {
			r.Args = append(r.Args, s.boolConst(ctx == explicit))
		}
		return r
	case pathArray:
		srcBase, srcMod := s.cat.BaseTypeAndTypmod(e.ResultType(), e.ResultTypmod())
		test := &query.CaseTestExpr{}
		test.Typ, test.Mod = s.elementType(srcBase), srcMod
		elem := s.coerceToTarget(test, s.elementType(target), mod, ctx, form, loc)
		if elem == nil {
			s.fail("XX000", noLoc, "failed to coerce array element type as expected")
		}
		r := &query.ArrayCoerceExpr{Arg: e, Elem: elem, Form: form}
		r.Header = query.Header{Typ: target, Mod: elem.ResultTypmod(), Loc: s.span(loc)}
		return r
	default:
		r := &query.CoerceViaIO{Arg: e, Form: form}
		r.Header = query.Header{Typ: target, Mod: -1, Loc: s.span(loc)}
		return r
	}
}

// coerceRecord coerces ROW(…) or a whole-row reference to a named row type
// (coerce_record_to_complex).
func (s *state) coerceRecord(e query.Expr, target pgtype.OID, ctx coercionContext, form query.CoercionForm, loc int) query.Expr {
	where := func(x query.Expr) int {
		if loc >= 0 {
			return loc
		}
		return exprLoc(x)
	}
	fail := func(x query.Expr, detail string) {
		s.failDetail(errCannotCoerce, where(x), detail, "cannot cast type %s to %s", s.format(pgtype.RecordOID), s.format(target))
	}
	var args []query.Expr
	if r, ok := e.(*query.RowExpr); ok {
		args = r.Args
	} else if v, ok := e.(*query.Var); ok && v.AttNo == 0 {
		_, vars := s.itemVars(s.itemAt(v.VarNo, v.LevelsUp), v.LevelsUp, locOf(v.Loc))
		for _, x := range vars {
			args = append(args, x)
		}
	} else {
		fail(e, "")
	}
	base, baseMod := s.cat.BaseTypeAndTypmod(target, -1)
	var out []query.Expr
	next := 0
	for _, at := range tableAttrs(s.rowRelation(base)) {
		if at.dropped {
			out = append(out, s.nullConst(pgtype.Int4OID))
			continue
		}
		if next >= len(args) {
			fail(e, "Input has too few columns.")
		}
		x := args[next]
		next++
		c := s.coerceToTarget(x, at.typ, at.mod, ctx, query.CoerceImplicitCast, noLoc)
		if c == nil {
			fail(x, "Cannot cast type "+s.format(x.ResultType())+" to "+s.format(at.typ)+" in column "+strconv.Itoa(next)+".")
		}
		out = append(out, c)
	}
	if next < len(args) {
		fail(e, "Input has too many columns.")
	}
	r := &query.RowExpr{Args: out, Form: form}
	r.Header = query.Header{Typ: base, Mod: -1, Loc: s.span(loc)}
	if base != target {
		r.Form = query.CoerceImplicitCast
		return s.coerceToDomain(r, base, baseMod, target, ctx, form, loc, false)
	}
	return r
}

// coerceToBoolean is coerce_to_boolean.
func (s *state) coerceToBoolean(e query.Expr, construct string) query.Expr {
	return s.coerceToSpecific(e, pgtype.BoolOID, construct)
}

// coerceToSpecific coerces to a type that a construct demands
// (coerce_to_specific_type).
func (s *state) coerceToSpecific(e query.Expr, target pgtype.OID, construct string) query.Expr {
	return s.coerceToSpecificTypmod(e, target, -1, construct)
}

// coerceToSpecificTypmod is coerce_to_specific_type_typmod.
func (s *state) coerceToSpecificTypmod(e query.Expr, target pgtype.OID, mod pgtype.Typmod, construct string) query.Expr {
	if from := e.ResultType(); from != target {
		n := s.coerceToTarget(e, target, mod, assignment, query.CoerceImplicitCast, noLoc)
		if n == nil {
			s.fail(errDatatypeMismatch, exprLoc(e), "argument of %s must be type %s, not type %s", construct, s.format(target), s.format(from))
		}
		e = n
	}
	if returnsSet(e) {
		s.fail(errDatatypeMismatch, exprLoc(e), "argument of %s must not return a set", construct)
	}
	return e
}

// returnsSet is expression_returns_set (nodeFuncs.c).
func returnsSet(e query.Expr) bool {
	found := false
	query.Walk(e, func(x query.Expr) bool {
		switch x := x.(type) {
		case *query.FuncExpr:
			found = found || x.RetSet
		case *query.OpExpr:
			found = found || x.RetSet
		case *query.Aggref, *query.GroupingFunc, *query.WindowFunc:
			return false
		}
		return !found
	})
	return found
}

// findPathway is find_coercion_pathway.
func (a *analyzer) findPathway(target, source pgtype.OID, ctx coercionContext) (pathway, pgtype.OID) {
	source, target = a.cat.BaseType(source), a.cat.BaseType(target)
	if source == target {
		return pathRelabel, 0
	}
	if source == pgtype.InternalOID || target == pgtype.InternalOID {
		return pathNone, 0
	}
	if k := a.cat.Cast(source, target); k != nil {
		need := explicit
		switch k.Context {
		case catalog.CastImplicit:
			need = implicit
		case catalog.CastAssignment:
			need = assignment
		}
		if ctx < need {
			return pathNone, 0
		}
		switch k.Method {
		case catalog.CastFunction:
			return pathFunc, k.Func
		case catalog.CastInOut:
			return pathIO, 0
		}
		return pathRelabel, 0
	}
	if target != pgtype.OidvectorOID && target != pgtype.Int2vectorOID {
		te, se := a.elementType(target), a.elementType(source)
		if te != 0 && se != 0 {
			if p, _ := a.findPathway(te, se, ctx); p != pathNone {
				return pathArray, 0
			}
		}
	}
	const stringCategory = 'S'
	if c, _ := a.category(target); ctx >= assignment && c == stringCategory {
		return pathIO, 0
	}
	if c, _ := a.category(source); ctx >= explicit && c == stringCategory {
		return pathIO, 0
	}
	return pathNone, 0
}

// typmodCoercion finds a type's length coercion
// (find_typmod_coercion_function).
func (a *analyzer) typmodCoercion(oid pgtype.OID) (pathway, pgtype.OID) {
	t := a.typ(oid)
	path := pathFunc
	if t.IsArray() {
		oid, path = t.Element, pathArray
	}
	if k := a.cat.Cast(oid, oid); k != nil && k.Func != 0 {
		return path, k.Func
	}
	return pathNone, 0
}
