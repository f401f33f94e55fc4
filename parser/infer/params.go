package infer

import (
	"fmt"
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// NothingLooksForNull is the reason that [Params] gives for a parameter that
// is only compared or passed on.
const NothingLooksForNull = "nothing in the query looks for NULL"

// Param is what is known of a parameter.
type Param struct {
	// Nullable is true where NULL is a sensible value.
	Nullable bool
	Why      string
}

// Params returns what is known of the parameters that a query uses, by number. NULL
// is a sensible value where the text looks at it (IS NULL, COALESCE, IS DISTINCT
// FROM, …), or where the value is stored in a column that can be NULL and in none
// that cannot. It is not where the value is only compared or passed to strict
// functions: with NULL the answer would be nothing. Whatever a caller was told of a
// parameter by an annotation goes before this.
func Params(cat *catalog.Catalog, q *query.Query) map[int]Param {
	u := &paramUses{scope: scope{cat: cat}, uses: map[int]*paramUse{}}
	u.query(q)
	out := make(map[int]Param, len(u.uses))
	for n, p := range u.uses {
		switch {
		case p.refused != "":
			out[n] = Param{Why: p.refused}
		case p.looked != "":
			out[n] = Param{Nullable: true, Why: p.looked}
		case p.stored != "":
			out[n] = Param{Nullable: true, Why: p.stored}
		default:
			out[n] = Param{Why: p.passed}
		}
	}
	return out
}

// paramUses is what becomes of the parameters, by number.
type paramUses struct {
	scope
	uses map[int]*paramUse
}

// paramUse is what becomes of one parameter. Each field is the first reason of its
// kind, in the order of the text.
type paramUse struct {
	// refused: stored where NULL is an error; looked: asked whether it is NULL;
	// stored: in a column that can be NULL; passed: anything else.
	refused, looked, stored, passed string
}

// at returns the use of the parameter that an expression is, casts aside; nil for
// any other expression.
func (u *paramUses) at(e query.Expr) *paramUse {
	n, ok := stripCasts(e).(*query.Param)
	if !ok || n.Kind != query.ParamExtern {
		return nil
	}
	p := u.uses[n.Number]
	if p == nil {
		p = &paramUse{}
		u.uses[n.Number] = p
	}
	return p
}

func note(where *string, format string, args ...any) {
	if *where == "" {
		*where = fmt.Sprintf(format, args...)
	}
}

func (u *paramUses) query(q *query.Query) {
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
func (u *paramUses) insertSources(q *query.Query) []*query.RangeTblEntry {
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
func (u *paramUses) assign(q *query.Query, t *catalog.Table, attno int, e query.Expr) {
	switch n := stripCasts(e).(type) {
	case *query.Param:
		if p := u.at(n); p != nil {
			u.store(p, t, attno)
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
func (u *paramUses) assignInner(q *query.Query, t *catalog.Table, attno int, e query.Expr) {
	if p := u.at(e); p != nil {
		u.store(p, t, attno)
		return
	}
	if v, ok := stripCasts(e).(*query.Var); ok {
		u.assign(q, t, attno, v)
	}
}

func (u *paramUses) store(p *paramUse, t *catalog.Table, attno int) {
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
				u.store(p, u.cat.Table(t.View.RTE(v.VarNo).Relation), v.AttNo)
				return
			}
		}
	}
	if why := u.refuses(t, c); why != "" {
		note(&p.refused, "stored in %s.%s, %s", t.Name, c.Name, why)
		return
	}
	note(&p.stored, "stored in %s.%s, which can be NULL", t.Name, c.Name)
}

// refuses says why a column cannot be given NULL; "" if it can.
func (u *paramUses) refuses(t *catalog.Table, c *catalog.Column) string {
	if c.NotNull {
		return "declared NOT NULL"
	}
	if why := domainRefusesNull(u.cat, c.Type); why != "" {
		return why
	}
	if u.declared(t, c).notNull {
		return "where a CHECK refuses NULL"
	}
	return ""
}

// domainRefusesNull says that a type is a domain, or one over it, which takes no
// NULL; "" for any other type.
func domainRefusesNull(cat *catalog.Catalog, oid pgtype.OID) string {
	for typ := cat.Type(oid); typ != nil && typ.Kind == 'd'; typ = cat.Type(typ.Base) {
		if typ.NotNull {
			return "of domain " + typ.Name + ", which is NOT NULL"
		}
		for _, k := range typ.Checks {
			if n, ok := k.Expr.(*query.NullTest); ok && n.Not {
				if _, ok := n.Arg.(*query.CoerceToDomainValue); ok && k.Validated {
					return "of domain " + typ.Name + ", whose CHECK refuses NULL"
				}
			}
		}
	}
	return ""
}

// expr looks at what an expression does with parameters.
func (u *paramUses) expr(e query.Expr) {
	looked := func(e query.Expr, format string, args ...any) {
		if p := u.at(e); p != nil {
			note(&p.looked, format, args...)
		}
	}
	query.Walk(e, func(x query.Expr) bool {
		switch n := x.(type) {
		case *query.NullTest:
			if n.Not {
				looked(n.Arg, "IS NOT NULL asks for it")
			} else {
				looked(n.Arg, "IS NULL asks for it")
			}
		case *query.CoalesceExpr:
			for _, a := range n.Args[:len(n.Args)-1] {
				u.nulls(a, func(p *paramUse) { note(&p.looked, "COALESCE has a value for NULL") })
			}
		case *query.DistinctExpr:
			for _, a := range n.Args {
				looked(a, "IS DISTINCT FROM compares NULL, too")
			}
		case *query.BooleanTest:
			looked(n.Arg, "IS TRUE and its kin take NULL")
		case *query.FuncExpr:
			if f := u.cat.Func(n.Func); f != nil && (f.Name == "num_nulls" || f.Name == "num_nonnulls") {
				for _, a := range n.Args {
					looked(a, "%s counts NULLs", f.Name)
				}
			}
		case *query.Param:
			if p := u.at(n); p != nil {
				note(&p.passed, NothingLooksForNull)
			}
		}
		return true
	})
}

// nulls yields the parameters that an expression is NULL with: itself or an argument
// of a strict call.
func (u *paramUses) nulls(e query.Expr, yield func(*paramUse)) {
	var args []query.Expr
	switch n := stripCasts(e).(type) {
	case *query.FuncExpr:
		if f := u.cat.Func(n.Func); f != nil && f.Strict {
			args = n.Args
		}
	case *query.OpExpr:
		if u.strictOp(n.Op) {
			args = n.Args
		}
	case *query.Param:
		if p := u.at(n); p != nil {
			yield(p)
		}
	}
	for _, a := range args {
		u.nulls(a, yield)
	}
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
