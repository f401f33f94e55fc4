package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dbgen/dbgen/parser/diag"
)

// signature is what is known of a query before it runs, or why it cannot run.
type signature struct {
	params, columns []string
	// refusal is the SQLSTATE, or words where there is none; message says more.
	refusal, message string
}

// compare returns what of two signatures differs, on both sides; equal texts mean
// that nothing does.
func (s signature) compare(o signature) (a, b string) {
	if s.refusal != "" || o.refusal != "" {
		if s.refusal == o.refusal {
			return "", ""
		}
		return s.String(), o.String()
	}
	var ours, theirs []string
	differ := func(place string, x, y []string, i int) {
		at := func(list []string) string {
			if i >= len(list) {
				return "no " + place
			}
			return place + " " + list[i]
		}
		if i >= len(x) || i >= len(y) || x[i] != y[i] {
			ours, theirs = append(ours, at(x)), append(theirs, at(y))
		}
	}
	for i := range max(len(s.params), len(o.params)) {
		differ(fmt.Sprintf("$%d", i+1), s.params, o.params, i)
	}
	for i := range max(len(s.columns), len(o.columns)) {
		differ(fmt.Sprintf("column %d", i+1), s.columns, o.columns, i)
	}
	return strings.Join(ours, ", "), strings.Join(theirs, ", ")
}

func (s signature) String() string {
	switch {
	case s.message != "" && s.refusal != s.message:
		return fmt.Sprintf("%s (%s)", s.message, s.refusal)
	case s.refusal != "":
		return s.refusal
	}
	return "(" + strings.Join(s.params, ", ") + ") -> (" + strings.Join(s.columns, ", ") + ")"
}

// types describes parameters and columns of a query as dbgen and as the server see
// them. An error is one of the connection.
func (p *Project) types(ctx context.Context, s *server, q *Query) (ours, theirs signature, err error) {
	text := q.Statement.Text
	if q.Analyzed == nil {
		ours = p.refusal(q)
	} else {
		text = p.sql(q)
		for _, prm := range q.Analyzed.Params {
			ours.params = append(ours.params, p.Catalog.SQLType(prm.Type))
		}
		for _, te := range outputColumns(q.Analyzed.Query) {
			ours.columns = append(ours.columns, te.Name+" "+p.Catalog.SQLType(reportedType(p.Catalog, te.Expr.ResultType())))
		}
	}
	d, err := s.conn.Prepare(ctx, "", text)
	var pe *pgconn.PgError
	switch {
	case errors.As(err, &pe):
		return ours, signature{refusal: pe.Code, message: pe.Message}, s.restore(ctx)
	case err != nil:
		return ours, theirs, err
	}
	for _, oid := range d.ParamOIDs {
		n, err := s.typeName(ctx, oid)
		if err != nil {
			return ours, theirs, err
		}
		theirs.params = append(theirs.params, n)
	}
	for _, f := range d.Fields {
		n, err := s.typeName(ctx, f.DataTypeOID)
		if err != nil {
			return ours, theirs, err
		}
		theirs.columns = append(theirs.columns, f.Name+" "+n)
	}
	return ours, theirs, nil
}

// refusal is the first error of a query that could not be analysed, rather one that
// the server has, too. Another query of the same name is not asked.
func (p *Project) refusal(q *Query) signature {
	out := signature{refusal: "not analysed"}
	for _, d := range p.Diags {
		switch {
		case d.Severity != diag.Error || d.Query != q.Name || d.File != q.Statement.File:
		case d.SQLState != "" && d.Span.Start >= q.Statement.Span.Start && d.Span.Start <= q.Statement.Span.End:
			return signature{refusal: d.SQLState, message: d.Message}
		case out.message == "":
			out = signature{refusal: cmp.Or(d.SQLState, d.Message), message: d.Message}
		}
	}
	return out
}
