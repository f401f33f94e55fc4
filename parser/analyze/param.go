package analyze

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/parser/source"
)

// params are the parameters of a statement. With fixed types a parameter out of
// range is an error; otherwise types are deduced, as PREPARE does
// (parse_param.c).
type params struct {
	fixed  bool
	types  []pgtype.OID
	places map[int][]source.Span
}

// maxParams is the most parameters that the protocol can carry.
const maxParams = 65535

func (s *state) transformParam(n *pg.ParamRef) query.Expr {
	number, loc := int(n.Number), int(n.Location)
	p := &s.params
	if number <= 0 || p.fixed && (number > len(p.types) || p.types[number-1] == 0) {
		s.fail(errUndefinedParameter, loc, "there is no parameter $%d", number)
	}
	if number > maxParams {
		// No statement can have as many, so the one with the least number that it
		// lacks has no type.
		s.fail(errIndeterminateType, noLoc, "could not determine data type of parameter $%d", slices.Index(append(p.types, 0), 0)+1)
	}
	for len(p.types) < number {
		p.types = append(p.types, 0)
	}
	t := &p.types[number-1]
	if *t == 0 {
		*t = pgtype.UnknownOID
	}
	e := s.newParam(number, *t, s.span(loc))
	if p.places == nil {
		p.places = map[int][]source.Span{}
	}
	p.places[number] = append(p.places[number], e.Loc)
	return e
}

func (a *analyzer) newParam(number int, t pgtype.OID, at source.Span) *query.Param {
	e := &query.Param{Kind: query.ParamExtern, Number: number}
	e.Header = query.Header{Typ: t, Mod: -1, Coll: a.typeCollation(t), Loc: at}
	return e
}

// coerceParam gives an untyped parameter the type that its place demands
// (variable_coerce_param_hook); nil if it has one.
func (s *state) coerceParam(e *query.Param, target pgtype.OID, loc int) query.Expr {
	p := &s.params
	if p.fixed || e.Kind != query.ParamExtern || e.Typ != pgtype.UnknownOID {
		return nil
	}
	switch t := &p.types[e.Number-1]; *t {
	case pgtype.UnknownOID, target:
		*t = target
	default:
		s.failDetail(errAmbiguousParameter, locOf(e.Loc), s.format(*t)+" versus "+s.format(target),
			"inconsistent types deduced for parameter $%d", e.Number)
	}
	e.Typ, e.Mod, e.Coll = target, -1, s.typeCollation(target)
	if own := locOf(e.Loc); loc >= 0 && (own < 0 || loc < own) {
		e.Loc = source.Span{Start: loc, End: max(e.Loc.End, loc+1)}
	}
	return e
}

// checkParams refuses a parameter whose places do not agree
// (check_variable_parameters) or that has no type (PREPARE's own check).
func (s *state) checkParams(q *query.Query) {
	if s.params.fixed {
		return
	}
	q.WalkLevels(func(e query.Expr, _ int) bool {
		if p, ok := e.(*query.Param); ok && p.Kind == query.ParamExtern && p.Typ != s.params.types[p.Number-1] {
			s.fail(errAmbiguousParameter, locOf(p.Loc), "could not determine data type of parameter $%d", p.Number)
		}
		return true
	})
	for i, t := range s.params.types {
		if t == 0 || t == pgtype.UnknownOID {
			e := s.errorAt(errIndeterminateType, noLoc, "could not determine data type of parameter $%d", i+1)
			if at := s.params.places[i+1]; len(at) > 0 {
				e.Span = at[0]
			}
			panic(e)
		}
	}
}
