package analyze

import (
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// operatorExact finds an operator by its exact input types (OpernameGetOprid,
// namespace.c).
func (a *analyzer) operatorExact(names []string, left, right pgtype.OID, loc int) *catalog.Operator {
	for _, o := range a.operators(names, loc) {
		if o.Left == left && o.Right == right {
			return o
		}
	}
	return nil
}

func (a *analyzer) operators(names []string, loc int) []*catalog.Operator {
	schema, name := a.qualified(names, loc)
	if schema != "" && a.cat.Schema(schema) == nil {
		a.fail(errInvalidSchema, loc, "schema \"%s\" does not exist", schema)
	}
	return a.cat.OperatorsByName(schema, name)
}

// operatorCandidates are the operators of one kind that take arguments of the
// given types, those hidden by an earlier schema left out (OpernameGetCandidates
// and func_match_argtypes at once: most operators of a name do not fit).
func (a *analyzer) operatorCandidates(names []string, types []pgtype.OID, loc int) []*candidate {
	var out []*candidate
	prefix := len(types) == 1
	declared := make([]pgtype.OID, len(types))
	for _, o := range a.operators(names, loc) {
		if (o.Left == 0) != prefix {
			continue
		}
		declared[0] = o.Left
		declared[len(types)-1] = o.Right
		hidden := func(c *candidate) bool { return c.op.Left == o.Left && c.op.Right == o.Right }
		if a.canCoerce(types, declared, implicit) && !slices.ContainsFunc(out, hidden) {
			out = append(out, &candidate{op: o, args: slices.Clone(declared)})
		}
	}
	return out
}

// binaryExact is binary_oper_exact (parse_oper.c): an unknown side is taken to
// be of the other's type.
func (a *analyzer) binaryExact(names []string, left, right pgtype.OID, loc int) *catalog.Operator {
	unknown := false
	if left == pgtype.UnknownOID && right != 0 {
		left, unknown = right, true
	} else if right == pgtype.UnknownOID && left != 0 {
		right, unknown = left, true
	}
	if o := a.operatorExact(names, left, right, loc); o != nil {
		return o
	}
	if unknown {
		if base := a.cat.BaseType(left); base != left {
			return a.operatorExact(names, base, base, loc)
		}
	}
	return nil
}

// operator resolves a binary operator (oper), or a prefix one where left is 0
// (left_oper).
func (a *analyzer) operator(names []string, left, right pgtype.OID, loc int) *catalog.Operator {
	o, ambiguous := a.findOperator(names, left, right, loc)
	if o != nil {
		return o
	}
	sig := strings.Join(names, ".") + " " + a.format(right)
	if left != 0 {
		sig = a.format(left) + " " + sig
	}
	if ambiguous {
		a.failHint(errAmbiguousFunction, loc, "Could not choose a best candidate operator. You might need to add explicit type casts.",
			"operator is not unique: %s", sig)
	}
	hint := "No operator matches the given name and argument types. You might need to add explicit type casts."
	if left == 0 {
		hint = "No operator matches the given name and argument type. You might need to add an explicit type cast."
	}
	a.failHint(errUndefinedFunction, loc, hint, "operator does not exist: %s", sig)
	return nil
}

func (a *analyzer) findOperator(names []string, left, right pgtype.OID, loc int) (o *catalog.Operator, ambiguous bool) {
	types := []pgtype.OID{left, right}
	if left == 0 {
		o = a.operatorExact(names, 0, right, loc)
		types = []pgtype.OID{right}
	} else {
		o = a.binaryExact(names, left, right, loc)
	}
	if o != nil {
		return o, false
	}
	list := a.operatorCandidates(names, types, loc)
	switch len(list) {
	case 0:
		return nil, false
	case 1:
		return list[0].op, false
	}
	if c := a.selectCandidate(types, list); c != nil {
		return c.op, false
	}
	return nil, true
}

// makeOp builds an operator call (make_op). left is nil for a prefix operator.
func (s *state) makeOp(names []string, left, right query.Expr, lastSRF query.Expr, loc int) *query.OpExpr {
	var lt pgtype.OID
	args := []query.Expr{right}
	if left != nil {
		lt = left.ResultType()
		args = []query.Expr{left, right}
	}
	o := s.operator(names, lt, right.ResultType(), loc)
	if o.Func == 0 {
		s.fail(errUndefinedFunction, loc, "operator is only a shell: %s", strings.Join(names, "."))
	}
	actual := typesOf(args)
	declared := []pgtype.OID{o.Right}
	if left != nil {
		declared = []pgtype.OID{o.Left, o.Right}
	}
	result := s.enforceGeneric(actual, declared, o.Result, false)
	s.refuseInternal(declared, result, loc)
	s.makeArguments(args, actual, declared)
	r := &query.OpExpr{Op: o.OID, Func: o.Func, Args: args}
	r.Header = query.Header{Typ: result, Mod: -1, Loc: s.span(loc)}
	if f := s.cat.Func(o.Func); f != nil && f.RetSet {
		r.RetSet = true
		s.checkSRFPlace(func() bool { return s.lastSRF != lastSRF }, loc)
		s.lastSRF = r
	}
	return r
}

func (a *analyzer) refuseInternal(declared []pgtype.OID, result pgtype.OID, loc int) {
	for _, d := range declared {
		if d == pgtype.InternalOID {
			a.fail(errFeatureNotSupported, loc, "functions accepting type \"%s\" cannot be called explicitly", "internal")
		}
	}
	if result == pgtype.InternalOID {
		a.fail(errFeatureNotSupported, loc, "functions returning type \"%s\" cannot be called explicitly", "internal")
	}
}

// makeArrayOp builds x op ANY (array) (make_scalar_array_op).
func (s *state) makeArrayOp(names []string, useOr bool, left, right query.Expr, loc int) query.Expr {
	lt, at := left.ResultType(), right.ResultType()
	rt := pgtype.UnknownOID
	if at != pgtype.UnknownOID {
		if rt = s.baseElementType(at); rt == 0 {
			s.fail(errWrongObjectType, loc, "op ANY/ALL (array) requires array on right side")
		}
	}
	o := s.operator(names, lt, rt, loc)
	if o.Func == 0 {
		s.fail(errUndefinedFunction, loc, "operator is only a shell: %s", strings.Join(names, "."))
	}
	actual, declared := []pgtype.OID{lt, rt}, []pgtype.OID{o.Left, o.Right}
	if s.enforceGeneric(actual, declared, o.Result, false) != pgtype.BoolOID {
		s.fail(errWrongObjectType, loc, "op ANY/ALL (array) requires operator to yield boolean")
	}
	if f := s.cat.Func(o.Func); f != nil && f.RetSet {
		s.fail(errWrongObjectType, loc, "op ANY/ALL (array) requires operator not to return a set")
	}
	arrayType := at
	if !isPolymorphic(declared[1]) {
		if arrayType = s.arrayType(declared[1]); arrayType == 0 {
			s.fail(errUndefinedObject, loc, "could not find array type for data type %s", s.format(declared[1]))
		}
	}
	actual[1], declared[1] = at, arrayType
	args := []query.Expr{left, right}
	s.makeArguments(args, actual, declared)
	r := &query.ScalarArrayOpExpr{Op: o.OID, Func: o.Func, UseOr: useOr, Args: [2]query.Expr{args[0], args[1]}}
	r.Header = query.Header{Typ: pgtype.BoolOID, Mod: -1, Loc: s.span(loc)}
	return r
}

// sortOperators are the default operators of a type
// (get_sort_group_operators, through lookup_type_cache in typcache.c).
type sortOperators struct {
	lt, eq, gt pgtype.OID
	hashable   bool
}

func (a *analyzer) sortOperators(t pgtype.OID, needLT, needEQ, needGT bool) sortOperators {
	r := a.typeOperators(t)
	if needLT && r.lt == 0 || needGT && r.gt == 0 {
		a.failHint(errUndefinedFunction, noLoc, "Use an explicit ordering operator or modify the query.",
			"could not identify an ordering operator for type %s", a.format(t))
	}
	if needEQ && r.eq == 0 {
		a.fail(errUndefinedFunction, noLoc, "could not identify an equality operator for type %s", a.format(t))
	}
	return r
}

func (a *analyzer) typeOperators(t pgtype.OID) sortOperators {
	var r sortOperators
	t = a.cat.BaseType(t)
	if m := a.cat.MethodByName("btree"); m != nil {
		if oc := a.cat.DefaultOpClass(t, m.OID); oc != nil {
			r.eq = a.cat.OpFamilyMember(oc.Family, oc.InType, oc.InType, catalog.BTEqual)
			r.lt = a.cat.OpFamilyMember(oc.Family, oc.InType, oc.InType, catalog.BTLess)
			r.gt = a.cat.OpFamilyMember(oc.Family, oc.InType, oc.InType, catalog.BTGreater)
		}
	}
	const hashEqual, hashProc = 1, 1
	if m := a.cat.MethodByName("hash"); m != nil {
		if oc := a.cat.DefaultOpClass(t, m.OID); oc != nil {
			hashEq := a.cat.OpFamilyMember(oc.Family, oc.InType, oc.InType, hashEqual)
			if r.eq == 0 {
				r.eq = hashEq
			}
			for _, p := range a.cat.AmProcs(oc.Family) {
				if p.Number == hashProc && p.Left == oc.InType && p.Right == oc.InType {
					r.hashable = r.eq == hashEq
				}
			}
		}
	}
	a.memberOperators(t, &r)
	return r
}

// memberOperators takes operators away that elements or columns do not support
// (cache_array_element_properties, cache_record_field_properties and their kin,
// typcache.c).
func (a *analyzer) memberOperators(t pgtype.OID, r *sortOperators) {
	var members []pgtype.OID
	ty := a.cat.Type(t)
	switch {
	case ty == nil:
		return
	case t == pgtype.RecordOID:
		// A record of unknown columns is not taken to be hashable.
		r.hashable = false
		return
	case ty.IsArray():
		members = []pgtype.OID{ty.Element}
	case ty.Kind == 'c':
		if rel := a.cat.Table(ty.Relation); rel != nil {
			for _, c := range rel.Columns {
				if !c.Dropped {
					members = append(members, c.Type)
				}
			}
		}
	case ty.Kind == 'r':
		m := a.typeOperators(ty.RangeSubtype)
		r.hashable = r.hashable && m.hashable
		return
	case ty.Kind == 'm':
		if rt := a.cat.Type(ty.RangeOf); rt != nil {
			m := a.typeOperators(rt.RangeSubtype)
			r.hashable = r.hashable && m.hashable
		}
		return
	}
	for _, m := range members {
		if m == t || m == pgtype.RecordOID {
			r.hashable = false
			continue
		}
		x := a.typeOperators(m)
		if x.eq == 0 {
			r.eq = 0
		}
		if x.lt == 0 {
			r.lt, r.gt = 0, 0
		}
		r.hashable = r.hashable && x.hashable
	}
}
