package analyze

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/parser/source"
)

// topLevel analyses a whole statement; SELECT … INTO is CREATE TABLE AS
// (transformOptionalSelectInto, analyze.c).
func (s *state) topLevel(n *pg.Node) *query.Query {
	s.refuseNewer(n)
	s.refuseParams(n)
	if sel := n.GetSelectStmt(); sel != nil {
		left := sel
		for left.Op != pg.SetOperation_SETOP_NONE {
			left = left.Larg
		}
		if left.IntoClause != nil {
			c := proto.Clone(n).(*pg.Node)
			left = c.GetSelectStmt()
			for left.Op != pg.SetOperation_SETOP_NONE {
				left = left.Larg
			}
			left.IntoClause = nil
			s.statement(c)
			return &query.Query{Command: query.CmdUtility, Utility: "SELECT INTO"}
		}
	}
	if n == nil || n.Node == nil {
		return &query.Query{Command: query.CmdUtility}
	}
	return s.statement(n)
}

// utility analyses what utility statements contain, as far as the server does
// before running them.
func (s *state) utility(n *pg.Node) *query.Query {
	q := &query.Query{Command: query.CmdUtility, Utility: s.utilityName()}
	switch x := n.Node.(type) {
	case *pg.Node_ExplainStmt:
		s.topLevel(x.ExplainStmt.Query)
		q.Returning = utilityColumns(attr{name: "QUERY PLAN", typ: explainType(x.ExplainStmt)})
	case *pg.Node_VariableShowStmt:
		q.Returning = utilityColumns(showColumns(x.VariableShowStmt.Name)...)
	case *pg.Node_CreateTableAsStmt:
		if x.CreateTableAsStmt.Query.GetExecuteStmt() == nil {
			in := s.statement(x.CreateTableAsStmt.Query)
			if x.CreateTableAsStmt.Objtype == pg.ObjectType_OBJECT_MATVIEW {
				s.checkMatView(in)
			}
		}
	case *pg.Node_DeclareCursorStmt:
		in := s.statement(x.DeclareCursorStmt.Query)
		if in.HasModifyingCTE {
			s.fail(errFeatureNotSupported, noLoc, "DECLARE CURSOR must not contain data-modifying statements in WITH")
		}
	case *pg.Node_CallStmt:
		e := s.call(x.CallStmt.Funccall)
		if e.ResultType() == pgtype.RecordOID {
			_, out := s.resultType(e)
			q.Returning = utilityColumns(out...)
		}
	}
	return q
}

// checkMatView refuses what a materialised view cannot keep
// (transformCreateTableAsStmt, analyze.c).
func (s *state) checkMatView(q *query.Query) {
	if q.HasModifyingCTE {
		s.fail(errFeatureNotSupported, noLoc, "materialized views must not use data-modifying statements in WITH")
	}
	if len(s.params.types) > 0 {
		s.fail(errFeatureNotSupported, noLoc, "materialized views may not be defined using bound parameters")
	}
}

// utilityColumns are the columns that a utility statement returns. Nothing is
// known of their values.
func utilityColumns(list ...attr) []*query.TargetEntry {
	var out []*query.TargetEntry
	for i, at := range list {
		e := &query.CaseTestExpr{}
		e.Typ, e.Mod = at.typ, -1
		out = append(out, &query.TargetEntry{Expr: e, ResNo: i + 1, Name: at.name})
	}
	return out
}

// explainType is the type of EXPLAIN's only column (ExplainResultDesc, explain.c).
func explainType(n *pg.ExplainStmt) pgtype.OID {
	t := pgtype.TextOID
	for _, o := range n.Options {
		d := o.GetDefElem()
		if d.GetDefname() != "format" {
			continue
		}
		switch d.GetArg().GetString_().GetSval() {
		case "json":
			t = pgtype.JsonOID
		case "xml":
			t = pgtype.XmlOID
		default:
			t = pgtype.TextOID
		}
	}
	return t
}

// showColumns are the columns of SHOW: one of the parameter's own name, or three
// for ALL (GetPGVariableResultDesc, guc_funcs.c).
func showColumns(name string) []attr {
	if name == "all" {
		return []attr{{name: "name", typ: pgtype.TextOID}, {name: "setting", typ: pgtype.TextOID}, {name: "description", typ: pgtype.TextOID}}
	}
	for _, own := range []string{"DateStyle", "IntervalStyle", "TimeZone"} {
		if strings.EqualFold(own, name) {
			name = own
		}
	}
	return []attr{{name: name, typ: pgtype.TextOID}}
}

// call analyses a CALL (transformCallStmt, analyze.c).
func (s *state) call(fn *pg.FuncCall) query.Expr {
	save := s.kind
	var args []query.Expr
	for _, a := range fn.Args {
		args = append(args, s.expr(a, kindCallArgument))
	}
	s.kind = kindCallArgument
	e := s.funcOrColumn(&call{names: stringsOf(fn.Funcname), args: args, fn: fn, lastSRF: s.lastSRF, procCall: true, loc: int(fn.Location)})
	s.assignCollations(e)
	s.kind = save
	return e
}

// utilityName is the statement's leading keywords: CREATE and its kin with the
// kind of object.
func (s *state) utilityName() string {
	var words []string
	l := source.NewLexer(s.text, 0)
	for len(words) < 3 {
		p, ok := l.Next()
		if !ok || p.Kind == source.Symbol {
			break
		}
		if p.Kind != source.Word {
			continue
		}
		w := strings.ToUpper(s.text[p.Span.Start:p.Span.End])
		switch w {
		case "OR", "REPLACE", "TEMP", "TEMPORARY", "UNLOGGED", "UNIQUE", "RECURSIVE", "GLOBAL", "LOCAL":
			continue
		}
		words = append(words, w)
	}
	if len(words) == 0 {
		return ""
	}
	switch words[0] {
	case "CREATE", "ALTER", "DROP", "REFRESH", "COMMENT", "IMPORT", "DECLARE":
		n := 2
		if len(words) > 2 && (words[1] == "MATERIALIZED" || words[1] == "FOREIGN" || words[1] == "EVENT" || words[1] == "ACCESS") {
			n = 3
		}
		return strings.Join(words[:min(n, len(words))], " ")
	}
	return words[0]
}
