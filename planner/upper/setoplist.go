package upper

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
)

// sameColumns reports whether a target list has an operation's types and
// collations (tlist_same_datatypes, tlist_same_collations).
func sameColumns(list []*query.TargetEntry, op *query.SetOperationStmt, junkOK bool) bool {
	i := 0
	for _, te := range list {
		if te.Junk {
			if !junkOK {
				return false
			}
			continue
		}
		if i >= len(op.ColTypes) || te.Expr.ResultType() != op.ColTypes[i] || te.Expr.ResultCollation() != op.ColCollations[i] {
			return false
		}
		i++
	}
	return i == len(op.ColTypes)
}

// flagEntry is the extra column that tells arms apart.
func flagEntry(e query.Expr, resno int) *query.TargetEntry {
	return &query.TargetEntry{Expr: e, ResNo: resno, Name: "flag", Junk: true}
}

func int4Const(n int) *query.Const {
	return &query.Const{
		Header: query.Header{Typ: pgtype.Int4OID, Mod: pgtype.NoTypmod}, Value: string(rune('0' + n)), Len: 4, ByVal: true,
	}
}

// targets makes the target list of an arm: its columns in the operation's types
// (generate_setop_tlist). constants says that constants are taken over as they
// are; trivial tells that nothing has to be computed.
func (s *setOps) targets(op *query.SetOperationStmt, flag, varno int, constants bool, input []*query.TargetEntry) (list []*query.TargetEntry, trivial bool) {
	trivial = true
	for i, typ := range op.ColTypes {
		if i >= len(input) {
			break
		}
		in := input[i].Expr
		e := query.Expr(&query.Var{
			Header: query.Header{Typ: in.ResultType(), Mod: in.ResultTypmod(), Coll: in.ResultCollation()},
			VarNo:  varno, AttNo: input[i].ResNo, SynNo: varno, SynAttNo: input[i].ResNo,
		})
		if _, ok := in.(*query.Const); ok && constants {
			e = in
		}
		if e.ResultType() != typ {
			e = s.coerce(e, typ)
			trivial = false
		}
		if e.ResultCollation() != op.ColCollations[i] {
			e = relabel(e, op.ColCollations[i])
			trivial = false
		}
		list = append(list, &query.TargetEntry{Expr: e, ResNo: i + 1, Name: s.names[i].Name, SortGroupRef: i + 1})
	}
	if flag >= 0 {
		list = append(list, flagEntry(int4Const(flag), len(list)+1))
		trivial = false
	}
	return list, trivial
}

// appendTargets makes the target list of the arms together: columns of no
// relation (generate_append_tlist).
func (s *setOps) appendTargets(op *query.SetOperationStmt, flag bool, arms []arm) []*query.TargetEntry {
	var list []*query.TargetEntry
	for i, typ := range op.ColTypes {
		mod := pgtype.NoTypmod
		for n, a := range arms {
			e := a.list[i].Expr
			switch {
			case e.ResultType() != typ:
				mod = pgtype.NoTypmod
			case n == 0:
				mod = e.ResultTypmod()
			case mod != e.ResultTypmod():
				mod = pgtype.NoTypmod
			}
		}
		v := &query.Var{Header: query.Header{Typ: typ, Mod: mod, Coll: op.ColCollations[i]}, AttNo: i + 1, SynAttNo: i + 1}
		list = append(list, &query.TargetEntry{Expr: v, ResNo: i + 1, Name: s.names[i].Name, SortGroupRef: i + 1})
	}
	if flag {
		n := len(list) + 1
		v := &query.Var{Header: query.Header{Typ: pgtype.Int4OID, Mod: pgtype.NoTypmod}, AttNo: n, SynAttNo: n}
		list = append(list, flagEntry(v, n))
	}
	return list
}

// groupList are an operation's grouping clauses with references to a target list
// (generate_setop_grouplist).
func groupList(op *query.SetOperationStmt, list []*query.TargetEntry) []*query.SortGroupClause {
	var out []*query.SortGroupClause
	for _, te := range list {
		if te.Junk || len(out) >= len(op.GroupClauses) {
			continue
		}
		c := *op.GroupClauses[len(out)]
		c.Ref = te.SortGroupRef
		out = append(out, &c)
	}
	return out
}

// nameSetOpTargets gives the target list of a set operation the references that
// ORDER BY uses (postprocess_setop_tlist, planner.c).
func nameSetOpTargets(list, original []*query.TargetEntry) []*query.TargetEntry {
	out := make([]*query.TargetEntry, len(list))
	at := 0
	for i, te := range list {
		c := *te
		if !te.Junk && at < len(original) {
			c.SortGroupRef = original[at].SortGroupRef
			at++
		}
		out[i] = &c
	}
	return out
}

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
