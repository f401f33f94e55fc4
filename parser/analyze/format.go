package analyze

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// Format prints a query tree compactly, operators and types by name, for
// reading and for goldens. Coercions that were not written show as ~type(…),
// written ones as x::type; a Var is level.entry.column with the outer joins above
// it behind /.
func Format(q *query.Query, cat *catalog.Catalog) string {
	p := &treePrinter{cat: cat}
	p.query(q)
	return p.b.String()
}

// FormatExpr prints one expression as [Format] does.
func FormatExpr(e query.Expr, cat *catalog.Catalog) string {
	p := &treePrinter{cat: cat}
	return p.expr(e)
}

type treePrinter struct {
	cat    *catalog.Catalog
	b      strings.Builder
	indent int
}

func (p *treePrinter) line(format string, args ...any) {
	p.b.WriteString(strings.Repeat("  ", p.indent))
	fmt.Fprintf(&p.b, format, args...)
	p.b.WriteByte('\n')
}

func (p *treePrinter) nested(q *query.Query) {
	p.indent++
	p.query(q)
	p.indent--
}

func command(c query.CmdType) string {
	switch c {
	case query.CmdInsert:
		return "insert"
	case query.CmdUpdate:
		return "update"
	case query.CmdDelete:
		return "delete"
	case query.CmdMerge:
		return "merge"
	case query.CmdUtility:
		return "utility"
	}
	return "select"
}

func (p *treePrinter) query(q *query.Query) {
	head := command(q.Command)
	if q.Utility != "" {
		head += " " + q.Utility
	}
	if q.ResultRelation != 0 {
		head += fmt.Sprintf(" result=%d", q.ResultRelation)
	}
	for _, f := range []struct {
		on   bool
		name string
	}{
		{q.HasAggs, "aggs"},
		{q.HasWindowFuncs, "windows"},
		{q.HasTargetSRFs, "srfs"},
		{q.HasSubLinks, "sublinks"},
		{q.HasDistinctOn, "distinct-on"},
		{q.HasRecursive, "recursive"},
		{q.HasModifyingCTE, "modifying-cte"},
		{q.HasForUpdate, "for-update"},
		{q.WithTies, "with-ties"},
		{q.GroupDistinct, "group-distinct"},
	} {
		if f.on {
			head += " " + f.name
		}
	}
	p.line("%s", head)
	for _, c := range q.CTEs {
		p.line("cte %s recursive=%t refs=%d %v", c.Name, c.Recursive, c.RefCount, c.ColNames)
		p.nested(c.Query)
	}
	for i, r := range q.RangeTable {
		p.rte(i+1, r)
	}
	if q.JoinTree != nil && (len(q.JoinTree.List) > 0 || q.JoinTree.Quals != nil) {
		p.line("from %s", p.joinList(q.JoinTree.List))
		p.one("where", q.JoinTree.Quals)
	}
	p.one("on", q.MergeJoinCondition)
	p.targets("target", q.TargetList)
	p.clauses(q)
	p.actions(q)
	p.targets("returning", q.Returning)
}

func (p *treePrinter) one(name string, e query.Expr) {
	if e != nil {
		p.line("%s %s", name, p.expr(e))
	}
}

func (p *treePrinter) targets(kind string, list []*query.TargetEntry) {
	for _, t := range list {
		line := fmt.Sprintf("%s %d", kind, t.ResNo)
		if t.Name != "" {
			line += " " + t.Name
		}
		if t.Junk {
			line += " junk"
		}
		if t.SortGroupRef != 0 {
			line += fmt.Sprintf(" ref=%d", t.SortGroupRef)
		}
		if t.OrigTable != 0 {
			line += " of " + p.table(t.OrigTable) + "." + strconv.Itoa(t.OrigColumn)
		}
		p.line("%s: %s = %s", line, p.typ(t.Expr), p.expr(t.Expr))
	}
}

func (p *treePrinter) clauses(q *query.Query) {
	p.sortClauses("group", q.GroupClause)
	for _, g := range q.GroupingSets {
		p.line("grouping set %s", formatSet(g))
	}
	p.one("having", q.Having)
	for _, w := range q.WindowClause {
		p.line("window %d %s frame=%#x", w.Ref, w.Name, w.FrameOptions)
		p.indent++
		p.sortClauses("partition", w.PartitionBy)
		p.sortClauses("order", w.OrderBy)
		p.one("start", w.StartOffset)
		p.one("end", w.EndOffset)
		p.indent--
	}
	p.sortClauses("distinct", q.Distinct)
	p.sortClauses("sort", q.SortClause)
	p.one("offset", q.LimitOffset)
	p.one("limit", q.LimitCount)
	for _, m := range q.RowMarks {
		p.line("lock %d %s wait=%d pushed-down=%t", m.Index, lockName(m.Strength), m.Wait, m.PushedDown)
	}
	if q.SetOperations != nil {
		p.line("setop %s", p.setOp(q.SetOperations))
	}
}

func (p *treePrinter) actions(q *query.Query) {
	if c := q.OnConflict; c != nil {
		p.line("on conflict action=%d excluded=%d constraint=%t", c.Action, c.ExclRelIndex, c.Constraint != 0)
		p.indent++
		for _, e := range c.ArbiterElems {
			p.one("arbiter", e.Arg)
		}
		p.one("arbiter where", c.ArbiterWhere)
		p.targets("set", c.Set)
		p.one("where", c.Where)
		p.indent--
	}
	for _, m := range q.MergeActions {
		p.line("when matched=%t %s", m.Matched, command(m.Command))
		p.indent++
		p.one("and", m.Qual)
		p.targets("set", m.TargetList)
		p.indent--
	}
}

func formatSet(g *query.GroupingSet) string {
	name := map[query.GroupingSetKind]string{
		query.GroupingSetEmpty: "empty", query.GroupingSetRollup: "rollup",
		query.GroupingSetCube: "cube", query.GroupingSetSets: "sets",
	}[g.Kind]
	if name == "" {
		return fmt.Sprint(g.Refs)
	}
	var in []string
	for _, s := range g.Sets {
		in = append(in, formatSet(s))
	}
	return name + "(" + strings.Join(in, ", ") + ")"
}

func (p *treePrinter) sortClauses(name string, list []*query.SortGroupClause) {
	for _, c := range list {
		line := fmt.Sprintf("%s ref=%d eq=%s", name, c.Ref, p.op(c.EqOp))
		if c.SortOp != 0 {
			line += " by " + p.op(c.SortOp)
		}
		if c.NullsFirst {
			line += " nulls-first"
		}
		if c.Hashable {
			line += " hashable"
		}
		p.line("%s", line)
	}
}

func (p *treePrinter) rte(i int, r *query.RangeTblEntry) {
	flags := ""
	if r.Lateral {
		flags += " lateral"
	}
	if !r.InFrom {
		flags += " not-in-from"
	}
	cols := strings.Join(r.ERef.Columns, " ")
	head := fmt.Sprintf("rte %d %s (%s)%s", i, r.ERef.Name, cols, flags)
	switch r.Kind {
	case query.RTERelation:
		p.line("%s relation %s", head, p.table(r.Relation))
		if r.Sample != nil {
			p.line("  sample %s", p.list(r.Sample.Args))
		}
	case query.RTESubquery:
		p.line("%s subquery", head)
		p.nested(r.Subquery)
	case query.RTEJoin:
		p.line("%s join type=%d merged=%d vars %s", head, r.JoinType, r.JoinMergedCols, p.list(r.JoinAliasVars))
	case query.RTEFunction:
		var fs []string
		for _, f := range r.Functions {
			fs = append(fs, p.expr(f.Expr))
		}
		p.line("%s function %s ordinality=%t", head, strings.Join(fs, ", "), r.Ordinality)
	case query.RTEValues:
		p.line("%s values", head)
		for _, row := range r.Values {
			p.line("  (%s)", p.list(row))
		}
	case query.RTECTE:
		p.line("%s cte %s levels=%d self=%t", head, r.CTEName, r.CTELevels, r.SelfRef)
	default:
		p.line("%s kind=%d", head, r.Kind)
	}
}

func (p *treePrinter) joinList(list []query.JoinNode) string {
	var out []string
	for _, n := range list {
		out = append(out, p.joinNode(n))
	}
	return strings.Join(out, ", ")
}

func (p *treePrinter) joinNode(n query.JoinNode) string {
	switch n := n.(type) {
	case *query.RangeTblRef:
		return strconv.Itoa(n.Index)
	case *query.JoinExpr:
		s := fmt.Sprintf("(%s join%d[%d] %s", p.joinNode(n.Left), n.Type, n.Index, p.joinNode(n.Right))
		if n.Quals != nil {
			s += " on " + p.expr(n.Quals)
		}
		return s + ")"
	}
	return "?"
}

func (p *treePrinter) setOp(n query.SetOpNode) string {
	s, ok := n.(*query.SetOperationStmt)
	if !ok {
		return strconv.Itoa(n.(*query.RangeTblRef).Index)
	}
	name := [...]string{"", "union", "intersect", "except"}[s.Op]
	if s.All {
		name += " all"
	}
	var types []string
	for i, t := range s.ColTypes {
		types = append(types, p.cat.TypeName(t, s.ColTypmods[i]))
	}
	return fmt.Sprintf("(%s %s %s: %s)", p.setOp(s.Left), name, p.setOp(s.Right), strings.Join(types, ", "))
}

func (p *treePrinter) table(oid pgtype.OID) string {
	if t := p.cat.Table(oid); t != nil {
		return t.Schema + "." + t.Name
	}
	return strconv.Itoa(int(oid))
}

func (p *treePrinter) typ(e query.Expr) string {
	s := p.cat.TypeName(e.ResultType(), e.ResultTypmod())
	if c := e.ResultCollation(); c != 0 && c != pgtype.DefaultCollation {
		s += " collate " + (&analyzer{cat: p.cat}).collationName(c)
	}
	return s
}

func (p *treePrinter) op(oid pgtype.OID) string {
	o := p.cat.Operator(oid)
	if o == nil {
		return "none"
	}
	left := ""
	if o.Left != 0 {
		left = p.shortType(o.Left) + " "
	}
	return left + o.Name + " " + p.shortType(o.Right)
}

func (p *treePrinter) shortType(oid pgtype.OID) string {
	if t := p.cat.Type(oid); t != nil {
		return t.Name
	}
	return "?"
}
