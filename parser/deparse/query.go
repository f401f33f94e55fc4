package deparse

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
)

// Level is a query with the names that its range table entries go by in text. They
// are those of the FROM clause, made different from each other and from those of
// the queries around.
type Level struct {
	catalog *catalog.Catalog
	query   *query.Query
	names   []string
	up      *Level
	// columns are the names that the arms of a set operation must have.
	columns []string
	// hidden says that nothing sees the names of its columns.
	hidden bool
}

// NewLevel returns the names of a query; up is the query around it, nil for none.
func NewLevel(cat *catalog.Catalog, q *query.Query, up *Level) *Level {
	l := &Level{catalog: cat, query: q, up: up}
	used := map[string]bool{}
	for at := up; at != nil; at = at.up {
		for _, n := range at.names {
			used[n] = true
		}
	}
	for _, rte := range q.RangeTable {
		name := ""
		switch {
		case rte.Alias != nil:
			name = rte.Alias.Name
		case rte.Kind == query.RTERelation && cat.Table(rte.Relation) != nil:
			name = cat.Table(rte.Relation).Name
		case rte.Kind != query.RTEJoin && rte.ERef != nil:
			name = rte.ERef.Name
		}
		unique := name
		for n := 1; name != "" && used[unique]; n++ {
			unique = fmt.Sprintf("%s_%d", name, n)
		}
		used[unique] = true
		l.names = append(l.names, unique)
	}
	return l
}

// Name is the name of a range table entry, "" for a join without one.
func (l *Level) Name(index int) string { return l.names[index-1] }

// Query is the query that the names are of.
func (l *Level) Query() *query.Query { return l.query }

// Context returns the context of the query's expressions. Columns have their
// qualifier where the query reads more than one thing or stands in another, as in
// the text of a view; prefix gives it to all.
func (l *Level) Context(prefix bool) *Context {
	return &Context{
		Catalog: l.catalog,
		Prefix:  prefix || l.up != nil || len(l.query.RangeTable) != 1,
		Column:  l.column,
		Subquery: func(q *query.Query) string {
			in := NewLevel(l.catalog, q, l)
			in.hidden = true
			return selectText(in)
		},
		Window: l.window,
	}
}

// column names a column as it was written: that of a join with a name by the join,
// that of one without by what it is a column of (get_variable, ruleutils.c).
func (l *Level) column(v *query.Var) (string, string) {
	at := l
	for n := v.LevelsUp; n > 0 && at != nil; n-- {
		at = at.up
	}
	no, att := v.VarNo, v.AttNo
	if v.SynNo > 0 {
		no, att = v.SynNo, v.SynAttNo
	}
	if at == nil || no < 1 || no > len(at.query.RangeTable) {
		return "", fmt.Sprintf("column %d", att)
	}
	rte := at.query.RTE(no)
	if rte.Kind == query.RTEJoin && rte.Alias == nil && att > 0 && att <= len(rte.JoinAliasVars) {
		if in, ok := rte.JoinAliasVars[att-1].(*query.Var); ok {
			below := *in
			below.LevelsUp += v.LevelsUp
			return l.column(&below)
		}
	}
	switch {
	case att == 0:
		return at.names[no-1], ""
	case att > 0 && rte.ERef != nil && att <= len(rte.ERef.Columns):
		return at.names[no-1], rte.ERef.Columns[att-1]
	}
	if t := l.catalog.Table(rte.Relation); t != nil {
		return at.names[no-1], t.ColumnName(att)
	}
	return at.names[no-1], fmt.Sprintf("column %d", att)
}

// Select returns the text of a SELECT or VALUES on one line, as pg_get_viewdef has
// it but for line breaks; an ellipsis for another statement.
func Select(cat *catalog.Catalog, q *query.Query) string {
	l := NewLevel(cat, q, nil)
	for _, te := range q.TargetList {
		if !te.Junk {
			l.columns = append(l.columns, te.Name)
		}
	}
	return selectText(l)
}

// selectText is get_select_query_def (ruleutils.c).
func selectText(l *Level) string {
	q := l.query
	if q.Command != query.CmdSelect {
		return "…"
	}
	p := &printer{ctx: l.Context(false)}
	p.with(l)
	if q.SetOperations != nil {
		p.setOperation(l, q.SetOperations)
	} else {
		p.basicSelect(l)
	}
	if len(q.SortClause) > 0 {
		p.put(" ORDER BY ")
		p.sortClause(l)
	}
	if q.LimitOffset != nil {
		p.put(" OFFSET ")
		p.expr(q.LimitOffset, false)
	}
	if q.LimitCount != nil {
		word, end := " LIMIT ", ""
		if q.WithTies {
			word, end = " FETCH FIRST (", ") ROWS WITH TIES"
		}
		p.put(word)
		if k, ok := q.LimitCount.(*query.Const); ok && k.Null {
			p.put("ALL")
		} else {
			p.expr(q.LimitCount, false)
		}
		p.put(end)
	}
	for _, m := range q.RowMarks {
		if !m.PushedDown {
			p.put(" ", rowMark(m), " OF ", l.catalog.QuoteIdent(l.Name(m.Index)), waitWords(m.Wait))
		}
	}
	return p.out.String()
}

func rowMark(m *query.RowMarkClause) string {
	return map[query.LockClauseStrength]string{
		query.LockForKeyShare: "FOR KEY SHARE", query.LockForShare: "FOR SHARE",
		query.LockForNoKeyUpdate: "FOR NO KEY UPDATE", query.LockForUpdate: "FOR UPDATE",
	}[m.Strength]
}

func waitWords(w query.LockWaitPolicy) string {
	switch w {
	case query.LockWaitError:
		return " NOWAIT"
	case query.LockWaitSkip:
		return " SKIP LOCKED"
	}
	return ""
}

// with prints the WITH clause (get_with_clause, ruleutils.c).
func (p *printer) with(l *Level) {
	for i, c := range l.query.CTEs {
		switch {
		case i > 0:
			p.put(", ")
		case l.query.HasRecursive:
			p.put("WITH RECURSIVE ")
		default:
			p.put("WITH ")
		}
		p.put(l.catalog.QuoteIdent(c.Name))
		p.names(c.AliasColumns)
		p.put(" AS ")
		switch c.Materialized {
		case query.CTEMaterializeAlways:
			p.put("MATERIALIZED ")
		case query.CTEMaterializeNever:
			p.put("NOT MATERIALIZED ")
		}
		p.put("(", selectText(NewLevel(l.catalog, c.Query, l)), ")")
	}
	if len(l.query.CTEs) > 0 {
		p.put(" ")
	}
}

// names prints a list of column names in parentheses, nothing for none.
func (p *printer) names(list []string) {
	var quoted []string
	for _, n := range list {
		if n != "" {
			quoted = append(quoted, p.ctx.Catalog.QuoteIdent(n))
		}
	}
	if len(quoted) > 0 {
		p.put("(", strings.Join(quoted, ", "), ")")
	}
}

// setOperation is get_setop_query (ruleutils.c).
func (p *printer) setOperation(l *Level, n query.SetOpNode) {
	switch n := n.(type) {
	case *query.RangeTblRef:
		q := l.query.RTE(n.Index).Subquery
		arm := NewLevel(l.catalog, q, l)
		arm.columns, arm.hidden = l.columns, l.hidden
		text := selectText(arm)
		if len(q.CTEs) > 0 || len(q.SortClause) > 0 || len(q.RowMarks) > 0 || q.LimitOffset != nil || q.LimitCount != nil || q.SetOperations != nil {
			text = "(" + text + ")"
		}
		p.put(text)
	case *query.SetOperationStmt:
		left, nested := n.Left.(*query.SetOperationStmt)
		if nested = nested && (left.Op != n.Op || left.All != n.All); nested {
			p.put("(")
		}
		p.setOperation(l, n.Left)
		if nested {
			p.put(")")
		}
		p.put(map[query.SetOperation]string{query.SetOpUnion: " UNION ", query.SetOpIntersect: " INTERSECT ", query.SetOpExcept: " EXCEPT "}[n.Op])
		if n.All {
			p.put("ALL ")
		}
		if _, nested = n.Right.(*query.SetOperationStmt); nested {
			p.put("(")
		}
		right := *l
		right.hidden = true
		p.setOperation(&right, n.Right)
		if nested {
			p.put(")")
		}
	}
}

// basicSelect is get_basic_select_query (ruleutils.c).
func (p *printer) basicSelect(l *Level) {
	q := l.query
	if v := simpleValues(q); v != nil {
		p.values(v)
		return
	}
	p.put("SELECT")
	if len(q.Distinct) > 0 {
		p.put(" DISTINCT")
		if q.HasDistinctOn {
			p.put(" ON (")
			for i, d := range q.Distinct {
				if i > 0 {
					p.put(", ")
				}
				p.clauseExpr(q, d.Ref)
			}
			p.put(")")
		}
	}
	p.targets(l)
	p.from(l)
	if q.JoinTree != nil && q.JoinTree.Quals != nil {
		p.put(" WHERE ")
		p.expr(q.JoinTree.Quals, false)
	}
	p.groupBy(q)
	if q.Having != nil {
		p.put(" HAVING ")
		p.expr(q.Having, false)
	}
	named := 0
	for _, w := range q.WindowClause {
		if w.Name == "" {
			continue
		}
		if named++; named == 1 {
			p.put(" WINDOW ")
		} else {
			p.put(", ")
		}
		p.put(l.catalog.QuoteIdent(w.Name), " AS ", l.windowSpec(w))
	}
}

// simpleValues is the VALUES list that a query consists of, nil for another query
// (get_simple_values_rte).
func simpleValues(q *query.Query) *query.RangeTblEntry {
	var found *query.RangeTblEntry
	for _, rte := range q.RangeTable {
		if !rte.InFrom && rte.Kind != query.RTEValues {
			continue
		}
		if rte.Kind != query.RTEValues || found != nil {
			return nil
		}
		found = rte
	}
	if found == nil || found.Alias != nil || !q.IsValues && len(found.Values) == 0 {
		return nil
	}
	for i, te := range q.TargetList {
		v, ok := te.Expr.(*query.Var)
		if te.Junk || !ok || v.AttNo != i+1 {
			return nil
		}
	}
	return found
}

func (p *printer) values(rte *query.RangeTblEntry) {
	p.put("VALUES ")
	for i, row := range rte.Values {
		if i > 0 {
			p.put(", ")
		}
		p.put("(")
		p.toplevelValues(row)
		p.put(")")
	}
}

func (p *printer) toplevelValues(row []query.Expr) {
	for i, e := range row {
		if i > 0 {
			p.put(",")
		}
		p.expr(e, false)
	}
}

// targets is get_target_list (ruleutils.c).
func (p *printer) targets(l *Level) {
	sep, no := " ", 0
	for _, te := range l.query.TargetList {
		if te.Junk {
			continue
		}
		want := te.Name
		if no++; no <= len(l.columns) {
			want = l.columns[no-1]
		}
		p.put(sep)
		sep = ", "
		name := ""
		if l.hidden {
			name = "?column?"
		}
		if v, ok := te.Expr.(*query.Var); ok {
			p.toplevelList([]query.Expr{v})
			name = ""
			if p.ctx.Column != nil && v.AttNo != 0 {
				_, name = p.ctx.Column(v)
			}
		} else {
			p.expr(te.Expr, true)
		}
		if want != "" && want != name {
			p.put(" AS ", p.ctx.Catalog.QuoteIdent(want))
		}
	}
}

// clauseExpr prints what a sort or group clause refers to.
func (p *printer) clauseExpr(q *query.Query, ref int) {
	for _, te := range q.TargetList {
		if te.SortGroupRef == ref {
			p.sortExpr(te.Expr)
			return
		}
	}
}

// sortClause prints ORDER BY; that of a set operation by the columns' numbers.
func (p *printer) sortClause(l *Level) {
	q := l.query
	if q.SetOperations == nil {
		p.orderBy(q.SortClause, q.TargetList)
		return
	}
	for i, s := range q.SortClause {
		if i > 0 {
			p.put(", ")
		}
		for _, te := range q.TargetList {
			if te.SortGroupRef == s.Ref {
				p.put(fmt.Sprint(te.ResNo))
				p.sortWords(te.Expr, s)
			}
		}
	}
}

func (p *printer) groupBy(q *query.Query) {
	if len(q.GroupClause) == 0 && len(q.GroupingSets) == 0 {
		return
	}
	p.put(" GROUP BY ")
	if q.GroupDistinct {
		p.put("DISTINCT ")
	}
	if len(q.GroupingSets) > 0 {
		for i, s := range q.GroupingSets {
			if i > 0 {
				p.put(", ")
			}
			p.groupingSet(q, s, true)
		}
		return
	}
	for i, g := range q.GroupClause {
		if i > 0 {
			p.put(", ")
		}
		p.clauseExpr(q, g.Ref)
	}
}

// groupingSet is get_rule_groupingset (ruleutils.c).
func (p *printer) groupingSet(q *query.Query, s *query.GroupingSet, omitParens bool) {
	switch s.Kind {
	case query.GroupingSetEmpty:
		p.put("()")
		return
	case query.GroupingSetSimple:
		parens := !omitParens || len(s.Refs) != 1
		if parens {
			p.put("(")
		}
		for i, r := range s.Refs {
			if i > 0 {
				p.put(", ")
			}
			p.clauseExpr(q, r)
		}
		if parens {
			p.put(")")
		}
		return
	case query.GroupingSetRollup:
		p.put("ROLLUP(")
	case query.GroupingSetCube:
		p.put("CUBE(")
	case query.GroupingSetSets:
		p.put("GROUPING SETS (")
	}
	for i, in := range s.Sets {
		if i > 0 {
			p.put(", ")
		}
		p.groupingSet(q, in, s.Kind != query.GroupingSetSets)
	}
	p.put(")")
}

// window names the window of a call, or describes one without a name.
func (l *Level) window(n *query.WindowFunc) string {
	i := slices.IndexFunc(l.query.WindowClause, func(w *query.WindowClause) bool { return w.Ref == n.WinRef })
	if i < 0 {
		return "(?)"
	}
	if w := l.query.WindowClause[i]; w.Name != "" {
		return l.catalog.QuoteIdent(w.Name)
	}
	return l.windowSpec(l.query.WindowClause[i])
}

// windowSpec is get_rule_windowspec (ruleutils.c).
func (l *Level) windowSpec(w *query.WindowClause) string {
	p := &printer{ctx: l.Context(false)}
	var parts []string
	flush := func() {
		parts = append(parts, p.out.String())
		p.out.Reset()
	}
	if w.RefName != "" {
		parts = append(parts, l.catalog.QuoteIdent(w.RefName))
	}
	if len(w.PartitionBy) > 0 && w.RefName == "" {
		p.put("PARTITION BY ")
		for i, g := range w.PartitionBy {
			if i > 0 {
				p.put(", ")
			}
			p.clauseExpr(l.query, g.Ref)
		}
		flush()
	}
	if len(w.OrderBy) > 0 && !w.CopiedOrder {
		p.put("ORDER BY ")
		p.orderBy(w.OrderBy, l.query.TargetList)
		flush()
	}
	if w.FrameOptions&query.FrameNonDefault != 0 {
		p.frame(w)
		flush()
	}
	return "(" + strings.Join(parts, " ") + ")"
}

func (p *printer) frame(w *query.WindowClause) {
	has := func(bits int) bool { return w.FrameOptions&bits != 0 }
	switch {
	case has(query.FrameRange):
		p.put("RANGE ")
	case has(query.FrameRows):
		p.put("ROWS ")
	default:
		p.put("GROUPS ")
	}
	if has(query.FrameBetween) {
		p.put("BETWEEN ")
	}
	switch {
	case has(query.FrameStartUnboundedPreceding):
		p.put("UNBOUNDED PRECEDING")
	case has(query.FrameStartCurrentRow):
		p.put("CURRENT ROW")
	default:
		p.expr(w.StartOffset, false)
		p.put(map[bool]string{true: " PRECEDING", false: " FOLLOWING"}[has(query.FrameStartOffsetPreceding)])
	}
	if has(query.FrameBetween) {
		p.put(" AND ")
		switch {
		case has(query.FrameEndUnboundedFollowing):
			p.put("UNBOUNDED FOLLOWING")
		case has(query.FrameEndCurrentRow):
			p.put("CURRENT ROW")
		default:
			p.expr(w.EndOffset, false)
			p.put(map[bool]string{true: " PRECEDING", false: " FOLLOWING"}[has(query.FrameEndOffsetPreceding)])
		}
	}
	switch {
	case has(query.FrameExcludeCurrentRow):
		p.put(" EXCLUDE CURRENT ROW")
	case has(query.FrameExcludeGroup):
		p.put(" EXCLUDE GROUP")
	case has(query.FrameExcludeTies):
		p.put(" EXCLUDE TIES")
	}
}
