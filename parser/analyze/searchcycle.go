package analyze

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// cycleMark is a CYCLE clause's mark once it is analysed.
type cycleMark struct {
	value, def query.Expr
	typ        pgtype.OID
	mod        pgtype.Typmod
	coll       pgtype.OID
	unequal    pgtype.OID
}

// analyzeMark finds the type of a cycle mark, to which the CTE's own query can
// refer (analyzeCTE, parse_cte.c).
func (s *state) analyzeMark(n *pg.CTECycleClause) *cycleMark {
	m := &cycleMark{value: s.expr(n.CycleMarkValue, kindCycleMark)}
	m.def = s.expr(n.CycleMarkDefault, kindCycleMark)
	pair := []query.Expr{m.value, m.def}
	m.typ, _ = s.commonType(pair, "CYCLE")
	m.value = s.coerceToCommon(m.value, m.typ, "CYCLE/SET/TO")
	m.def = s.coerceToCommon(m.def, m.typ, "CYCLE/SET/DEFAULT")
	pair = []query.Expr{m.value, m.def}
	m.mod = commonTypmod(pair, m.typ)
	m.coll = s.commonCollation(pair, true)
	eq := s.sortOperators(m.typ, false, true, false).eq
	if op := s.cat.Operator(eq); op != nil {
		m.unequal = op.Negator
	}
	if m.unequal == 0 {
		s.fail(errUndefinedFunction, noLoc, "could not identify an inequality operator for type %s", s.format(m.typ))
	}
	return m
}

// extraColumns are the columns that SEARCH and CYCLE add to a WITH item.
func (c *cte) extraColumns() []attr {
	var out []attr
	if x := c.raw.SearchClause; x != nil {
		t := pgtype.RecordArrayOID
		if x.SearchBreadthFirst {
			t = pgtype.RecordOID
		}
		out = append(out, attr{name: x.SearchSeqColumn, typ: t, mod: -1})
	}
	if x := c.raw.CycleClause; x != nil {
		out = append(out, attr{name: x.CycleMarkColumn, typ: c.mark.typ, mod: c.mark.mod, coll: c.mark.coll},
			attr{name: x.CyclePathColumn, typ: pgtype.RecordArrayOID, mod: -1})
	}
	return out
}

// checkSearchCycle makes the checks on SEARCH and CYCLE that come after the
// query's analysis (analyzeCTE).
func (s *state) checkSearchCycle(c *cte) {
	search, cycle := c.raw.SearchClause, c.raw.CycleClause
	if !c.Recursive {
		s.fail(errSyntax, int(c.raw.Location), "WITH query is not recursive")
	}
	op := c.Query.SetOperations.(*query.SetOperationStmt)
	if _, ok := op.Left.(*query.RangeTblRef); !ok {
		s.fail(errFeatureNotSupported, noLoc, "with a SEARCH or CYCLE clause, the left side of the UNION must be a SELECT")
	}
	if _, ok := op.Right.(*query.RangeTblRef); !ok {
		s.fail(errSyntax, noLoc, "with a SEARCH or CYCLE clause, the right side of the UNION must be a SELECT")
	}
	columns := func(what string, list []*pg.Node, loc int) {
		var seen []string
		for _, name := range stringsOf(list) {
			if !slices.Contains(c.ColNames, name) {
				s.fail(errSyntax, loc, "%s column \"%s\" not in WITH query column list", what, name)
			}
			if slices.Contains(seen, name) {
				s.fail(errDuplicateColumn, loc, "%s column \"%s\" specified more than once", what, name)
			}
			seen = append(seen, name)
		}
	}
	unused := func(what, name string, loc int) {
		if slices.Contains(c.ColNames, name) {
			s.fail(errSyntax, loc, "%s column name \"%s\" already used in WITH query column list", what, name)
		}
	}
	if search != nil {
		columns("search", search.SearchColList, int(search.Location))
		unused("search sequence", search.SearchSeqColumn, int(search.Location))
	}
	if cycle == nil {
		return
	}
	loc := int(cycle.Location)
	columns("cycle", cycle.CycleColList, loc)
	unused("cycle mark", cycle.CycleMarkColumn, loc)
	unused("cycle path", cycle.CyclePathColumn, loc)
	if cycle.CycleMarkColumn == cycle.CyclePathColumn {
		s.fail(errSyntax, loc, "cycle mark column name and cycle path column name are the same")
	}
	if search == nil {
		return
	}
	if search.SearchSeqColumn == cycle.CycleMarkColumn {
		s.fail(errSyntax, int(search.Location), "search sequence column name and cycle mark column name are the same")
	}
	if search.SearchSeqColumn == cycle.CyclePathColumn {
		s.fail(errSyntax, int(search.Location), "search sequence column name and cycle path column name are the same")
	}
}

// searchCycle is a WITH item while SEARCH and CYCLE are built into its query.
type searchCycle struct {
	*state
	c     *cte
	extra []attr
}

// rewriteSearchCycle builds SEARCH and CYCLE into a WITH item's query: each arm
// of the UNION becomes the subquery of a query that computes the added columns
// (rewriteSearchAndCycle, rewriteSearchCycle.c). The server does it while
// rewriting, which PREPARE does too.
func (s *state) rewriteSearchCycle(c *cte) {
	w := &searchCycle{state: s, c: c, extra: c.extraColumns()}
	q := c.Query
	op := q.SetOperations.(*query.SetOperationStmt)
	left, right := q.RTE(leftmostIndex(op.Left)), q.RTE(op.Right.(*query.RangeTblRef).Index)
	left.Subquery = w.first(left.Subquery)
	right.Subquery = w.next(right.Subquery)
	for i, at := range w.extra {
		left.ERef.Columns, right.ERef.Columns = append(left.ERef.Columns, at.name), append(right.ERef.Columns, at.name)
		op.ColTypes, op.ColTypmods = append(op.ColTypes, at.typ), append(op.ColTypmods, at.mod)
		op.ColCollations = append(op.ColCollations, at.coll)
		if !op.All {
			o := s.sortOperators(at.typ, false, true, false)
			hashable := o.hashable || at.typ == pgtype.RecordOID || at.typ == pgtype.RecordArrayOID
			op.GroupClauses = append(op.GroupClauses, &query.SortGroupClause{EqOp: o.eq, SortOp: o.lt, Hashable: hashable})
		}
		no := len(c.ColNames) + i + 1
		q.TargetList = append(q.TargetList, &query.TargetEntry{Expr: attrVar(1, no, at), ResNo: no, Name: at.name})
	}
	for _, at := range w.extra {
		c.ColNames = append(c.ColNames, at.name)
		c.ColTypes, c.ColTypmods, c.ColCollations = append(c.ColTypes, at.typ), append(c.ColTypmods, at.mod), append(c.ColCollations, at.coll)
	}
}

// attrVar is a Var of a column that stands nowhere in the text.
func attrVar(varno, attno int, at attr) *query.Var {
	v := &query.Var{VarNo: varno, AttNo: attno, SynNo: varno, SynAttNo: attno}
	v.Typ, v.Mod, v.Coll = at.typ, at.mod, at.coll
	return v
}

// arm makes a query over an arm of the UNION that returns its columns.
func (w *searchCycle) arm(sub *query.Query, alias string, names []string) *query.Query {
	in := raiseQuery(sub)
	a := &query.Alias{Name: alias, Columns: names}
	q := &query.Query{Command: query.CmdSelect}
	q.RangeTable = []*query.RangeTblEntry{{Kind: query.RTESubquery, Subquery: in, Alias: a, ERef: a, InFrom: true}}
	q.JoinTree = &query.FromExpr{List: []query.JoinNode{&query.RangeTblRef{Index: 1}}}
	from := visibleTargets(sub)
	for i, name := range w.c.ColNames {
		at := attr{typ: w.c.ColTypes[i], mod: w.c.ColTypmods[i], coll: w.c.ColCollations[i]}
		q.TargetList = append(q.TargetList, &query.TargetEntry{
			Expr: attrVar(1, i+1, at), ResNo: i + 1, Name: name,
			OrigTable: from[i].OrigTable, OrigColumn: from[i].OrigColumn,
		})
	}
	return q
}

func addTarget(q *query.Query, e query.Expr, name string) {
	q.TargetList = append(q.TargetList, &query.TargetEntry{Expr: e, ResNo: len(q.TargetList) + 1, Name: name})
}

// first is the non-recursive arm with the first values of the added columns.
func (w *searchCycle) first(sub *query.Query) *query.Query {
	q := w.arm(sub, "*TLOCRN*", slices.Clone(w.c.ColNames))
	if x := w.c.raw.SearchClause; x != nil {
		row := w.row(x.SearchColList)
		if x.SearchBreadthFirst {
			addTarget(q, w.withDepth(row, w.constOf(pgtype.Int8OID, "0")), x.SearchSeqColumn)
		} else {
			addTarget(q, arrayOfRow(row), x.SearchSeqColumn)
		}
	}
	if x := w.c.raw.CycleClause; x != nil {
		addTarget(q, w.c.mark.def, x.CycleMarkColumn)
		addTarget(q, arrayOfRow(w.row(x.CycleColList)), x.CyclePathColumn)
	}
	return q
}

// next is the recursive arm, which takes the added columns from the reference to
// the item and adds to them.
func (w *searchCycle) next(sub *query.Query) *query.Query {
	c := w.c
	self := slices.IndexFunc(sub.RangeTable, func(r *query.RangeTblEntry) bool {
		return r.Kind == query.RTECTE && r.CTEName == c.Name && r.CTELevels == 2
	})
	if self < 0 {
		w.fail(errFeatureNotSupported, noLoc, "with a SEARCH or CYCLE clause, the recursive reference to WITH query \"%s\" must be at the top level of its right-hand SELECT", c.Name)
	}
	names := slices.Clone(c.ColNames)
	for _, at := range w.extra {
		names = append(names, at.name)
	}
	q := w.arm(sub, "*TROCRN*", names)
	in := q.RangeTable[0].Subquery
	var vars []*query.Var
	for i, at := range w.extra {
		no := len(c.ColNames) + i + 1
		in.TargetList = append(in.TargetList, &query.TargetEntry{Expr: attrVar(self+1, no, at), ResNo: no, Name: at.name})
		vars = append(vars, attrVar(1, no, at))
	}
	if x := c.raw.SearchClause; x != nil {
		row, seq := w.row(x.SearchColList), vars[0]
		if x.SearchBreadthFirst {
			depth := &query.FieldSelect{Arg: seq, Field: 1}
			depth.Typ, depth.Mod = pgtype.Int8OID, -1
			addTarget(q, w.withDepth(row, w.systemCall("int8inc", pgtype.Int8OID, noLoc, depth)), x.SearchSeqColumn)
		} else {
			addTarget(q, w.systemCall("array_cat", pgtype.RecordArrayOID, noLoc, seq, arrayOfRow(row)), x.SearchSeqColumn)
		}
		vars = vars[1:]
	}
	if x := c.raw.CycleClause; x != nil {
		mark, path, row := vars[0], vars[1], w.row(x.CycleColList)
		q.JoinTree.Quals = w.unmarked(mark)
		addTarget(q, w.marked(row, path), x.CycleMarkColumn)
		addTarget(q, w.systemCall("array_cat", pgtype.RecordArrayOID, noLoc, path, arrayOfRow(row)), x.CyclePathColumn)
	}
	return q
}

// unmarked is mark <> value.
func (w *searchCycle) unmarked(mark *query.Var) query.Expr {
	m := w.c.mark
	e := &query.OpExpr{Op: m.unequal, InputColl: m.coll, Args: []query.Expr{mark, m.value}}
	e.Func = w.cat.Operator(m.unequal).Func
	e.Typ, e.Mod = pgtype.BoolOID, -1
	return e
}

// marked is CASE WHEN row = ANY (path) THEN value ELSE default END.
func (w *searchCycle) marked(row *query.RowExpr, path *query.Var) query.Expr {
	m := w.c.mark
	eq := w.sortOperators(pgtype.RecordOID, false, true, false).eq
	same := &query.ScalarArrayOpExpr{Op: eq, UseOr: true, Args: [2]query.Expr{row, path}}
	same.Func = w.cat.Operator(eq).Func
	same.Typ, same.Mod = pgtype.BoolOID, -1
	e := &query.CaseExpr{Whens: []*query.CaseWhen{{Cond: same, Result: m.value}}, Default: m.def}
	e.Typ, e.Mod, e.Coll = m.typ, m.mod, m.coll
	return e
}

// row is the row of the columns that are named (make_path_rowexpr).
func (w *searchCycle) row(names []*pg.Node) *query.RowExpr {
	r := &query.RowExpr{Form: query.CoerceImplicitCast}
	r.Typ, r.Mod = pgtype.RecordOID, -1
	for _, name := range stringsOf(names) {
		i := slices.Index(w.c.ColNames, name)
		at := attr{typ: w.c.ColTypes[i], mod: w.c.ColTypmods[i], coll: w.c.ColCollations[i]}
		r.Args, r.ColNames = append(r.Args, attrVar(1, i+1, at)), append(r.ColNames, name)
	}
	return r
}

func (w *searchCycle) withDepth(r *query.RowExpr, depth query.Expr) *query.RowExpr {
	r.Args = append([]query.Expr{depth}, r.Args...)
	r.ColNames = append([]string{"*DEPTH*"}, r.ColNames...)
	return r
}

func arrayOfRow(r *query.RowExpr) *query.ArrayExpr {
	a := &query.ArrayExpr{ElementType: pgtype.RecordOID, Elements: []query.Expr{r}}
	a.Typ, a.Mod = pgtype.RecordArrayOID, -1
	return a
}

// raiseQuery is a copy of a query that stands one level further down: what
// refers to something outside it looks one level higher (IncrementVarSublevelsUp,
// rewriteManip.c).
func raiseQuery(q *query.Query) *query.Query {
	out := q.TransformLevels(func(e query.Expr, depth int) (query.Expr, bool) {
		switch x := e.(type) {
		case *query.Var:
			if x.LevelsUp > depth {
				c := *x
				c.LevelsUp++
				return &c, true
			}
		case *query.Aggref:
			// Its arguments are visited as well, so it is changed in place: the
			// tree is not shared yet.
			if x.LevelsUp > depth {
				x.LevelsUp++
			}
		case *query.GroupingFunc:
			if x.LevelsUp > depth {
				x.LevelsUp++
			}
		}
		return nil, false
	})
	raiseCTEs(out, 0)
	return out
}

func raiseCTEs(q *query.Query, depth int) {
	for _, r := range q.RangeTable {
		if r.Kind == query.RTECTE && r.CTELevels > depth {
			r.CTELevels++
		}
	}
	q.Subqueries(func(sub *query.Query) { raiseCTEs(sub, depth+1) })
}
