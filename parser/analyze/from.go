package analyze

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// fromClause analyses a FROM list (transformFromClause, parse_clause.c).
func (s *state) fromClause(list []*pg.Node) {
	for _, n := range list {
		node, _, items := s.fromItem(n)
		s.checkConflicts(s.namespace, items)
		setLateral(items, true, true)
		s.joinList = append(s.joinList, node)
		s.namespace = append(s.namespace[:len(s.namespace):len(s.namespace)], items...)
	}
	setLateral(s.namespace, false, true)
}

// setTarget makes a table the target of INSERT, UPDATE, DELETE or MERGE
// (setTargetTable).
func (s *state) setTarget(rv *pg.RangeVar, inherit, alsoSource bool) int {
	s.target = s.openTable(rv)
	it := s.addTable(s.target, makeAlias(rv.Alias), inherit, false, int(rv.Location))
	it.rte.Perms.Select = false
	it.rte.LockMode = query.LockNone
	s.targetItem = it
	if alsoSource {
		s.addItem(it, true, true, true)
	}
	return it.index
}

// fromItem analyses one FROM item: its join tree node, its own item, and all
// items that it makes visible (transformFromClauseItem).
func (s *state) fromItem(n *pg.Node) (query.JoinNode, *nsItem, []*nsItem) {
	var it *nsItem
	switch x := n.Node.(type) {
	case *pg.Node_RangeVar:
		it = s.rangeVar(x.RangeVar)
	case *pg.Node_RangeSubselect:
		it = s.rangeSubselect(x.RangeSubselect)
	case *pg.Node_RangeFunction:
		it = s.rangeFunction(x.RangeFunction)
	case *pg.Node_RangeTableSample:
		node, it, items := s.fromItem(x.RangeTableSample.Relation)
		s.tableSample(x.RangeTableSample, it)
		return node, it, items
	case *pg.Node_JoinExpr:
		return s.join(x.JoinExpr)
	case *pg.Node_RangeTableFunc:
		it = s.xmlTable(x.RangeTableFunc)
	default:
		s.unsupported(rawLoc(n), "this kind of FROM item")
	}
	return &query.RangeTblRef{Index: it.index}, it, []*nsItem{it}
}

func (s *state) rangeVar(rv *pg.RangeVar) *nsItem {
	if rv.Schemaname == "" {
		if c, levels := s.findCTE(rv.Relname); c != nil {
			return s.addCTE(c, levels, rv)
		}
	}
	return s.addTable(s.openTable(rv), makeAlias(rv.Alias), rv.Inh, true, int(rv.Location))
}

func (s *state) rangeSubselect(n *pg.RangeSubselect) *nsItem {
	save := s.kind
	s.kind = kindFromSubselect
	s.lateral = n.Lateral
	q := s.subAnalyze(n.Subquery, nil, s.isLocked(n.Alias.GetAliasname()), true)
	s.lateral = false
	s.kind = save
	return s.addSubquery(q, makeAlias(n.Alias), n.Lateral, true)
}

// isLocked is isLockedRefname (parse_relation.c).
func (s *state) isLocked(name string) bool {
	if s.lockedFromParent {
		return true
	}
	for _, l := range s.locking {
		if len(l.LockedRels) == 0 {
			return true
		}
		for _, r := range l.LockedRels {
			if name != "" && r.GetRangeVar().GetRelname() == name {
				return true
			}
		}
	}
	return false
}

// rangeFunction analyses functions in FROM (transformRangeFunction).
func (s *state) rangeFunction(n *pg.RangeFunction) *nsItem {
	var exprs []query.Expr
	var names []string
	var defs [][]*pg.Node
	s.lateral = true
	one := func(fn *pg.Node, def []*pg.Node) {
		last := s.lastSRF
		e := s.expr(fn, kindFromFunction)
		if s.lastSRF != last && s.lastSRF != e {
			s.fail(errFeatureNotSupported, exprLoc(s.lastSRF), "set-returning functions must appear at top level of FROM")
		}
		exprs, names, defs = append(exprs, e), append(names, s.subNames.figure(fn)), append(defs, def)
	}
	for _, p := range n.Functions {
		pair := p.GetList().GetItems()
		fn, def := pair[0], pair[1].GetList().GetItems()
		if c := fn.GetFuncCall(); c != nil && isPlainUnnest(c) && len(def) == 0 {
			for _, a := range c.Args {
				one(&pg.Node{Node: &pg.Node_FuncCall{FuncCall: &pg.FuncCall{
					Funcname:   []*pg.Node{pg.MakeStrNode("pg_catalog"), pg.MakeStrNode("unnest")},
					Args:       []*pg.Node{a},
					Funcformat: pg.CoercionForm_COERCE_EXPLICIT_CALL,
					Location:   c.Location,
				}}}, nil)
			}
			continue
		}
		if len(def) > 0 && len(n.Coldeflist) > 0 {
			s.fail(errSyntax, rawListLoc(n.Coldeflist), "multiple column definition lists are not allowed for the same function")
		}
		one(fn, def)
	}
	s.lateral = false
	s.assignList(exprs)
	if len(n.Coldeflist) > 0 {
		loc := rawListLoc(n.Coldeflist)
		switch {
		case len(exprs) != 1 && n.IsRowsfrom:
			s.failHint(errSyntax, loc, "Put a separate column definition list for each function inside ROWS FROM().", "ROWS FROM() with multiple functions cannot have a column definition list")
		case len(exprs) != 1:
			s.failHint(errSyntax, loc, "Use separate UNNEST() calls inside ROWS FROM(), and attach a column definition list to each one.", "UNNEST() with multiple arguments cannot have a column definition list")
		case n.Ordinality:
			s.failHint(errSyntax, loc, "Put the column definition list inside ROWS FROM().", "WITH ORDINALITY cannot be used with a column definition list")
		}
		defs = [][]*pg.Node{n.Coldeflist}
	}
	lateral := n.Lateral
	for _, e := range exprs {
		lateral = lateral || hasVars(e, 0)
	}
	return s.addFunctions(n, exprs, names, defs, lateral)
}

func isPlainUnnest(c *pg.FuncCall) bool {
	return len(c.Funcname) == 1 && c.Funcname[0].GetString_().GetSval() == "unnest" && len(c.Args) > 1 &&
		len(c.AggOrder) == 0 && c.AggFilter == nil && c.Over == nil && !c.AggStar && !c.AggDistinct && !c.FuncVariadic
}

// addFunctions is addRangeTableEntryForFunction (parse_relation.c).
func (s *state) addFunctions(n *pg.RangeFunction, exprs []query.Expr, names []string, defs [][]*pg.Node, lateral bool) *nsItem {
	alias := makeAlias(n.Alias)
	r := &query.RangeTblEntry{Kind: query.RTEFunction, Ordinality: n.Ordinality, Alias: alias, Lateral: lateral, InFrom: true, Loc: exprs[0].Span()}
	name := names[0]
	if alias != nil {
		name = alias.Name
	}
	var attrs []attr
	for i, e := range exprs {
		f := &query.RangeTblFunction{Expr: e}
		class, cols := s.resultType(e)
		s.checkColDefs(class, e, defs[i])
		switch class {
		case resultComposite:
		case resultScalar:
			cols = []attr{exprAttr(s.scalarAlias(e, names[i], alias, len(exprs)), e)}
		case resultRecord:
			cols = s.columnDefs(defs[i], f)
		default:
			s.fail(errDatatypeMismatch, exprLoc(e), "function \"%s\" in FROM has unsupported return type %s", names[i], s.format(e.ResultType()))
		}
		f.ColCount = len(cols)
		r.Functions = append(r.Functions, f)
		attrs = append(attrs, cols...)
	}
	if n.Ordinality {
		attrs = append(attrs, attr{name: "ordinality", typ: pgtype.Int8OID, mod: -1})
	}
	r.ERef = s.buildAliases(attrs, alias, name)
	return s.addRTE(r, attrs)
}

func (s *state) checkColDefs(class resultClass, e query.Expr, def []*pg.Node) {
	if len(def) == 0 {
		if class == resultRecord {
			s.fail(errSyntax, exprLoc(e), "a column definition list is required for functions returning \"record\"")
		}
		return
	}
	loc := rawListLoc(def)
	switch class {
	case resultRecord:
	case resultComposite:
		if e.ResultType() == pgtype.RecordOID {
			s.fail(errSyntax, loc, "a column definition list is redundant for a function with OUT parameters")
		}
		s.fail(errSyntax, loc, "a column definition list is redundant for a function returning a named composite type")
	default:
		s.fail(errSyntax, loc, "a column definition list is only allowed for functions returning \"record\"")
	}
}

// scalarAlias is chooseScalarFunctionAlias.
func (s *state) scalarAlias(e query.Expr, name string, alias *query.Alias, n int) string {
	if f, ok := e.(*query.FuncExpr); ok {
		if fn := s.cat.Func(f.Func); fn != nil {
			if out := resultName(fn); out != "" {
				return out
			}
		}
	}
	if n == 1 && alias != nil {
		return alias.Name
	}
	return name
}

func (s *state) columnDefs(defs []*pg.Node, f *query.RangeTblFunction) []attr {
	var out []attr
	for _, n := range defs {
		d := n.GetColumnDef()
		if d.TypeName.GetSetof() {
			s.fail(errInvalidTableDef, int(d.Location), "column \"%s\" cannot be declared SETOF", d.Colname)
		}
		t, mod := s.typeName(d.TypeName)
		coll := s.typeCollation(t)
		if c := d.CollClause; c != nil {
			if coll == 0 {
				s.fail(errDatatypeMismatch, int(c.Location), "collations are not supported by type %s", s.format(t))
			}
			coll = s.collation(stringsOf(c.Collname), int(c.Location))
		}
		for _, at := range out {
			if at.name == d.Colname {
				s.fail(errDuplicateColumn, noLoc, "column name \"%s\" specified more than once", d.Colname)
			}
		}
		out = append(out, attr{name: d.Colname, typ: t, mod: mod, coll: coll})
		f.ColNames = append(f.ColNames, d.Colname)
		f.ColTypes, f.ColTypmods, f.ColCollations = append(f.ColTypes, t), append(f.ColTypmods, mod), append(f.ColCollations, coll)
	}
	return out
}

// samplingMethod is what a sampling method's handler tells of it: the type of
// its one argument, and whether a seed can repeat it (TsmRoutine, tsmapi.h).
type samplingMethod struct {
	arg        pgtype.OID
	repeatable bool
}

// samplingMethodOf gives the methods of the server and of its two contributed
// extensions by the C name of their handlers; another handler can only be asked
// by running it.
func samplingMethodOf(handler *catalog.Func) (samplingMethod, bool) {
	switch handler.Source {
	case "tsm_bernoulli_handler", "tsm_system_handler":
		return samplingMethod{arg: pgtype.Float4OID, repeatable: true}, true
	case "tsm_system_rows_handler":
		return samplingMethod{arg: pgtype.Int8OID}, true
	case "tsm_system_time_handler":
		return samplingMethod{arg: pgtype.Float8OID}, true
	}
	return samplingMethod{}, false
}

// tableSample is transformRangeTableSample.
func (s *state) tableSample(n *pg.RangeTableSample, it *nsItem) {
	r, loc := it.rte, int(n.Location)
	if r.Kind != query.RTERelation || r.RelKind != catalog.KindTable && r.RelKind != catalog.KindMatView && r.RelKind != catalog.KindPartitioned {
		s.fail(errFeatureNotSupported, rawLoc(n.Relation), "TABLESAMPLE clause can only be applied to tables and materialized views")
	}
	schema, name := s.qualified(stringsOf(n.Method), loc)
	var handler *catalog.Func
	for _, f := range s.cat.FuncsByName(schema, name) {
		if len(f.Args) == 1 && f.Args[0] == pgtype.InternalOID {
			handler = f
			break
		}
	}
	if handler == nil {
		s.fail(errUndefinedObject, loc, "tablesample method %s does not exist", strings.Join(stringsOf(n.Method), "."))
	}
	if handler.Result != pgtype.TsmhandlerOID {
		s.fail(errWrongObjectType, loc, "function %s must return type %s", strings.Join(stringsOf(n.Method), "."), "tsm_handler")
	}
	method, ok := samplingMethodOf(handler)
	if !ok {
		s.unsupported(loc, "the sampling method "+name)
	}
	if len(n.Args) != 1 {
		s.fail(errInvalidSample, loc, "tablesample method %s requires 1 argument, not %d", strings.Join(stringsOf(n.Method), "."), len(n.Args))
	}
	one := func(x *pg.Node, t pgtype.OID, what string) query.Expr {
		e := s.coerceToSpecific(s.expr(x, kindFromFunction), t, what)
		s.assignCollations(e)
		return e
	}
	r.Sample = &query.TableSampleClause{Handler: handler.OID, Args: []query.Expr{one(n.Args[0], method.arg, "TABLESAMPLE")}}
	if n.Repeatable != nil {
		if !method.repeatable {
			s.fail(errFeatureNotSupported, loc, "tablesample method %s does not support REPEATABLE", strings.Join(stringsOf(n.Method), "."))
		}
		r.Sample.Repeatable = one(n.Repeatable, pgtype.Float8OID, "REPEATABLE")
	}
}
