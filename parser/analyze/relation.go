package analyze

import (
	"fmt"
	"slices"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// attr is a column of a row type; a dropped one has no name and no type.
type attr struct {
	name    string
	typ     pgtype.OID
	mod     pgtype.Typmod
	coll    pgtype.OID
	dropped bool
}

func tableAttrs(t *catalog.Table) []attr {
	out := make([]attr, len(t.Columns))
	for i, c := range t.Columns {
		out[i] = attr{c.Name, c.Type, c.Typmod, c.Collation, c.Dropped}
	}
	return out
}

func stringsOf(list []*pg.Node) []string {
	out := make([]string, 0, len(list))
	for _, n := range list {
		out = append(out, n.GetString_().GetSval())
	}
	return out
}

func makeAlias(a *pg.Alias) *query.Alias {
	if a == nil {
		return nil
	}
	return &query.Alias{Name: a.Aliasname, Columns: stringsOf(a.Colnames)}
}

func cloneAlias(a *query.Alias) *query.Alias {
	return &query.Alias{Name: a.Name, Columns: slices.Clone(a.Columns)}
}

// buildAliases matches column aliases with the columns of a row type
// (buildRelationAliases, parse_relation.c).
func (s *state) buildAliases(attrs []attr, alias *query.Alias, name string) *query.Alias {
	eref := &query.Alias{Name: name}
	var given []string
	if alias != nil {
		given = alias.Columns
		alias.Columns = nil
	}
	used, dropped := 0, 0
	for _, at := range attrs {
		switch {
		case at.dropped:
			eref.Columns = append(eref.Columns, "")
			if used < len(given) {
				alias.Columns = append(alias.Columns, "")
			}
			dropped++
		case used < len(given):
			eref.Columns = append(eref.Columns, given[used])
			alias.Columns = append(alias.Columns, given[used])
			used++
		default:
			eref.Columns = append(eref.Columns, at.name)
		}
	}
	if used < len(given) {
		s.fail(errInvalidColumnRef, noLoc, "table \"%s\" has %d columns available but %d columns specified",
			name, len(attrs)-dropped, len(given))
	}
	return eref
}

// addRTE puts an entry into the range table and returns its item.
func (s *state) addRTE(r *query.RangeTblEntry, attrs []attr) *nsItem {
	s.rtable = append(s.rtable, r)
	n := len(s.rtable)
	it := &nsItem{names: r.ERef, rte: r, index: n, relVisible: true, colVisible: true, lateralOK: true}
	it.columns = make([]nsColumn, len(attrs))
	for i, at := range attrs {
		if !at.dropped {
			it.columns[i] = nsColumn{
				varno: n, attno: i + 1, typ: at.typ, mod: at.mod, coll: at.coll,
				varnoSyn: n, attnoSyn: i + 1,
			}
		}
	}
	return it
}

// openTable finds a relation that the query names (parserOpenTable).
func (s *state) openTable(rv *pg.RangeVar) *catalog.Table {
	loc := int(rv.Location)
	if rv.Catalogname != "" && s.cat.TableByName(rv.Schemaname, rv.Relname) == nil {
		s.fail(errFeatureNotSupported, loc, "cross-database references are not implemented: \"%s.%s.%s\"", rv.Catalogname, rv.Schemaname, rv.Relname)
	}
	if rv.Schemaname != "" && s.cat.Schema(rv.Schemaname) == nil {
		// The server says no more than that the relation is missing.
		s.failMissingTable(rv.Schemaname, rv.Relname, loc)
	}
	t := s.cat.TableByName(rv.Schemaname, rv.Relname)
	if t == nil {
		if x := s.cat.IndexByName(rv.Schemaname, rv.Relname); x != nil {
			if s.cat.Major < 16 {
				s.fail(errWrongObjectType, loc, "\"%s\" is an index", x.Name)
			}
			s.failDetail(errWrongObjectType, loc, "This operation is not supported for indexes.", "cannot open relation \"%s\"", x.Name)
		}
		s.failMissingTable(rv.Schemaname, rv.Relname, loc)
	}
	if t.Kind == catalog.KindComposite {
		if s.cat.Major < 16 {
			s.fail(errWrongObjectType, loc, "\"%s\" is a composite type", t.Name)
		}
		s.failDetail(errWrongObjectType, loc, "This operation is not supported for composite types.", "cannot open relation \"%s\"", t.Name)
	}
	return t
}

func (s *state) addTable(t *catalog.Table, alias *query.Alias, inherit, inFrom bool, loc int) *nsItem {
	name := t.Name
	if alias != nil {
		name = alias.Name
	}
	attrs := tableAttrs(t)
	r := &query.RangeTblEntry{
		Kind: query.RTERelation, Alias: alias, Relation: t.OID, RelKind: t.Kind,
		Inherit: inherit, InFrom: inFrom, Loc: s.span(loc),
		Perms: query.Permissions{Select: true},
	}
	r.ERef = s.buildAliases(attrs, alias, name)
	return s.addRTE(r, attrs)
}

// addSubquery is addRangeTableEntryForSubquery.
func (s *state) addSubquery(q *query.Query, alias *query.Alias, lateral, inFrom bool) *nsItem {
	r := &query.RangeTblEntry{Kind: query.RTESubquery, Subquery: q, Alias: alias, Lateral: lateral, InFrom: inFrom, Loc: q.Loc}
	eref := &query.Alias{Name: "unnamed_subquery"}
	if alias != nil {
		eref = cloneAlias(alias)
	}
	given := len(eref.Columns)
	var attrs []attr
	for _, t := range q.TargetList {
		if t.Junk {
			continue
		}
		if len(attrs) >= given {
			eref.Columns = append(eref.Columns, t.Name)
		}
		attrs = append(attrs, exprAttr(t.Name, t.Expr))
	}
	if len(attrs) < given {
		s.fail(errInvalidColumnRef, noLoc, "table \"%s\" has %d columns available but %d columns specified", eref.Name, len(attrs), given)
	}
	r.ERef = eref
	it := s.addRTE(r, attrs)
	it.relVisible = alias != nil
	return it
}

func exprAttr(name string, e query.Expr) attr {
	return attr{name: name, typ: e.ResultType(), mod: e.ResultTypmod(), coll: e.ResultCollation()}
}

// addValues is addRangeTableEntryForValues.
func (s *state) addValues(rows [][]query.Expr, cols []attr, lateral bool) *nsItem {
	r := &query.RangeTblEntry{Kind: query.RTEValues, Values: rows, Lateral: lateral, InFrom: true}
	r.ERef = &query.Alias{Name: "*VALUES*"}
	for i := range cols {
		r.ERef.Columns = append(r.ERef.Columns, fmt.Sprintf("column%d", i+1))
	}
	setColTypes(r, cols)
	return s.addRTE(r, cols)
}

func setColTypes(r *query.RangeTblEntry, cols []attr) {
	for _, c := range cols {
		r.ColTypes = append(r.ColTypes, c.typ)
		r.ColTypmods = append(r.ColTypmods, c.mod)
		r.ColCollations = append(r.ColCollations, c.coll)
	}
}

// addCTE is addRangeTableEntryForCTE.
func (s *state) addCTE(c *cte, levels int, rv *pg.RangeVar) *nsItem {
	r := &query.RangeTblEntry{
		Kind: query.RTECTE, CTEName: c.Name, CTELevels: levels, SelfRef: c.Query == nil,
		Alias: makeAlias(rv.Alias), InFrom: true, Loc: s.span(int(rv.Location)),
	}
	if !r.SelfRef {
		c.RefCount++
		if c.Query.Command != query.CmdSelect && len(c.Query.Returning) == 0 {
			s.fail(errFeatureNotSupported, int(rv.Location), "WITH query \"%s\" does not have a RETURNING clause", c.Name)
		}
	}
	eref := &query.Alias{Name: c.Name}
	if r.Alias != nil {
		eref = cloneAlias(r.Alias)
	}
	given := len(eref.Columns)
	var attrs []attr
	for i, name := range c.ColNames {
		if i >= given {
			eref.Columns = append(eref.Columns, name)
		}
		attrs = append(attrs, attr{name: name, typ: c.ColTypes[i], mod: c.ColTypmods[i], coll: c.ColCollations[i]})
	}
	extra, own := 0, len(attrs)
	if c.raw != nil && (c.raw.SearchClause != nil || c.raw.CycleClause != nil) {
		added := c.extraColumns()
		if extra = len(added); r.SelfRef {
			for _, at := range added {
				eref.Columns = append(eref.Columns, at.name)
			}
			attrs = append(attrs, added...)
		} else {
			own -= extra
		}
	}
	if own < given {
		s.fail(errInvalidColumnRef, noLoc, "table \"%s\" has %d columns available but %d columns specified", eref.Name, own, given)
	}
	r.ERef = eref
	setColTypes(r, attrs)
	it := s.addRTE(r, attrs)
	if levels > 0 {
		// * does not stand for what SEARCH and CYCLE add, where it is read from
		// below.
		for i := range it.columns[len(attrs)-extra:] {
			it.columns[len(attrs)-extra+i].dontExpand = true
		}
	}
	return it
}

// addJoin is addRangeTableEntryForJoin.
func (s *state) addJoin(r *query.RangeTblEntry, names []string, cols []nsColumn) *nsItem {
	eref := &query.Alias{Name: "unnamed_join"}
	if r.Alias != nil {
		eref = cloneAlias(r.Alias)
	}
	given := len(eref.Columns)
	if given > len(names) {
		s.fail(errInvalidColumnRef, noLoc, "join expression \"%s\" has %d columns available but %d columns specified", eref.Name, len(names), given)
	}
	eref.Columns = append(eref.Columns, names[given:]...)
	r.Kind, r.ERef = query.RTEJoin, eref
	s.rtable = append(s.rtable, r)
	return &nsItem{names: eref, rte: r, index: len(s.rtable), columns: cols, relVisible: true, colVisible: true, lateralOK: true}
}

// rteAttrs are the columns of an entry (expandRTE), dropped ones included.
func (s *state) rteAttrs(r *query.RangeTblEntry) []attr {
	var out []attr
	switch r.Kind {
	case query.RTERelation:
		if t := s.cat.Table(r.Relation); t != nil {
			out = tableAttrs(t)
		}
	case query.RTESubquery:
		for _, t := range r.Subquery.TargetList {
			if !t.Junk {
				out = append(out, exprAttr(t.Name, t.Expr))
			}
		}
	case query.RTEJoin:
		for _, v := range r.JoinAliasVars {
			out = append(out, exprAttr("", v))
		}
	case query.RTEFunction:
		for _, f := range r.Functions {
			out = append(out, s.functionAttrs(f)...)
		}
		if r.Ordinality {
			out = append(out, attr{typ: pgtype.Int8OID, mod: -1})
		}
	default:
		for i := range r.ColTypes {
			out = append(out, attr{typ: r.ColTypes[i], mod: r.ColTypmods[i], coll: r.ColCollations[i]})
		}
	}
	for i := range out {
		if i < len(r.ERef.Columns) && !out[i].dropped {
			out[i].name = r.ERef.Columns[i]
		}
	}
	return out
}

func (s *state) functionAttrs(f *query.RangeTblFunction) []attr {
	var out []attr
	if f.ColNames != nil {
		for i, n := range f.ColNames {
			out = append(out, attr{name: n, typ: f.ColTypes[i], mod: f.ColTypmods[i], coll: f.ColCollations[i]})
		}
		return out
	}
	class, attrs := s.resultType(f.Expr)
	if class == resultComposite {
		if len(attrs) > f.ColCount {
			attrs = attrs[:f.ColCount]
		}
		return attrs
	}
	return []attr{exprAttr("", f.Expr)}
}

// wholeRowVar is a reference to all of an entry (makeWholeRowVar,
// makefuncs.c); functions that return scalars stand for their only column.
func (s *state) wholeRowVar(it *nsItem, levels, loc int) *query.Var {
	r := it.rte
	v := &query.Var{VarNo: it.index, LevelsUp: levels, SynNo: it.index, Returning: it.returning}
	v.Typ, v.Mod, v.Loc = pgtype.RecordOID, -1, s.span(loc)
	switch r.Kind {
	case query.RTERelation:
		if t := s.cat.Table(r.Relation); t != nil {
			if v.Typ = t.RowType; t.RowType == 0 {
				s.fail(errWrongObjectType, noLoc, "relation \"%s\" does not have a composite type", t.Name)
			}
		}
	case query.RTEFunction:
		if len(r.Functions) != 1 || r.Ordinality {
			break
		}
		f := r.Functions[0].Expr
		switch t := f.ResultType(); {
		case s.isRowType(t) && t != pgtype.RecordOID:
			v.Typ = t
		case t == pgtype.RecordOID:
		default:
			v.AttNo, v.SynAttNo = 1, 1
			v.Typ, v.Coll = t, f.ResultCollation()
		}
	}
	return v
}
