package lint

import (
	"fmt"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/advise"
)

// seqScan reports what is left once no condition is hidden and no btree index
// would help: a scan of everything for a few rows.
func seqScan() *Rule {
	return &Rule{
		Code: "PL001", Name: "seq-scan-big-table", Default: diag.Warning,
		Title: "reads a big table from end to end for a few rows",
		Explanation: fmt.Sprintf("The query reads every row of a big table (from %s pages or %s rows on) and keeps at most "+
			"%g %% of them. No btree index was found that would make it much cheaper; where one is, the finding is PL002, "+
			"and where a condition hides a column from its index, PL003 or PL004. Patterns, documents and arrays need "+
			"an index of another kind. Where the statistics do not know a column, how far an index on it would help is not "+
			"known either; where no kind is known to serve, a scan weighs a tenth.", count(SmallPages), count(SmallRows), 100*FewShare),
		Before: "SELECT id FROM books WHERE title LIKE '%' || @word || '%';",
		After:  "CREATE EXTENSION pg_trgm;\nCREATE INDEX ON books USING gin (title gin_trgm_ops);",
		Check: func(p *Pass) {
			for _, s := range p.Scans() {
				if s.Cause != FewOfMany {
					continue
				}
				cost := s.Cost
				hint, ok := p.otherIndex(s)
				if !ok {
					cost = float64(cost * ServedShare)
				}
				p.report(cost, diag.Diagnostic{
					Span:    p.conditionPlace(s.Read, s.Cond),
					Message: p.scannedText(s.Read) + " " + p.purpose(s.Read),
					Hint:    hint,
				})
			}
		},
	}
}

// otherIndex proposes an index of another kind than btree for a condition; ok is
// false where it knows none.
func (p *Pass) otherIndex(s *Scan) (hint string, ok bool) {
	if column, plain := s.Cond.Column(); plain && s.Cond.Kind == advise.Equal && indexedBy(s.Read, column) == nil &&
		p.Bound.Column(s.Table.OID, column, false).Column == nil {
		name := p.column(s.Read, column)
		return fmt.Sprintf("the statistics do not know the values of %s; if few rows match, an index serves it: CREATE INDEX ON %s (%s);",
			name, p.table(s.Read), name), true
	}
	const none = "no btree index was found that makes it much cheaper: narrow it by a column that has an index"
	o, ok := s.Cond.Expr.(*query.OpExpr)
	if !ok || len(o.Args) != 2 {
		return none, false
	}
	op := p.Bound.Catalog.Operator(o.Op)
	column := ""
	var typ pgtype.OID
	for _, a := range o.Args {
		for {
			r, is := a.(*query.RelabelType)
			if !is {
				break
			}
			a = r.Arg
		}
		if v, is := a.(*query.Var); is && v.VarNo == s.Rel.Index && v.AttNo > 0 {
			column, typ = p.column(s.Read, v.AttNo), v.Typ
			break
		}
	}
	if column == "" || op == nil {
		return none, false
	}
	switch op.Name {
	case "~~", "~~*", "~", "~*":
		return fmt.Sprintf("a trigram index serves patterns:\n  CREATE EXTENSION pg_trgm;\n  CREATE INDEX ON %s USING gin (%s gin_trgm_ops);",
			p.table(s.Read), column), true
	}
	oc := p.Bound.Catalog.DefaultOpClass(typ, catalog.GinMethod)
	if oc != nil && p.Bound.Catalog.OpFamilyStrategy(o.Op, oc.Family) != 0 {
		return fmt.Sprintf("an inverted index serves %s:\n  CREATE INDEX ON %s USING gin (%s);", op.Name, p.table(s.Read), column), true
	}
	return none, false
}
