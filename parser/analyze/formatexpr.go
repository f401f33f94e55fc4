package analyze

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

func (p *treePrinter) list(list []query.Expr) string {
	var out []string
	for _, e := range list {
		out = append(out, p.expr(e))
	}
	return strings.Join(out, ", ")
}

func (p *treePrinter) fn(oid pgtype.OID) string {
	if f := p.cat.Func(oid); f != nil {
		return f.Name
	}
	return strconv.Itoa(int(oid))
}

func (p *treePrinter) cast(kind string, arg, e query.Expr, form query.CoercionForm) string {
	if form == query.CoerceImplicitCast {
		return fmt.Sprintf("~%s%s(%s)", kind, p.cat.TypeName(e.ResultType(), e.ResultTypmod()), p.expr(arg))
	}
	return fmt.Sprintf("%s%s::%s", kind, p.expr(arg), p.cat.TypeName(e.ResultType(), e.ResultTypmod()))
}

// expr prints an expression on one line.
func (p *treePrinter) expr(e query.Expr) string {
	switch x := e.(type) {
	case nil:
		return "-"
	case *query.Var:
		s := fmt.Sprintf("%d.%d", x.VarNo, x.AttNo)
		if x.LevelsUp > 0 {
			s = fmt.Sprintf("^%d:%s", x.LevelsUp, s)
		}
		if !x.NullingRels.IsEmpty() {
			s += "/" + strings.Trim(x.NullingRels.String(), "(b )")
		}
		return s
	case *query.Const:
		if x.Null {
			return "null:" + p.shortType(x.Typ)
		}
		return fmt.Sprintf("'%s':%s", x.Value, p.shortType(x.Typ))
	case *query.Param:
		return fmt.Sprintf("%s%d:%s", [...]string{"$", "$exec", "$sub", "$multi"}[x.Kind], x.Number, p.shortType(x.Typ))
	case *query.OpExpr:
		return p.operator("", x)
	case *query.DistinctExpr:
		return p.operator("distinct ", &x.OpExpr)
	case *query.NullIfExpr:
		return p.operator("nullif ", &x.OpExpr)
	case *query.ScalarArrayOpExpr:
		word := "all"
		if x.UseOr {
			word = "any"
		}
		return fmt.Sprintf("(%s [%s] %s %s)", p.expr(x.Args[0]), p.op(x.Op), word, p.expr(x.Args[1]))
	case *query.BoolExpr:
		return fmt.Sprintf("%s(%s)", [...]string{"and", "or", "not"}[x.Op], p.list(x.Args))
	case *query.FuncExpr:
		if x.Form == query.CoerceImplicitCast || x.Form == query.CoerceExplicitCast {
			return p.cast(p.fn(x.Func)+":", x.Args[0], x, x.Form)
		}
		variadic := ""
		if x.Variadic {
			variadic = "variadic "
		}
		return fmt.Sprintf("%s(%s%s)", p.fn(x.Func), variadic, p.list(x.Args))
	case *query.RelabelType:
		return p.cast("", x.Arg, x, x.Form)
	case *query.CoerceViaIO:
		return p.cast("io:", x.Arg, x, x.Form)
	case *query.ArrayCoerceExpr:
		return p.cast("each:", x.Arg, x, x.Form)
	case *query.CoerceToDomain:
		return p.cast("domain:", x.Arg, x, x.Form)
	case *query.ConvertRowtypeExpr:
		return p.cast("row:", x.Arg, x, x.Form)
	}
	return p.otherExpr(e)
}

func (p *treePrinter) operator(prefix string, x *query.OpExpr) string {
	if len(x.Args) == 1 {
		return fmt.Sprintf("%s([%s] %s)", prefix, p.op(x.Op), p.expr(x.Args[0]))
	}
	return fmt.Sprintf("%s(%s [%s] %s)", prefix, p.expr(x.Args[0]), p.op(x.Op), p.expr(x.Args[1]))
}

func (p *treePrinter) aggregate(x *query.Aggref) string {
	var args []string
	for _, t := range x.Args {
		s := p.expr(t.Expr)
		if t.Junk {
			s = "junk " + s
		}
		args = append(args, s)
	}
	s := fmt.Sprintf("agg %s(%s", p.fn(x.Func), strings.Join(args, ", "))
	if x.Star {
		s += "*"
	}
	if len(x.DirectArgs) > 0 {
		s += "; direct " + p.list(x.DirectArgs)
	}
	for _, c := range x.Order {
		s += "; order " + p.op(c.SortOp)
	}
	for _, c := range x.Distinct {
		s += "; distinct " + p.op(c.EqOp)
	}
	if x.Filter != nil {
		s += "; filter " + p.expr(x.Filter)
	}
	if x.LevelsUp > 0 {
		s += fmt.Sprintf("; up %d", x.LevelsUp)
	}
	return s + ")"
}

func (p *treePrinter) otherExpr(e query.Expr) string {
	switch x := e.(type) {
	case *query.Aggref:
		return p.aggregate(x)
	case *query.WindowFunc:
		s := fmt.Sprintf("window %s(%s) over %d", p.fn(x.Func), p.list(x.Args), x.WinRef)
		if x.Filter != nil {
			s += " filter " + p.expr(x.Filter)
		}
		return s
	case *query.SubLink:
		sub := &treePrinter{cat: p.cat, indent: p.indent + 2}
		sub.query(x.Subselect)
		kind := [...]string{"exists", "all", "any", "rowcompare", "expr", "multi", "array"}[x.Kind]
		test := ""
		if x.Test != nil {
			test = " " + p.expr(x.Test)
		}
		return fmt.Sprintf("sublink %s%s {\n%s%s}", kind, test, sub.b.String(), strings.Repeat("  ", p.indent+1))
	case *query.CaseExpr:
		s := "case"
		if x.Arg != nil {
			s += " " + p.expr(x.Arg)
		}
		for _, w := range x.Whens {
			s += fmt.Sprintf(" when %s then %s", p.expr(w.Cond), p.expr(w.Result))
		}
		return s + " else " + p.expr(x.Default) + " end"
	case *query.SubscriptingRef:
		s := fmt.Sprintf("subscript(%s; %s; %s", p.expr(x.Container), p.list(x.Lower), p.list(x.Upper))
		if x.Assign != nil {
			s += " := " + p.expr(x.Assign)
		}
		return s + ")"
	case *query.NullTest:
		return fmt.Sprintf("isnull(%s not=%t row=%t)", p.expr(x.Arg), x.Not, x.ArgIsRow)
	case *query.BooleanTest:
		return fmt.Sprintf("booltest%d(%s)", x.Kind, p.expr(x.Arg))
	case *query.RowCompareExpr:
		return fmt.Sprintf("rowcompare%d((%s), (%s))", x.Kind, p.list(x.Left), p.list(x.Right))
	case *query.FieldSelect:
		return fmt.Sprintf("%s.#%d", p.expr(x.Arg), x.Field)
	case *query.FieldStore:
		return fmt.Sprintf("fieldstore(%s; %v; %s)", p.expr(x.Arg), x.Fields, p.list(x.New))
	case *query.NamedArgExpr:
		return fmt.Sprintf("%s#%d => %s", x.Name, x.Number, p.expr(x.Arg))
	case *query.CollateExpr:
		return fmt.Sprintf("collate(%s, %s)", p.expr(x.Arg), (&analyzer{cat: p.cat}).collationName(x.Coll))
	case *query.SQLValueFunction:
		return x.Name
	case *query.GroupingFunc:
		return fmt.Sprintf("grouping(%s; %v)", p.list(x.Args), x.Refs)
	case *query.MinMaxExpr:
		if x.Least {
			return "least(" + p.list(x.Args) + ")"
		}
		return "greatest(" + p.list(x.Args) + ")"
	}
	name := strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", e), "*query."))
	return strings.TrimSuffix(name, "expr") + "(" + p.list(query.Children(e)) + ")"
}
