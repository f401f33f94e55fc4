package ddl

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// inlined is the expression that is planned in place of a call of a simple SQL
// function, nil where the call stays (inline_function, clauses.c). The arguments
// in it are external Params.
func (a *applier) inlined(f *catalog.Func) query.Expr {
	if f.Language != "sql" || f.Kind != 'f' || f.SecurityDefiner || f.RetSet || f.Result == pgtype.RecordOID ||
		len(f.Settings) > 0 || len(f.Body) != 1 {
		return nil
	}
	q := f.Body[0]
	if q.Command != query.CmdSelect || len(q.TargetList) != 1 || len(q.RangeTable) > 0 || len(q.CTEs) > 0 ||
		q.HasAggs || q.HasWindowFuncs || q.HasTargetSRFs || q.HasSubLinks ||
		q.JoinTree == nil || len(q.JoinTree.List) > 0 || q.JoinTree.Quals != nil ||
		len(q.GroupClause) > 0 || len(q.GroupingSets) > 0 || q.Having != nil || len(q.WindowClause) > 0 ||
		len(q.Distinct) > 0 || len(q.SortClause) > 0 || q.LimitCount != nil || q.LimitOffset != nil || q.SetOperations != nil {
		return nil
	}
	e := q.TargetList[0].Expr
	if f.Strict && !a.strictIn(e, len(f.Args)) {
		return nil
	}
	return e
}

// strictIn reports whether e is NULL where one of n arguments is: it uses all of
// them, and in what passes NULL on.
func (a *applier) strictIn(e query.Expr, n int) bool {
	used := map[int]bool{}
	strict := true
	query.Walk(e, func(x query.Expr) bool {
		switch x := x.(type) {
		case *query.Param:
			used[x.Number] = true
		case *query.FuncExpr:
			strict = a.isStrict(x.Func)
		case *query.OpExpr:
			strict = a.isStrict(x.Func)
		case *query.Const, *query.RelabelType, *query.CoerceViaIO:
		default:
			strict = false
		}
		return strict
	})
	return strict && len(used) == n
}

func (a *applier) isStrict(oid pgtype.OID) bool {
	f := a.cat.Func(oid)
	return f != nil && f.Strict
}
