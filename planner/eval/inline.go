package eval

import (
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/parser/source"
)

// inline replaces a call of a SQL function of pg_catalog by its body
// (inline_function, clauses.c): text || integer, interval + timestamp and their
// kin are such functions. nil leaves the call. A user's function is not
// inlined, which is approximate: whether it may be depends on more than is
// known of it.
func (f *folder) inline(fn *catalog.Func, result query.Header, args []query.Expr) query.Expr {
	if fn.Language != "sql" || fn.RetSet || fn.Kind != 'f' || fn.Result == pgtype.RecordOID || len(args) != len(fn.Args) {
		return nil
	}
	if slices.Contains(f.inlining, fn.OID) {
		return nil
	}
	body := f.body(fn, args)
	if fn.Schema != "pg_catalog" || body == nil {
		f.g.Approximate("the SQL function " + fn.Name + " is not inlined")
		return nil
	}
	e, simple := bodyExpr(body)
	switch {
	case !simple:
		return nil
	case e.ResultType() != result.Typ:
		f.g.Approximate("the SQL function " + fn.Name + " is not inlined")
		return nil
	case fn.Volatile == 'i' && ContainMutable(f.cat, e), fn.Volatile == 's' && ContainVolatile(f.cat, e), fn.Strict && ContainNonStrict(f.cat, e):
		return nil
	}
	uses := make([]int, len(args))
	query.Walk(e, func(x query.Expr) bool {
		if p, ok := x.(*query.Param); ok && p.Kind == query.ParamExtern && p.Number <= len(uses) {
			uses[p.Number-1]++
		}
		return true
	})
	for i, n := range uses {
		if n == 0 && fn.Strict {
			return nil
		}
		if n > 1 && !isLeaf(args[i]) {
			// The server looks at what it costs to evaluate it twice.
			f.g.Approximate("the SQL function " + fn.Name + " is not inlined")
			return nil
		}
	}
	e = query.Transform(e, func(x query.Expr) (query.Expr, bool) {
		if p, ok := x.(*query.Param); ok && p.Kind == query.ParamExtern && p.Number <= len(args) {
			return args[p.Number-1], true
		}
		return nil, false
	})
	if coll := e.ResultCollation(); result.Coll != 0 && coll != 0 && coll != result.Coll {
		e = &query.CollateExpr{Header: query.Header{Typ: e.ResultType(), Mod: e.ResultTypmod(), Coll: result.Coll}, Arg: e}
	}
	f.inlining = append(f.inlining, fn.OID)
	defer func() { f.inlining = f.inlining[:len(f.inlining)-1] }()
	return f.fold(e)
}

// isLeaf reports whether an argument costs nothing to evaluate again.
func isLeaf(e query.Expr) bool {
	switch StripRelabel(e).(type) {
	case *query.Var, *query.Const, *query.Param:
		return true
	}
	return false
}

// body analyses a function's body with the types of the call's arguments; nil
// where it is not understood.
func (f *folder) body(fn *catalog.Func, args []query.Expr) *query.Query {
	src := strings.TrimSpace(fn.Source)
	if expr, ok := strings.CutPrefix(src, "RETURN "); ok {
		src = "SELECT " + expr
	}
	if strings.HasPrefix(src, "BEGIN ATOMIC") {
		// Such a body reads tables, which rules inlining out.
		return &query.Query{Command: query.CmdSelect, RangeTable: []*query.RangeTblEntry{{}}}
	}
	stmts, diags := parser.ParseFiles([]*source.File{source.NewFile(fn.Name, "-- name: Body :one\n"+src+";\n")}, parser.Queries)
	if diags.HasErrors() || len(stmts) != 1 {
		return nil
	}
	types := make([]pgtype.OID, len(args))
	for i, a := range args {
		types[i] = a.ResultType()
	}
	a, err := analyze.Analyze(f.cat, analyze.Input{
		Text: stmts[0].Text, Node: stmts[0].Tree.GetStmt(), Fixed: true, Params: types, ParamNames: fn.Names, FuncName: fn.Name,
	})
	if err != nil {
		return nil
	}
	return a.Query
}

// bodyExpr returns the expression of a body that is SELECT expression and
// nothing else.
func bodyExpr(q *query.Query) (query.Expr, bool) {
	if q.Command != query.CmdSelect || q.HasAggs || q.HasWindowFuncs || q.HasTargetSRFs || q.HasSubLinks || len(q.CTEs) > 0 ||
		len(q.RangeTable) > 0 || len(q.GroupClause) > 0 || len(q.GroupingSets) > 0 || q.Having != nil || len(q.Distinct) > 0 ||
		len(q.SortClause) > 0 || q.LimitCount != nil || q.LimitOffset != nil || q.SetOperations != nil || len(q.TargetList) != 1 ||
		q.JoinTree != nil && (len(q.JoinTree.List) > 0 || q.JoinTree.Quals != nil) {
		return nil, false
	}
	return q.TargetList[0].Expr, true
}
