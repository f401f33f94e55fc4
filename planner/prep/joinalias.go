package prep

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// flattenJoinAliases replaces references to a join's merged columns by what
// they stand for (flatten_join_alias_vars, var.c).
func flattenJoinAliases(root *rel.PlannerInfo, e query.Expr) query.Expr {
	return query.TransformLevels(e, func(x query.Expr, depth int) (query.Expr, bool) {
		v, ok := x.(*query.Var)
		if !ok || v.LevelsUp != depth || v.VarNo < 1 || v.VarNo > len(root.Parse.RangeTable) {
			return nil, false
		}
		rte := root.Parse.RTE(v.VarNo)
		if rte.Kind != query.RTEJoin {
			return nil, false
		}
		var out query.Expr
		if v.AttNo == 0 {
			row := &query.RowExpr{Header: query.Header{Typ: v.Typ, Mod: pgtype.NoTypmod, Loc: v.Loc}, Form: query.CoerceImplicitCast}
			for i, a := range rte.JoinAliasVars {
				if a == nil {
					continue
				}
				row.Args = append(row.Args, flattenJoinAliases(root, a))
				if v.Typ == pgtype.RecordOID {
					row.ColNames = append(row.ColNames, rte.ERef.Columns[i])
				}
			}
			out = row
		} else {
			out = flattenJoinAliases(root, rte.JoinAliasVars[v.AttNo-1])
		}
		out = eval.IncrementLevels(out, depth, 0)
		return addNullingIfNeeded(root, out, v), true
	})
}

// addNullingIfNeeded lets the joins that can null an alias null what it stands
// for (add_nullingrels_if_needed, since 16).
func addNullingIfNeeded(root *rel.PlannerInfo, e query.Expr, v *query.Var) query.Expr {
	if v.NullingRels.IsEmpty() {
		return e
	}
	if standardAlias(e, v) {
		return addNullingToAlias(e, v.NullingRels)
	}
	// An expression that would not become NULL with its columns is computed
	// below the join.
	relids := eval.PullVarNosOfLevel(root, e, v.LevelsUp)
	if relids.IsEmpty() {
		relids = JoinTreeRelids(root.Parse.JoinTree, true, false)
	}
	ph := MakePlaceHolder(root, eval.IncrementLevels(e, -v.LevelsUp, 0), relids)
	ph.LevelsUp = v.LevelsUp
	ph.Arg = e
	ph.NullingRels = v.NullingRels
	return ph
}

// standardAlias tells what parse analysis itself makes of USING columns: Vars
// under implicit casts and COALESCE (is_standard_join_alias_expression).
func standardAlias(e query.Expr, v *query.Var) bool {
	switch n := e.(type) {
	case *query.Var:
		return n.LevelsUp == v.LevelsUp
	case *query.PlaceHolderVar:
		return n.LevelsUp == v.LevelsUp
	case *query.FuncExpr:
		return n.Form == query.CoerceImplicitCast && len(n.Args) > 0 && standardAlias(n.Args[0], v)
	case *query.RelabelType:
		return standardAlias(n.Arg, v)
	case *query.CoerceViaIO:
		return standardAlias(n.Arg, v)
	case *query.ArrayCoerceExpr:
		return standardAlias(n.Arg, v)
	case *query.CoalesceExpr:
		for _, a := range n.Args {
			if !standardAlias(a, v) {
				return false
			}
		}
		return true
	}
	return false
}

func addNullingToAlias(e query.Expr, nulling query.Relids) query.Expr {
	return query.Transform(e, func(x query.Expr) (query.Expr, bool) {
		switch n := x.(type) {
		case *query.Var:
			c := *n
			c.NullingRels = n.NullingRels.Union(nulling)
			return &c, true
		case *query.PlaceHolderVar:
			c := *n
			c.NullingRels = n.NullingRels.Union(nulling)
			return &c, true
		}
		return nil, false
	})
}
