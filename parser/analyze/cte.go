package analyze

import (
	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// cte is a WITH item while its statement is analysed.
type cte struct {
	*query.CommonTableExpr
	raw  *pg.CommonTableExpr
	mark *cycleMark
}

// findCTE is scanNameSpaceForCTE (parse_relation.c).
func (s *state) findCTE(name string) (*cte, int) {
	levels := 0
	for st := s; st != nil; st = st.parent {
		if c, _ := st.ownCTE(name); c != nil {
			return c, levels
		}
		levels++
	}
	return nil, 0
}

func (s *state) ownCTE(name string) (*cte, bool) {
	for _, c := range s.ctes {
		if c.Name == name {
			return c, true
		}
	}
	return nil, false
}

// cteTargets are the columns a CTE's query yields (GetCTETargetList).
func cteTargets(q *query.Query) []*query.TargetEntry {
	if q.Command == query.CmdSelect {
		return q.TargetList
	}
	return q.Returning
}

// withClause is transformWithClause (parse_cte.c).
func (s *state) withClause(q *query.Query, w *pg.WithClause) {
	var items []*cte
	for _, n := range w.Ctes {
		raw := n.GetCommonTableExpr()
		for _, x := range items {
			if x.Name == raw.Ctename {
				s.fail(errDuplicateAlias, int(raw.Location), "WITH query name \"%s\" specified more than once", raw.Ctename)
			}
		}
		c := &cte{&query.CommonTableExpr{Name: raw.Ctename, AliasColumns: stringsOf(raw.Aliascolnames), Loc: s.span(int(raw.Location))}, raw, nil}
		switch raw.Ctematerialized {
		case pg.CTEMaterialize_CTEMaterializeAlways:
			c.Materialized = query.CTEMaterializeAlways
		case pg.CTEMaterialize_CTEMaterializeNever:
			c.Materialized = query.CTEMaterializeNever
		}
		if raw.Ctequery.GetMergeStmt() != nil && s.cat.Major < 17 {
			s.fail(errFeatureNotSupported, int(raw.Location), "MERGE not supported in WITH query")
		}
		if raw.Ctequery.GetSelectStmt() == nil {
			s.hasModifyingCTE = true
		}
		items = append(items, c)
	}
	if w.Recursive {
		items = s.orderRecursive(items)
		s.ctes = items
		for _, c := range items {
			s.analyzeCTE(c)
		}
	} else {
		for i, c := range items {
			s.futureCTEs = items[i:]
			s.analyzeCTE(c)
			s.ctes = append(s.ctes, c)
		}
		s.futureCTEs = nil
	}
	for _, c := range s.ctes {
		q.CTEs = append(q.CTEs, c.CommonTableExpr)
	}
}

// analyzeCTE is analyzeCTE.
func (s *state) analyzeCTE(c *cte) {
	loc := int(c.raw.Location)
	if x := c.raw.CycleClause; x != nil {
		c.mark = s.analyzeMark(x)
	}
	q := s.subAnalyze(c.raw.Ctequery, c, false, true)
	c.Query = q
	if q.Command != query.CmdSelect && s.parent != nil {
		s.fail(errFeatureNotSupported, loc, "WITH clause containing a data-modifying statement must be at the top level")
	}
	if c.Recursive {
		s.checkRecursiveColumns(c, q)
	} else {
		s.cteColumns(c, cteTargets(q))
	}
	if c.raw.SearchClause != nil || c.raw.CycleClause != nil {
		s.checkSearchCycle(c)
		s.rewriteSearchCycle(c)
	}
}

// checkRecursiveColumns holds the columns of a recursive query against those of
// its non-recursive term.
func (s *state) checkRecursiveColumns(c *cte, q *query.Query) {
	for i, t := range visibleTargets(q) {
		e := t.Expr
		if e.ResultType() != c.ColTypes[i] || e.ResultTypmod() != c.ColTypmods[i] {
			s.failHint(errDatatypeMismatch, exprLoc(e), "Cast the output of the non-recursive term to the correct type.",
				"recursive query \"%s\" column %d has type %s in non-recursive term but type %s overall", c.Name, i+1,
				s.cat.TypeName(c.ColTypes[i], c.ColTypmods[i]), s.cat.TypeName(e.ResultType(), e.ResultTypmod()))
		}
		if e.ResultCollation() != c.ColCollations[i] {
			s.failHint(errCollationMismatch, exprLoc(e), "Use the COLLATE clause to set the collation of the non-recursive term.",
				"recursive query \"%s\" column %d has collation \"%s\" in non-recursive term but collation \"%s\" overall", c.Name, i+1,
				s.collationName(c.ColCollations[i]), s.collationName(e.ResultCollation()))
		}
	}
}

// cteColumns is analyzeCTETargetList.
func (s *state) cteColumns(c *cte, targets []*query.TargetEntry) {
	c.ColNames = append([]string(nil), c.AliasColumns...)
	c.ColTypes, c.ColTypmods, c.ColCollations = nil, nil, nil
	n := 0
	for _, t := range targets {
		if t.Junk {
			continue
		}
		if n++; n > len(c.AliasColumns) {
			c.ColNames = append(c.ColNames, t.Name)
		}
		typ, mod, coll := t.Expr.ResultType(), t.Expr.ResultTypmod(), t.Expr.ResultCollation()
		if c.Recursive && typ == pgtype.UnknownOID {
			typ, mod = pgtype.TextOID, -1
			if coll == 0 {
				coll = pgtype.DefaultCollation
			}
		}
		c.ColTypes, c.ColTypmods, c.ColCollations = append(c.ColTypes, typ), append(c.ColTypmods, mod), append(c.ColCollations, coll)
	}
	if n < len(c.AliasColumns) {
		s.fail(errInvalidColumnRef, int(c.raw.Location), "WITH query \"%s\" has %d columns available but %d columns specified", c.Name, n, len(c.AliasColumns))
	}
}
