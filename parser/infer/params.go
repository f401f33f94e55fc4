package infer

import (
	"fmt"
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
)

// NothingLooksForNull is the reason that [ParamNullable] gives for a parameter that
// is only compared or passed on.
const NothingLooksForNull = "nothing in the query looks for NULL"

// ParamNullable reports whether NULL is a sensible value for parameter $number of
// a query, and why. It is where the text looks at NULL (IS NULL, COALESCE, IS
// DISTINCT FROM, …), or where the value is stored in a column that can be NULL and
// in none that cannot. It is not where the value is only compared or passed to
// strict functions: with NULL the answer would be nothing. Whatever a caller was
// told of the parameter by an annotation goes before this.
func ParamNullable(cat *catalog.Catalog, q *query.Query, number int) (bool, string) {
	u := &paramUse{scope: scope{cat: cat}, number: number}
	u.query(q)
	switch {
	case u.refused != "":
		return false, u.refused
	case u.looked != "":
		return true, u.looked
	case u.stored != "":
		return true, u.stored
	case u.passed != "":
		return false, u.passed
	}
	return false, "not used"
}

// paramUse is what becomes of one parameter. Each field is the first reason of its
// kind, in the order of the text.
type paramUse struct {
	scope
	number int
	// refused: stored where NULL is an error; looked: asked whether it is NULL;
	// stored: in a column that can be NULL; passed: anything else.
	refused, looked, stored, passed string
}

func note(where *string, format string, args ...any) {
	if *where == "" {
		*where = fmt.Sprintf(format, args...)
	}
}

func (u *paramUse) query(q *query.Query) {
	assigned := map[query.Expr]bool{}
	targets := func(list []*query.TargetEntry) {
		t := u.cat.Table(q.RTE(q.ResultRelation).Relation)
		for _, te := range list {
			if !te.Junk {
				assigned[te.Expr] = true
				u.assign(q, t, te.ResNo, te.Expr)
			}
		}
	}
	switch q.Command {
	case query.CmdInsert, query.CmdUpdate:
		targets(q.TargetList)
	case query.CmdMerge:
		for _, a := range q.MergeActions {
			targets(a.TargetList)
		}
	}
	if q.OnConflict != nil {
		targets(q.OnConflict.Set)
		for _, te := range q.OnConflict.ExclTarget {
			assigned[te.Expr] = true
		}
	}
	// What FROM's VALUES and subqueries of an INSERT give is looked at from there.
	for _, rte := range u.insertSources(q) {
		for _, row := range rte.Values {
			for _, e := range row {
				assigned[e] = true
			}
		}
	}
	q.EachExpr(func(e *query.Expr) {
		if !assigned[*e] {
			u.expr(*e)
		}
	})
	q.Subqueries(u.query)
}

// insertSources are the VALUES lists whose columns an INSERT stores.
func (u *paramUse) insertSources(q *query.Query) []*query.RangeTblEntry {
	if q.Command != query.CmdInsert {
		return nil
	}
	var out []*query.RangeTblEntry
	for _, rte := range q.RangeTable {
		if rte.Kind == query.RTEValues {
			out = append(out, rte)
		}
	}
	return out
}

// assign follows a value into column attno of table t.
func (u *paramUse) assign(q *query.Query, t *catalog.Table, attno int, e query.Expr) {
	switch n := stripCasts(e).(type) {
	case *query.Param:
		if n.Number == u.number && n.Kind == query.ParamExtern {
			u.store(t, attno)
		}
	case *query.Var:
		if n.LevelsUp > 0 || n.VarNo < 1 || n.VarNo > len(q.RangeTable) {
			return
		}
		switch rte := q.RTE(n.VarNo); rte.Kind {
		case query.RTEValues:
			for _, row := range rte.Values {
				if n.AttNo >= 1 && n.AttNo <= len(row) {
					u.assign(q, t, attno, row[n.AttNo-1])
				}
			}
		case query.RTESubquery:
			if in := rte.Subquery; in.SetOperations == nil && in.Command == query.CmdSelect {
				for _, te := range in.TargetList {
					if te.ResNo == n.AttNo && !te.Junk {
						u.assignInner(in, t, attno, te.Expr)
					}
				}
			}
		}
	case *query.CaseExpr:
		for _, w := range n.Whens {
			u.expr(w.Cond)
			u.assign(q, t, attno, w.Result)
		}
		if n.Arg != nil {
			u.expr(n.Arg)
		}
		if n.Default != nil {
			u.assign(q, t, attno, n.Default)
		}
	default:
		u.expr(n)
	}
}

// assignInner is assign for the output of a subquery, whose expressions are looked
// at by themselves, too: only the parameter itself counts here.
func (u *paramUse) assignInner(q *query.Query, t *catalog.Table, attno int, e query.Expr) {
	if p, ok := stripCasts(e).(*query.Param); ok && p.Number == u.number && p.Kind == query.ParamExtern {
		u.store(t, attno)
		return
	}
	if v, ok := stripCasts(e).(*query.Var); ok {
		u.assign(q, t, attno, v)
	}
}

func (u *paramUse) store(t *catalog.Table, attno int) {
	if t == nil {
		return
	}
	c := t.Attr(attno)
	if c == nil {
		return
	}
	if t.View != nil && t.Kind == catalog.KindView {
		// A view's column is what is below it; what cannot be followed may be NULL.
		for _, te := range t.View.TargetList {
			v, ok := te.Expr.(*query.Var)
			if ok && te.ResNo == attno && v.LevelsUp == 0 && t.View.RTE(v.VarNo).Kind == query.RTERelation &&
				!slices.ContainsFunc(t.Triggers, func(tr *catalog.Trigger) bool { return tr.Timing == "instead of" }) {
				u.store(u.cat.Table(t.View.RTE(v.VarNo).Relation), v.AttNo)
				return
			}
		}
	}
	if why := u.refuses(t, c); why != "" {
		note(&u.refused, "stored in %s.%s, %s", t.Name, c.Name, why)
		return
	}
	note(&u.stored, "stored in %s.%s, which can be NULL", t.Name, c.Name)
}

// refuses says why a column cannot be given NULL; "" if it can.
func (u *paramUse) refuses(t *catalog.Table, c *catalog.Column) string {
	if c.NotNull {
		return "declared NOT NULL"
	}
	if u.declared(t, c).notNull {
		return "where a CHECK refuses NULL"
	}
	for typ := u.cat.Type(c.Type); typ != nil && typ.Kind == 'd'; typ = u.cat.Type(typ.Base) {
		if typ.NotNull {
			return "of domain " + typ.Name + ", which is NOT NULL"
		}
		for _, k := range typ.Checks {
			if n, ok := k.Expr.(*query.NullTest); ok && n.Not {
				if _, ok := n.Arg.(*query.CoerceToDomainValue); ok {
					return "of domain " + typ.Name + ", whose CHECK refuses NULL"
				}
			}
		}
	}
	return ""
}

// expr looks at what an expression does with the parameter.
func (u *paramUse) expr(e query.Expr) {
	query.Walk(e, func(x query.Expr) bool {
		switch n := x.(type) {
		case *query.NullTest:
			if u.is(n.Arg) {
				u.look(n.Not)
			}
		case *query.CoalesceExpr:
			for i, a := range n.Args {
				if u.nulls(a) && i < len(n.Args)-1 {
					note(&u.looked, "COALESCE has a value for NULL")
				}
			}
		case *query.DistinctExpr:
			if slices.ContainsFunc(n.Args, u.is) {
				note(&u.looked, "IS DISTINCT FROM compares NULL, too")
			}
		case *query.BooleanTest:
			if u.is(n.Arg) {
				note(&u.looked, "IS TRUE and its kin take NULL")
			}
		case *query.FuncExpr:
			if f := u.cat.Func(n.Func); f != nil && (f.Name == "num_nulls" || f.Name == "num_nonnulls") && slices.ContainsFunc(n.Args, u.is) {
				note(&u.looked, "%s counts NULLs", f.Name)
			}
		case *query.Param:
			if n.Number == u.number && n.Kind == query.ParamExtern {
				note(&u.passed, NothingLooksForNull)
			}
		}
		return true
	})
}

func (u *paramUse) look(not bool) {
	if not {
		note(&u.looked, "IS NOT NULL asks for it")
		return
	}
	note(&u.looked, "IS NULL asks for it")
}

// nulls reports whether an expression is NULL where the parameter is: the parameter
// itself or a strict call of it.
func (u *paramUse) nulls(e query.Expr) bool {
	switch n := stripCasts(e).(type) {
	case *query.FuncExpr:
		f := u.cat.Func(n.Func)
		return f != nil && f.Strict && slices.ContainsFunc(n.Args, u.nulls)
	case *query.OpExpr:
		return u.strictOp(n.Op) && slices.ContainsFunc(n.Args, u.nulls)
	}
	return u.is(e)
}

// is reports whether an expression is the parameter, casts aside.
func (u *paramUse) is(e query.Expr) bool {
	p, ok := stripCasts(e).(*query.Param)
	return ok && p.Number == u.number && p.Kind == query.ParamExtern
}

// stripCasts takes all casts off an expression.
func stripCasts(e query.Expr) query.Expr {
	for {
		switch n := e.(type) {
		case *query.RelabelType:
			e = n.Arg
		case *query.CoerceViaIO:
			e = n.Arg
		case *query.ArrayCoerceExpr:
			e = n.Arg
		case *query.CoerceToDomain:
			e = n.Arg
		case *query.CollateExpr:
			e = n.Arg
		case *query.FuncExpr:
			if n.Form != query.CoerceImplicitCast && n.Form != query.CoerceExplicitCast || len(n.Args) == 0 {
				return e
			}
			e = n.Args[0]
		default:
			return e
		}
	}
}
