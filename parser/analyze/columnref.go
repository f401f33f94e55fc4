package analyze

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// fieldNames are the parts of a column reference; star is set if it ends in *.
func fieldNames(c *pg.ColumnRef) (names []string, star bool) {
	for _, f := range c.Fields {
		if f.GetAStar() != nil {
			star = true
			continue
		}
		names = append(names, f.GetString_().GetSval())
	}
	return names, star
}

// columnRef is transformColumnRef (parse_expr.c).
func (s *state) columnRef(c *pg.ColumnRef) query.Expr {
	loc := int(c.Location)
	switch s.kind {
	case kindColumnDefault:
		s.fail(errFeatureNotSupported, loc, "cannot use column reference in DEFAULT expression")
	case kindPartitionBound:
		s.fail(errFeatureNotSupported, loc, "cannot use column reference in partition bound expression")
	}
	names, star := fieldNames(c)
	if s.value != nil && len(names) == 1 && !star && names[0] == "value" {
		v := *s.value
		v.Loc = s.span(loc)
		return &v
	}
	e, fail := s.resolveColumn(names, star, loc)
	if e == nil {
		if a := s.argumentRef(names, star, loc); a != nil {
			return a
		}
		fail()
	}
	return e
}

// resolveColumn resolves a reference, or returns nil and what to report.
func (s *state) resolveColumn(names []string, star bool, loc int) (query.Expr, func()) {
	if len(names) == 1 && !star {
		if e := s.nameToVar(names[0], false, loc); e != nil {
			return e, nil
		}
		if it, levels := s.refnameItem("", names[0], loc); it != nil {
			return s.wholeRow(it, levels, loc), nil
		}
		return nil, func() { s.failMissingColumn("", names[0], loc) }
	}
	schema, rel, col, ok := splitRef(names, star)
	if !ok {
		return nil, func() {
			s.fail(errSyntax, loc, "improper qualified name (too many dotted names): %s", strings.Join(names, "."))
		}
	}
	it, levels := s.refnameItem(schema, rel, loc)
	if parts := len(names); it == nil && (parts == 4 || star && parts == 3) {
		return nil, func() { s.failCrossDatabase(names, loc) }
	}
	if it == nil {
		return nil, func() { s.failMissingRTE(schema, rel, loc) }
	}
	if star {
		return s.wholeRow(it, levels, loc), nil
	}
	if e := s.columnVar(it, levels, col, loc); e != nil {
		return e, nil
	}
	row := s.wholeRow(it, levels, loc)
	e := s.funcOrColumn(&call{names: []string{col}, args: []query.Expr{row}, lastSRF: s.lastSRF, loc: loc})
	if e != nil {
		return e, nil
	}
	return nil, func() { s.failMissingColumn(rel, col, loc) }
}

// splitRef divides a qualified reference; the database's name in front is not
// looked at.
func splitRef(names []string, star bool) (schema, rel, col string, ok bool) {
	if !star {
		col, names = names[len(names)-1], names[:len(names)-1]
	}
	switch len(names) {
	case 1:
		return "", names[0], col, true
	case 2:
		return names[0], names[1], col, true
	case 3:
		return names[1], names[2], col, true
	}
	return "", "", "", false
}

// argumentRef resolves a reference to an argument of a SQL function
// (sql_fn_post_column_ref, executor/functions.c).
func (s *state) argumentRef(names []string, star bool, loc int) query.Expr {
	find := func(name string) query.Expr {
		for i, p := range s.paramNames {
			if p != "" && p == name && i < len(s.params.types) {
				return s.newParam(i+1, s.params.types[i], s.span(loc))
			}
		}
		return nil
	}
	if star || len(s.paramNames) == 0 || len(names) == 0 {
		return nil
	}
	field := func(e query.Expr, name string) query.Expr {
		if e == nil {
			return nil
		}
		return s.funcOrColumn(&call{names: []string{name}, args: []query.Expr{e}, lastSRF: s.lastSRF, loc: loc})
	}
	switch len(names) {
	case 1:
		return find(names[0])
	case 2:
		if names[0] == s.funcName {
			if e := find(names[1]); e != nil {
				return e
			}
		}
		return field(find(names[0]), names[1])
	case 3:
		if names[0] == s.funcName {
			return field(find(names[1]), names[2])
		}
	}
	return nil
}

// wholeRow is transformWholeRowRef.
func (s *state) wholeRow(it *nsItem, levels, loc int) query.Expr {
	if it.names == it.rte.ERef || it.returning != 0 {
		v := s.wholeRowVar(it, levels, loc)
		s.markNullable(v)
		s.markSelect(v)
		return v
	}
	// The alias of JOIN … USING covers the merged columns alone.
	r := &query.RowExpr{Form: query.CoerceImplicitCast, ColNames: it.names.Columns}
	r.Header = query.Header{Typ: pgtype.RecordOID, Mod: -1, Loc: s.span(loc)}
	for i := range it.names.Columns {
		v := it.columns[i].newVar(levels)
		v.Loc = r.Loc
		s.markNullable(v)
		r.Args = append(r.Args, v)
	}
	return r
}

// indirection applies subscripts and fields to an expression
// (transformIndirection).
func (s *state) indirection(arg *pg.Node, steps []*pg.Node) query.Expr {
	last := s.lastSRF
	e := s.transform(arg)
	loc := exprLoc(e)
	var subscripts []*pg.A_Indices
	flush := func() {
		if len(subscripts) > 0 {
			e = s.subscript(e, e.ResultType(), e.ResultTypmod(), subscripts, false)
			subscripts = nil
		}
	}
	for _, st := range steps {
		if i := st.GetAIndices(); i != nil {
			subscripts = append(subscripts, i)
			continue
		}
		if st.GetAStar() != nil {
			s.fail(errFeatureNotSupported, loc, "row expansion via \"*\" is not supported here")
		}
		flush()
		name := st.GetString_().GetSval()
		f := s.funcOrColumn(&call{names: []string{name}, args: []query.Expr{e}, lastSRF: last, loc: loc})
		if f == nil {
			s.failUnknownField(e, name, loc)
		}
		e = f
	}
	flush()
	return e
}

// failUnknownField is unknown_attribute.
func (s *state) failUnknownField(e query.Expr, name string, loc int) {
	if v, ok := e.(*query.Var); ok && v.AttNo == 0 {
		s.fail(errUndefinedColumn, loc, "column %s.%s does not exist", s.rte(v.VarNo, v.LevelsUp).ERef.Name, name)
	}
	switch t := e.ResultType(); {
	case s.isComplex(t):
		s.fail(errUndefinedColumn, loc, "column \"%s\" not found in data type %s", name, s.format(t))
	case t == pgtype.RecordOID:
		s.fail(errUndefinedColumn, loc, "could not identify column \"%s\" in record data type", name)
	default:
		s.fail(errWrongObjectType, loc, "column notation .%s applied to type %s, which is not a composite type", name, s.format(t))
	}
}
