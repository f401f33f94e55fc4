package lint

import (
	"fmt"
	"strings"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/advise"
)

// nonSargable reports a condition on a function, cast or computation of a column
// where an index of the bare column, or of the expression, would serve.
func nonSargable() *Rule {
	return &Rule{
		Code: "PL003", Name: "non-sargable", Default: diag.Warning,
		Title: "a function, cast or computation around a column keeps indexes from serving the condition",
		Explanation: "An index on a column is of no use to a condition on an expression of it. Compare the bare " +
			"column, with the inverse on the other side, or make an index on the expression itself, which must be " +
			"immutable. It is reported if the query reads the whole table and, planned with an index on the expression, " +
			"costs half or less; if it reads part of the table by another index, a tenth or less. What it would return " +
			"is a guess, for there are no statistics of the expression yet.",
		Before: "SELECT id FROM orders WHERE date(placed_at) = @day;",
		After:  "SELECT id FROM orders WHERE placed_at >= @day AND placed_at < @day::date + 1;",
		Check: func(p *Pass) {
			for _, s := range p.Scans() {
				if s.Cause != ExpressionHides {
					continue
				}
				column := p.column(s.Read, s.Column)
				label := "no index on this expression"
				if s.Indexed != nil {
					label = fmt.Sprintf("hides %s from index %s", column, s.Indexed.Name)
				}
				p.report(p.stake(s), diag.Diagnostic{
					Span:    p.conditionPlace(s.Read, s.Cond),
					Message: p.scannedText(s.Read) + " " + p.purpose(s.Read),
					Label:   label,
					Hint:    p.rewrite(s),
				})
			}
		},
	}
}

// rewrite proposes a condition on the bare column, or the expression's index.
func (p *Pass) rewrite(s *Scan) string {
	gain := fmt.Sprintf("the query then costs about %s instead of %s", costs(s.After), costs(p.now()))
	if s.Index != nil && !(s.Indexed != nil && p.invertible(s.Cond.Keys[0])) {
		return fmt.Sprintf("%s\n%s; CONCURRENTLY keeps the table writable while it is built", advise.DDL(p.Bound.Catalog, s.Index), gain)
	}
	column := p.column(s.Read, s.Column)
	text := fmt.Sprintf("compare %s itself and put the inverse on the other side", column)
	if _, sum := s.Cond.Keys[0].(*query.OpExpr); !sum && p.invertible(s.Cond.Keys[0]) {
		text = fmt.Sprintf("compare %s itself, a %s, and cast the other side", column, p.typeName(s.Table.Attr(s.Column).Type))
	}
	if value := p.value(s.Cond); value != "" && s.Cond.Kind == advise.Equal {
		switch typ := s.Cond.Keys[0].ResultType(); {
		case typ == pgtype.DateOID && p.instant(s):
			text = fmt.Sprintf("compare %[1]s itself: %[1]s >= %[2]s AND %[1]s < %[2]s + 1", column, value)
			if !strings.Contains(value, "::") {
				text = fmt.Sprintf("compare %[1]s itself: %[1]s >= %[2]s::date AND %[1]s < %[2]s::date + 1", column, value)
			}
		case p.instant(s) && p.calls(s.Cond.Keys[0], "date_trunc"):
			text = fmt.Sprintf("compare %[1]s itself, with the two ends of the span: %[1]s >= … AND %[1]s < …", column)
		}
	}
	if s.Indexed == nil {
		text += fmt.Sprintf(", and CREATE INDEX ON %s (%s);", p.table(s.Read), column)
	}
	return text + "\n" + gain
}

// invertible reports whether an expression is a sum or a cast, which can be put
// on the other side.
func (p *Pass) invertible(e query.Expr) bool {
	switch n := e.(type) {
	case *query.CoerceViaIO:
		return true
	case *query.FuncExpr:
		return n.Form == query.CoerceExplicitCast
	case *query.OpExpr:
		o := p.Bound.Catalog.Operator(n.Op)
		return o != nil && (o.Name == "+" || o.Name == "-")
	}
	return false
}

// instant reports whether the column of a scan's condition is a point in time.
func (p *Pass) instant(s *Scan) bool {
	c := s.Table.Attr(s.Column)
	if c == nil {
		return false
	}
	switch p.Bound.Catalog.BaseType(c.Type) {
	case pgtype.TimestamptzOID, pgtype.TimestampOID:
		return true
	}
	return false
}

// calls reports whether an expression is a call of a function of that name.
func (p *Pass) calls(e query.Expr, name string) bool {
	f, ok := e.(*query.FuncExpr)
	if !ok {
		return false
	}
	fn := p.Bound.Catalog.Func(f.Func)
	return fn != nil && fn.Name == name
}

// value is the other side of a condition as the file has it, "" where it is not
// in the text or more than a parameter or a constant.
func (p *Pass) value(c *advise.Cond) string {
	param, _ := paramOf(c.Value)
	if param == nil {
		if k, ok := c.Value.(*query.Const); !ok || !p.own(k.Span()) {
			return ""
		}
		return strings.TrimSpace(p.text(p.Statement.FileSpan(c.Value.Span())))
	}
	return p.paramText(param.Number)
}

// paramOf is the parameter that an expression is, casts taken off.
func paramOf(e query.Expr) (param *query.Param, cast bool) {
	for {
		switch n := e.(type) {
		case *query.Param:
			if n.Kind != query.ParamExtern {
				return nil, false
			}
			return n, cast
		case *query.RelabelType:
			e, cast = n.Arg, true
		case *query.CoerceViaIO:
			e, cast = n.Arg, true
		case *query.CoerceToDomain:
			e, cast = n.Arg, true
		case *query.FuncExpr:
			if n.Form == query.CoerceExplicitCall || n.Form == query.CoerceSQLSyntax || len(n.Args) == 0 {
				return nil, false
			}
			e, cast = n.Args[0], true
		default:
			return nil, false
		}
	}
}

// paramText is a parameter as the file has it: @day or $1.
func (p *Pass) paramText(number int) string {
	for _, m := range p.Statement.Params {
		if m.Number == number && len(m.Spans) > 0 {
			if t := p.text(m.Spans[0]); t != "" {
				return t
			}
		}
	}
	return fmt.Sprintf("$%d", number)
}
