package pipeline

import (
	"context"
	"fmt"
	"strconv"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/parser/source"
)

// Line is the line of the query's name, or of the statement if it has none.
func (q *Query) Line() int {
	s := q.Statement
	if s.Annotation != nil {
		return s.File.Position(s.Annotation.NameSpan.Start).Line
	}
	return s.File.Position(s.Span.Start).Line
}

// place is the query's name in the file, or the statement.
func (q *Query) place() source.Span {
	if a := q.Statement.Annotation; a != nil {
		return a.NameSpan
	}
	return q.Statement.Span
}

// Unsupported is the diagnostic of a query that cannot be planned.
func (q *Query) Unsupported() diag.Diagnostic {
	d := diag.Diagnostic{
		Severity: diag.Info, Code: "unsupported", Query: q.Name, File: q.Statement.File, Span: q.place(),
		Message: "not supported yet: this query has no plan",
	}
	if q.Analyzed.Query.Command == query.CmdUtility {
		d.Message = "no plan: PostgreSQL plans queries, not " + q.Analyzed.Query.Utility
		return d
	}
	for i, r := range q.Plan.Reasons {
		if i > 0 {
			d.Detail += "\n"
		}
		d.Detail += r
	}
	return d
}

// PlanFor plans every analysed query for the given parameter values, by name or
// number; used collects the names that a query has. The error is a value that
// is none of its parameter's type.
func (p *Project) PlanFor(ctx context.Context, values map[string]string, used map[string]bool) error {
	var failed error
	p.Plan(ctx, func(q *Query) map[int]*query.Const {
		out := map[int]*query.Const{}
		for i, prm := range q.Analyzed.Params {
			for _, key := range []string{p.ParamName(q, i), strconv.Itoa(prm.Number)} {
				text, ok := values[key]
				if !ok {
					continue
				}
				used[key] = true
				c, err := p.constant(prm.Type, text)
				if err != nil && failed == nil {
					failed = fmt.Errorf("--param %s of %s: %w", key, q.Name, err)
				}
				out[prm.Number] = c
			}
		}
		return out
	})
	return failed
}

func (p *Project) constant(typ pgtype.OID, text string) (*query.Const, error) {
	cat := p.Catalog
	t := cat.Type(typ)
	h := query.Header{Typ: typ, Mod: pgtype.NoTypmod, Coll: t.Collation}
	if text == "NULL" {
		return &query.Const{Header: h, Null: true, Len: t.Len, ByVal: t.ByVal}, nil
	}
	v, err := pgtype.Parse(cat.Desc(typ), text, pgtype.NoTypmod, pgtype.Env{Now: p.Bound.CollectedAt})
	if err != nil {
		return nil, err
	}
	return &query.Const{Header: h, Value: v.String(), Len: t.Len, ByVal: t.ByVal}, nil
}
