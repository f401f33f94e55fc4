package analyze

import (
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// insertCol is a column that an INSERT names.
type insertCol struct {
	name   string
	number int
	ind    []*pg.Node
	loc    int
}

// insertTargets is checkInsertTargets (parse_target.c).
func (s *state) insertTargets(cols []*pg.Node) []insertCol {
	var out []insertCol
	if len(cols) == 0 {
		for _, c := range s.target.Columns {
			if !c.Dropped {
				out = append(out, insertCol{name: c.Name, number: c.Number, loc: noLoc})
			}
		}
		return out
	}
	whole, partial := map[int]bool{}, map[int]bool{}
	for _, n := range cols {
		r := n.GetResTarget()
		loc := int(r.Location)
		number := columnNumber(s.target, r.Name, false)
		if number == 0 {
			s.failNoColumn(r.Name, loc, "")
		}
		if whole[number] || len(r.Indirection) == 0 && partial[number] {
			s.fail(errDuplicateColumn, loc, "column \"%s\" specified more than once", r.Name)
		}
		if len(r.Indirection) == 0 {
			whole[number] = true
		} else {
			partial[number] = true
		}
		out = append(out, insertCol{r.Name, number, r.Indirection, loc})
	}
	return out
}

// insertStmt is transformInsertStmt (analyze.c).
func (s *state) insertStmt(n *pg.InsertStmt) *query.Query {
	q := &query.Query{Command: query.CmdInsert, Override: overriding(n.Override)}
	s.isInsert = true
	s.with(q, n.WithClause)
	sel := n.SelectStmt.GetSelectStmt()
	general := sel != nil && (len(sel.ValuesLists) == 0 || len(sel.SortClause) > 0 || sel.LimitOffset != nil ||
		sel.LimitCount != nil || len(sel.LockingClause) > 0 || sel.WithClause != nil)
	q.ResultRelation = s.setTarget(n.Relation, false, false)
	r := s.targetItem.rte
	r.Perms.Insert = true
	onUpdate := n.OnConflictClause != nil && n.OnConflictClause.Action == pg.OnConflictAction_ONCONFLICT_UPDATE
	r.Perms.Update = onUpdate
	cols := s.insertTargets(n.Cols)
	var exprs []query.Expr
	named := len(n.Cols) > 0
	switch {
	case sel == nil:
	case general:
		exprs = s.insertRow(s.insertSelect(n.SelectStmt), named, cols, false)
	case len(sel.ValuesLists) > 1:
		exprs = s.insertValues(sel.ValuesLists, named, cols)
	default:
		exprs = s.insertRow(s.exprList(sel.ValuesLists[0].GetList().GetItems(), kindValuesSingle, true), named, cols, false)
	}
	for i, e := range exprs {
		q.TargetList = append(q.TargetList, &query.TargetEntry{Expr: e, ResNo: cols[i].number, Name: cols[i].name, Loc: e.Span()})
		addCol(&r.Perms.InsertCols, cols[i].number)
	}
	if n.OnConflictClause != nil || len(n.ReturningList) > 0 {
		s.namespace = nil
		s.addItem(s.targetItem, false, true, true)
	}
	if n.OnConflictClause != nil {
		q.OnConflict = s.onConflict(n.OnConflictClause)
	}
	q.Returning = s.returning(n.ReturningList)
	s.finish(q, nil)
	q.HasAggs, q.HasWindowFuncs = false, false
	s.assignQueryCollations(q)
	return q
}

func overriding(k pg.OverridingKind) query.OverridingKind {
	switch k {
	case pg.OverridingKind_OVERRIDING_USER_VALUE:
		return query.OverridingUser
	case pg.OverridingKind_OVERRIDING_SYSTEM_VALUE:
		return query.OverridingSystem
	}
	return query.OverridingNone
}

// insertSelect analyses INSERT … SELECT and returns what it yields.
func (s *state) insertSelect(n *pg.Node) []query.Expr {
	in := newState(s.analyzer, s)
	in.resolveUnknowns = false
	q := in.statement(n)
	in.checkWidth()
	it := s.addSubquery(q, &query.Alias{Name: "*SELECT*"}, false, false)
	s.addItem(it, true, false, false)
	var out []query.Expr
	for _, t := range visibleTargets(q) {
		switch t.Expr.(type) {
		case *query.Const, *query.Param:
			if t.Expr.ResultType() == pgtype.UnknownOID {
				out = append(out, t.Expr)
				continue
			}
		}
		v := &query.Var{VarNo: it.index, AttNo: t.ResNo, SynNo: it.index, SynAttNo: t.ResNo}
		v.Header = query.Header{Typ: t.Expr.ResultType(), Mod: t.Expr.ResultTypmod(), Coll: t.Expr.ResultCollation(), Loc: s.span(exprLoc(t.Expr))}
		out = append(out, v)
	}
	return out
}

// insertValues analyses several VALUES rows.
func (s *state) insertValues(lists []*pg.Node, named bool, cols []insertCol) []query.Expr {
	var rows [][]query.Expr
	width := -1
	for _, l := range lists {
		row := s.exprList(l.GetList().GetItems(), kindValues, true)
		if width < 0 {
			width = len(row)
		} else if len(row) != width {
			s.fail(errSyntax, listLoc(row), "VALUES lists must all be the same length")
		}
		row = s.insertRow(row, named, cols, true)
		s.assignList(row)
		rows = append(rows, row)
	}
	var attrs []attr
	for _, e := range rows[0] {
		attrs = append(attrs, attr{typ: e.ResultType(), mod: e.ResultTypmod()})
	}
	lateral := false
	if len(s.rtable) != 1 {
		for _, row := range rows {
			for _, e := range row {
				lateral = lateral || hasVars(e, 0)
			}
		}
	}
	it := s.addValues(rows, attrs, lateral)
	s.addItem(it, true, false, false)
	_, vars := s.itemVars(it, 0, noLoc)
	var exprs []query.Expr
	for _, v := range vars {
		exprs = append(exprs, v)
	}
	return s.insertRow(exprs, named, cols, false)
}

// insertRow is transformInsertRow.
func (s *state) insertRow(exprs []query.Expr, named bool, cols []insertCol, strip bool) []query.Expr {
	if len(exprs) > len(cols) {
		s.fail(errSyntax, exprLoc(exprs[len(cols)]), "INSERT has more expressions than target columns")
	}
	if named && len(exprs) < len(cols) {
		hint := ""
		if len(exprs) == 1 {
			if r, ok := exprs[0].(*query.RowExpr); ok && len(r.Args) == len(cols) {
				hint = "The insertion source is a row expression containing the same number of columns expected by the INSERT. Did you accidentally use extra parentheses?"
			}
		}
		s.failHint(errSyntax, cols[len(exprs)].loc, hint, "INSERT has more target columns than expressions")
	}
	out := make([]query.Expr, 0, len(exprs))
	for i, e := range exprs {
		c := cols[i]
		e = s.assigned(e, kindInsertTarget, c.name, c.number, c.ind, c.loc)
		if strip {
			e = stripAssignment(e)
		}
		out = append(out, e)
	}
	return out
}

// stripAssignment takes the value out of assignments to fields and elements.
func stripAssignment(e query.Expr) query.Expr {
	for {
		x := e
		for {
			d, ok := x.(*query.CoerceToDomain)
			if !ok {
				break
			}
			x = d.Arg
		}
		switch f := x.(type) {
		case *query.FieldStore:
			e = f.New[0]
		case *query.SubscriptingRef:
			if f.Assign == nil {
				return e
			}
			e = f.Assign
		default:
			return e
		}
	}
}

// returning is transformReturningList.
func (s *state) returning(list []*pg.Node) []*query.TargetEntry {
	if len(list) == 0 {
		return nil
	}
	if s.cat.Major >= 18 {
		s.addReturning("old", query.ReturningOld)
		s.addReturning("new", query.ReturningNew)
	}
	save := s.nextResNo
	s.nextResNo = 1
	out := s.targetList(list, kindReturning)
	if len(out) == 0 {
		s.fail(errSyntax, rawLoc(list[0]), "RETURNING must have at least one column")
	}
	s.markOrigins(out)
	if s.resolveUnknowns {
		s.resolveTargets(out)
	}
	s.nextResNo = save
	return out
}

// addReturning makes the target's rows before and after the statement visible by
// a name, unless something else has it (addNSItemForReturning, analyze.c).
func (s *state) addReturning(name string, of query.VarReturning) {
	for _, it := range s.namespace {
		if it.relVisible && it.names.Name == name {
			return
		}
	}
	c := *s.targetItem
	c.names, c.returning = &query.Alias{Name: name, Columns: s.targetItem.names.Columns}, of
	c.columns = slices.Clone(s.targetItem.columns)
	for i := range c.columns {
		c.columns[i].returning = of
	}
	s.addItem(&c, false, true, false)
}

// onConflict is transformOnConflictClause.
func (s *state) onConflict(n *pg.OnConflictClause) *query.OnConflictExpr {
	c := &query.OnConflictExpr{Action: query.OnConflictNothing, Loc: s.span(int(n.Location))}
	var excluded *nsItem
	if n.Action == pg.OnConflictAction_ONCONFLICT_UPDATE {
		c.Action = query.OnConflictUpdate
		excluded = s.addTable(s.target, &query.Alias{Name: "excluded"}, false, false, noLoc)
		excluded.rte.RelKind = catalog.KindComposite
		c.ExclRelIndex = excluded.index
		c.ExclTarget = s.excludedTargets(excluded.index)
	}
	s.conflictArbiter(n, c)
	if excluded != nil {
		s.isInsert = false
		s.addItem(excluded, false, true, true)
		c.Set = s.updateTargets(n.TargetList)
		c.Where = s.where(n.WhereClause, kindWhere, "WHERE")
		s.namespace = s.namespace[:len(s.namespace)-1]
	}
	return c
}

// excludedTargets is BuildOnConflictExcludedTargetlist.
func (s *state) excludedTargets(index int) []*query.TargetEntry {
	var out []*query.TargetEntry
	for _, c := range s.target.Columns {
		if c.Dropped {
			out = append(out, &query.TargetEntry{Expr: s.nullConst(pgtype.Int4OID), ResNo: c.Number})
			continue
		}
		v := &query.Var{VarNo: index, AttNo: c.Number, SynNo: index, SynAttNo: c.Number}
		v.Typ, v.Mod, v.Coll = c.Type, c.Typmod, c.Collation
		out = append(out, &query.TargetEntry{Expr: v, ResNo: c.Number, Name: c.Name})
	}
	v := &query.Var{VarNo: index, SynNo: index}
	v.Typ, v.Mod = s.target.RowType, -1
	return append(out, &query.TargetEntry{Expr: v, Junk: true})
}

// operatorClass finds an operator class of btree (get_opclass_oid, opclasscmds.c).
func (s *state) operatorClass(names []string) pgtype.OID {
	schema, name := s.qualified(names, noLoc)
	if m := s.cat.MethodByName("btree"); m != nil {
		if oc := s.cat.OpClassByName(m.OID, schema, name); oc != nil {
			return oc.OID
		}
	}
	s.fail(errUndefinedObject, noLoc, "operator class \"%s\" does not exist for access method \"btree\"", strings.Join(names, "."))
	return 0
}

// conflictArbiter is transformOnConflictArbiter.
func (s *state) conflictArbiter(n *pg.OnConflictClause, c *query.OnConflictExpr) {
	infer := n.Infer
	if infer == nil && c.Action == query.OnConflictUpdate {
		s.failHint(errSyntax, int(n.Location), "For example, ON CONFLICT (column_name).",
			"ON CONFLICT DO UPDATE requires inference specification or constraint name")
	}
	if s.target.Schema == "pg_catalog" {
		s.fail(errFeatureNotSupported, int(n.Location), "ON CONFLICT is not supported with system catalog tables")
	}
	if infer == nil {
		return
	}
	loc := int(infer.Location)
	for _, x := range infer.IndexElems {
		el := x.GetIndexElem()
		if el.Ordering != pg.SortByDir_SORTBY_DEFAULT && el.Ordering != pg.SortByDir_SORT_BY_DIR_UNDEFINED {
			s.fail(errInvalidColumnRef, loc, "ASC/DESC is not allowed in ON CONFLICT clause")
		}
		if el.NullsOrdering != pg.SortByNulls_SORTBY_NULLS_DEFAULT && el.NullsOrdering != pg.SortByNulls_SORT_BY_NULLS_UNDEFINED {
			s.fail(errInvalidColumnRef, loc, "NULLS FIRST/LAST is not allowed in ON CONFLICT clause")
		}
		expr := el.Expr
		if expr == nil {
			expr = &pg.Node{Node: &pg.Node_ColumnRef{ColumnRef: &pg.ColumnRef{Fields: []*pg.Node{pg.MakeStrNode(el.Name)}, Location: infer.Location}}}
		}
		e := &query.InferenceElem{Arg: s.expr(expr, kindIndexExpression)}
		e.Typ, e.Mod, e.Loc = e.Arg.ResultType(), e.Arg.ResultTypmod(), e.Arg.Span()
		if len(el.Collation) > 0 {
			e.InferColl = s.collation(stringsOf(el.Collation), exprLoc(e.Arg))
		}
		if len(el.Opclass) > 0 {
			e.OpClass = s.operatorClass(stringsOf(el.Opclass))
		}
		c.ArbiterElems = append(c.ArbiterElems, e)
	}
	if infer.WhereClause != nil {
		c.ArbiterWhere = s.expr(infer.WhereClause, kindIndexPredicate)
	}
	if infer.Conname != "" {
		for _, k := range s.target.Constraints {
			if k.Name == infer.Conname {
				c.Constraint = k.OID
				s.targetItem.rte.Perms.Select = true
				for _, col := range k.Columns {
					addCol(&s.targetItem.rte.Perms.SelectCols, col)
				}
				return
			}
		}
		s.fail(errUndefinedObject, noLoc, "constraint \"%s\" for table \"%s\" does not exist", infer.Conname, s.target.Name)
	}
}
