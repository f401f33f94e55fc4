package ddl

import (
	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/source"
)

// checkBlock checks the body of a function in PL/pgSQL as far as the server does
// when the function is created: the grammar of its statements and of the SQL in
// them (plpgsql_validator, pl_handler.c; check_sql_expr, pl_gram.y). Names in it
// are not looked up before it runs.
func (a *applier) checkBlock(_ *catalog.Func, lit *parser.Statement) {
	block, offset, ok := readBlock(lit.Text)
	if !ok {
		a.badBlock(lit, offset)
		return
	}
	check := func(span source.Span, lead string, into source.Span) {
		if span.IsZero() {
			return
		}
		sub := part(lit, span, lead, into)
		if _, err := pg.Parse(sub.Text); err != nil {
			panic(failure{a.bodySyntax(sub, err)})
		}
	}
	eachStmt(block, func(s *plStmt) {
		switch s.kind {
		case plSQL:
			check(s.span, "", s.into)
		case plPerform, plAssign:
			check(s.expr, "SELECT ", source.Span{})
		case plExecute:
			check(s.expr, "SELECT ", source.Span{})
		case plReturn:
			if s.query && !s.dynamic {
				check(s.expr, "", source.Span{})
			}
		}
		if !s.simple {
			for _, arm := range s.arms {
				check(arm.cond, "SELECT ", source.Span{})
			}
		}
	})
}
