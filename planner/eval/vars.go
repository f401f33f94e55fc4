package eval

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// PullVarNos returns the relations that e needs: those of its Vars of this
// query level, and the outer joins that can null them (pull_varnos, var.c). A
// PlaceHolderVar stands for where it is computed; root may be nil, then it
// stands for the Vars inside.
func PullVarNos(root *rel.PlannerInfo, e query.Expr) query.Relids {
	return PullVarNosOfLevel(root, e, 0)
}

// PullVarNosList is [PullVarNos] of a list.
func PullVarNosList(root *rel.PlannerInfo, list []query.Expr) query.Relids {
	var out query.Relids
	for _, e := range list {
		out = out.Union(PullVarNos(root, e))
	}
	return out
}

// PullVarNosOfLevel is [PullVarNos] for the Vars of a level further up
// (pull_varnos_of_level, var.c).
func PullVarNosOfLevel(root *rel.PlannerInfo, e query.Expr, level int) query.Relids {
	var out query.Relids
	query.WalkLevels(e, varNosWalker(root, level, &out))
	return out
}

// PullVarNosQuery is [PullVarNosOfLevel] over a whole query, whose own Vars are
// level 0.
func PullVarNosQuery(root *rel.PlannerInfo, q *query.Query, level int) query.Relids {
	var out query.Relids
	q.WalkLevels(varNosWalker(root, level, &out))
	return out
}

func varNosWalker(root *rel.PlannerInfo, level int, out *query.Relids) func(query.Expr, int) bool {
	return func(x query.Expr, depth int) bool {
		switch n := x.(type) {
		case *query.Var:
			if n.LevelsUp == level+depth {
				*out = out.Add(n.VarNo).Union(n.NullingRels)
			}
		case *query.CurrentOfExpr:
			if level+depth == 0 {
				*out = out.Add(n.VarNo)
			}
		case *query.PlaceHolderVar:
			if n.LevelsUp == level+depth && root != nil {
				*out = out.Union(placeHolderRels(root, n)).Union(n.NullingRels)
				return false
			}
		}
		return true
	}
}

// placeHolderRels is where a PlaceHolderVar is computed. One that was
// translated to a child relation shifts the place accordingly.
func placeHolderRels(root *rel.PlannerInfo, n *query.PlaceHolderVar) query.Relids {
	if n.LevelsUp != 0 {
		return n.Rels
	}
	for _, info := range root.PlaceHolders {
		if info.ID != n.ID {
			continue
		}
		if info.Var.Rels == n.Rels {
			return info.EvalAt
		}
		at := info.EvalAt.Minus(info.Var.Rels.Minus(n.Rels))
		if at != info.EvalAt {
			at = at.Union(n.Rels.Minus(info.Var.Rels))
		}
		return at
	}
	return n.Rels
}

// PullFlags says what [PullVars] does with nodes that hide Vars.
type PullFlags int

// The flags of pull_var_clause (optimizer.h). A node of a kind that has
// neither flag is not expected; it is recursed into.
const (
	IncludeAggregates PullFlags = 1 << iota
	RecurseAggregates
	IncludeWindowFuncs
	RecurseWindowFuncs
	IncludePlaceHolders
	RecursePlaceHolders
)

// PullVars returns the Vars of this query level in e, in the order they are
// found and as often; with the flags also aggregates, window functions and
// PlaceHolderVars whole (pull_var_clause, var.c).
func PullVars(e query.Expr, flags PullFlags) []query.Expr {
	var out []query.Expr
	query.Walk(e, func(x query.Expr) bool {
		include := false
		switch n := x.(type) {
		case *query.Var:
			include = n.LevelsUp == 0
		case *query.Aggref, *query.GroupingFunc:
			include = flags&IncludeAggregates != 0
		case *query.WindowFunc:
			include = flags&IncludeWindowFuncs != 0
		case *query.PlaceHolderVar:
			include = flags&IncludePlaceHolders != 0
		}
		if include {
			out = append(out, x)
		}
		return !include
	})
	return out
}

// PullVarsList is [PullVars] of a list.
func PullVarsList(list []query.Expr, flags PullFlags) []query.Expr {
	var out []query.Expr
	for _, e := range list {
		out = append(out, PullVars(e, flags)...)
	}
	return out
}

// PullVarsOfLevel returns the Vars and PlaceHolderVars of a level further up,
// from sublinks too (pull_vars_of_level, var.c).
func PullVarsOfLevel(e query.Expr, level int) []query.Expr {
	var out []query.Expr
	query.WalkLevels(e, varsWalker(level, &out))
	return out
}

// PullVarsOfLevelQuery is [PullVarsOfLevel] over a query, whose own Vars are
// level 0.
func PullVarsOfLevelQuery(q *query.Query, level int) []query.Expr {
	var out []query.Expr
	q.WalkLevels(varsWalker(level, &out))
	return out
}

func varsWalker(level int, out *[]query.Expr) func(query.Expr, int) bool {
	return func(x query.Expr, depth int) bool {
		switch n := x.(type) {
		case *query.Var:
			if n.LevelsUp == level+depth {
				*out = append(*out, n)
			}
		case *query.PlaceHolderVar:
			if n.LevelsUp == level+depth {
				*out = append(*out, n)
			}
			return false
		}
		return true
	}
}

// ContainVarClause reports whether e has a Var or PlaceHolderVar of this query
// level (contain_var_clause, var.c).
func ContainVarClause(e query.Expr) bool {
	return anyHere(e, func(x query.Expr) bool {
		switch n := x.(type) {
		case *query.Var:
			return n.LevelsUp == 0
		case *query.PlaceHolderVar:
			return n.LevelsUp == 0
		case *query.CurrentOfExpr:
			return true
		}
		return false
	})
}

// ContainVarsOfLevel reports whether e, sublinks included, has a Var of a given
// level (contain_vars_of_level, var.c).
func ContainVarsOfLevel(e query.Expr, level int) bool {
	found := false
	query.WalkLevels(e, levelWalker(level, &found))
	return found
}

// ContainVarsOfLevelQuery is [ContainVarsOfLevel] over a query, whose own Vars
// are level 0.
func ContainVarsOfLevelQuery(q *query.Query, level int) bool {
	found := false
	q.WalkLevels(levelWalker(level, &found))
	return found
}

func levelWalker(level int, found *bool) func(query.Expr, int) bool {
	return func(x query.Expr, depth int) bool {
		switch n := x.(type) {
		case *query.Var:
			*found = *found || n.LevelsUp == level+depth
		case *query.PlaceHolderVar:
			*found = *found || n.LevelsUp == level+depth
		case *query.CurrentOfExpr:
			*found = *found || level+depth == 0
		}
		return !*found
	}
}
