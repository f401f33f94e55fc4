package analyze

import (
	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// jsonFunction analyses what the grammar of PostgreSQL 16 reads as a call and
// that of 17 as a query function of SQL/JSON, without the clauses that 16 does
// not read at all; nil for another call (transformJsonFuncExpr,
// transformJsonScalarExpr and transformJsonSerializeExpr, parse_expr.c).
func (s *state) jsonFunction(fn *pg.FuncCall) query.Expr {
	if s.cat.Major < 17 || len(fn.Funcname) != 1 || fn.Over != nil || fn.AggFilter != nil || len(fn.AggOrder) > 0 ||
		fn.AggStar || fn.AggDistinct || fn.FuncVariadic {
		return nil
	}
	e := &query.JSONExpr{}
	e.Header = query.Header{Mod: -1, Loc: s.span(int(fn.Location))}
	switch lastName(fn.Funcname) {
	case "json_value":
		e.Op, e.Typ = "JSON_VALUE", pgtype.TextOID
	case "json_query":
		e.Op, e.Typ = "JSON_QUERY", pgtype.JsonbOID
	case "json_exists":
		e.Op, e.Typ = "JSON_EXISTS", pgtype.BoolOID
	case "json":
		e.Op, e.Typ = "JSON", pgtype.JsonOID
	case "json_scalar":
		e.Op, e.Typ = "JSON_SCALAR", pgtype.JsonOID
	case "json_serialize":
		e.Op, e.Typ = "JSON_SERIALIZE", pgtype.TextOID
	default:
		return nil
	}
	count := 2
	if e.Op == "JSON" || e.Op == "JSON_SCALAR" || e.Op == "JSON_SERIALIZE" {
		count = 1
	}
	if len(fn.Args) != count {
		return nil
	}
	arg := s.transform(fn.Args[0])
	if arg.ResultType() == pgtype.UnknownOID {
		arg = s.coerceToSpecific(arg, pgtype.TextOID, e.Op+"()")
	}
	switch e.Op {
	case "JSON_SCALAR":
	case "JSON":
		arg = s.castJSON(arg, pgtype.JsonOID)
	case "JSON_SERIALIZE":
		if t := arg.ResultType(); t != pgtype.JsonOID && t != pgtype.JsonbOID {
			if category, _ := s.category(t); category != 'S' && t != pgtype.ByteaOID {
				s.fail(errDatatypeMismatch, exprLoc(arg), "cannot use non-string types with implicit FORMAT JSON clause")
			}
			arg = s.castJSON(arg, pgtype.JsonOID)
		}
	default:
		arg = s.castJSON(arg, pgtype.JsonbOID)
	}
	e.Args = []query.Expr{arg}
	if count == 2 {
		e.Args = append(e.Args, s.jsonPath(fn.Args[1]))
	}
	return e
}

func (s *state) castJSON(e query.Expr, target pgtype.OID) query.Expr {
	loc := exprLoc(e)
	if e.ResultType() == target {
		return e
	}
	if e.ResultType() == pgtype.ByteaOID {
		e = s.systemCall("convert_from", pgtype.TextOID, loc, e, s.encodingName(nil))
	}
	c := s.coerceToTarget(e, target, -1, explicit, query.CoerceImplicitCast, loc)
	if c == nil {
		s.fail(errCannotCoerce, loc, "cannot cast type %s to %s", s.format(e.ResultType()), s.format(target))
	}
	return c
}

func (s *state) jsonPath(n *pg.Node) query.Expr {
	e := s.transform(n)
	t, loc := e.ResultType(), exprLoc(e)
	c := s.coerceToTarget(e, pgtype.JsonpathOID, -1, explicit, query.CoerceImplicitCast, loc)
	if c == nil {
		s.fail(errDatatypeMismatch, loc, "JSON path expression must be of type %s, not of type %s", "jsonpath", s.format(t))
	}
	return c
}
