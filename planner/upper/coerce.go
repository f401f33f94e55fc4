package upper

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
)

// coerce casts a column of a set operation to the type that both arms have in
// common (coerce_to_common_type, parse_coerce.c).
func (s *setOps) coerce(e query.Expr, typ pgtype.OID) query.Expr {
	cat := s.root.Global.Catalog
	from := e.ResultType()
	h := query.Header{Typ: typ, Mod: pgtype.NoTypmod, Loc: e.Span()}
	if t := cat.Type(typ); t != nil {
		h.Coll = t.Collation
	}
	if cat.BaseType(from) == typ || cat.BinaryCoercible(from, typ) {
		return eval.ApplyRelabel(e, typ, pgtype.NoTypmod, h.Coll)
	}
	c := cat.Cast(cat.BaseType(from), typ)
	if c == nil || c.Context != catalog.CastImplicit {
		s.root.Global.NotSupported("a set operation whose arms have types without an implicit cast")
		return e
	}
	switch c.Method {
	case catalog.CastFunction:
		f := cat.Func(c.Func)
		args := []query.Expr{e}
		if f != nil && len(f.Args) > 1 {
			// Such a cast also takes the type modifier, of which there is none.
			args = append(args, &query.Const{
				Header: query.Header{Typ: pgtype.Int4OID, Mod: pgtype.NoTypmod}, Value: "-1", Len: 4, ByVal: true,
			})
			if len(f.Args) > 2 {
				args = append(args, eval.BoolConst(false))
			}
		}
		return &query.FuncExpr{
			Header: h, Func: c.Func, Form: query.CoerceImplicitCast, InputColl: e.ResultCollation(), Args: args,
		}
	case catalog.CastInOut:
		return &query.CoerceViaIO{Header: h, Arg: e, Form: query.CoerceImplicitCast}
	}
	return eval.ApplyRelabel(e, typ, pgtype.NoTypmod, h.Coll)
}

// relabel gives an expression another collation.
func relabel(e query.Expr, collation pgtype.OID) query.Expr {
	return eval.ApplyRelabel(e, e.ResultType(), e.ResultTypmod(), collation)
}
