package infer

import (
	"strings"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

type pgOID = pgtype.OID

// value is what is known of an expression's value, in every row in which it is
// asked for: an element of a lattice whose top knows nothing. Fewer promises are
// always right.
type value struct {
	// notNull: it was proved never to be NULL; null: it always is.
	notNull, null bool
	// elements: no element of an array is NULL, at whatever depth. True for what is
	// no array, or has no element.
	elements bool
	// elem is what is known of an array's elements that are not NULL, nil for
	// nothing.
	elem *value
	// fields is what is known of a row's fields where the row is not NULL, nil for
	// nothing.
	fields []value
	// json is what is known of a JSON document that is not NULL, nil for nothing.
	json *document
	// why is the proof, or what stood in its way.
	why string
}

const (
	proofPrefix = "not null: "
	doubtPrefix = "nullable: "
)

// never is a value that is not null, with the reason.
func never(why string) value { return value{notNull: true, why: proofPrefix + why} }

// maybe is a value that may be NULL, with the reason.
func maybe(why string) value { return value{why: doubtPrefix + why} }

// reason is why without its prefix, to be quoted in another.
func (v value) reason() string {
	return strings.TrimPrefix(strings.TrimPrefix(v.why, proofPrefix), doubtPrefix)
}

// because gives a value another reason.
func (v value) because(why string) value {
	if v.notNull {
		v.why = proofPrefix + why
	} else {
		v.why = doubtPrefix + why
	}
	return v
}

// meet is what is known of a value that is one of two. The reason is that of the
// one that may be NULL.
func meet(a, b value) value {
	v := a
	if a.notNull && !b.notNull {
		v.why = b.why
	}
	v.notNull, v.null = a.notNull && b.notNull, a.null && b.null
	// A NULL has no elements and no fields that could say otherwise.
	switch {
	case a.null:
		v.elements, v.elem, v.fields, v.json = b.elements, b.elem, b.fields, b.json
	case b.null:
	default:
		v.elements = a.elements && b.elements
		v.elem, v.fields, v.json = meetElem(a.elem, b.elem), meetFields(a.fields, b.fields), meetJSON(a.json, b.json)
	}
	return v
}

func meetElem(a, b *value) *value {
	if a == nil || b == nil {
		return nil
	}
	v := meet(*a, *b)
	return &v
}

func meetFields(a, b []value) []value {
	if a == nil || len(a) != len(b) {
		return nil
	}
	out := make([]value, len(a))
	for i := range a {
		out[i] = meet(a[i], b[i])
	}
	return out
}

// memoKey is an expression under what was assumed when it was looked at.
type memoKey struct {
	expr  query.Expr
	state int
}

// value works out what is known of an expression of this level. Those that others are
// made of are kept: a rule may ask for its operands more than once.
func (s *scope) value(e query.Expr) value {
	switch e.(type) {
	case nil:
		return maybe("no value")
	case *query.Var, *query.Const, *query.Param:
		return s.fresh(e)
	}
	k := memoKey{e, s.state}
	if v, ok := s.memo[k]; ok {
		return v
	}
	v := s.fresh(e)
	if s.memo == nil {
		s.memo = map[memoKey]value{}
	}
	s.memo[k] = v
	return v
}

// enter begins a state in which more is known, or less, and returns what ends it.
func (s *scope) enter() (leave func()) {
	assume, truths, inAgg, through, old, cols, state := s.assume, s.truths, s.inAgg, s.through, s.oldRow, s.sublinkCols, s.state
	s.changed()
	return func() {
		s.assume, s.truths, s.inAgg, s.through, s.oldRow, s.sublinkCols, s.state = assume, truths, inAgg, through, old, cols, state
	}
}

// changed marks that what is kept holds no longer.
func (s *scope) changed() {
	e := s.shared()
	e.states++
	s.state = e.states
}

func (s *scope) fresh(e query.Expr) value {
	if s.groupedAway(e) {
		// Not even what HAVING says of it holds: it may be folded there to a constant.
		return maybe("GROUPING SETS give NULL for what they leave out")
	}
	v := s.expr(e)
	if !v.notNull && !v.null {
		if why := s.known(e); why != "" {
			v.notNull, v.why = true, proofPrefix+why
		}
	}
	return v
}

// expr is value without what conditions prove.
func (s *scope) expr(e query.Expr) value {
	switch n := e.(type) {
	case *query.Var:
		return s.column(n)
	case *query.Const:
		return constant(s.cat, n)
	case *query.Param:
		return s.param(n)
	case *query.RelabelType:
		return s.value(n.Arg)
	case *query.CoerceViaIO:
		v := s.value(n.Arg)
		v.elements, v.elem, v.fields = false, nil, nil
		if !isJSON(n.Arg.ResultType()) || !isJSON(n.Typ) {
			v.json = nil
		}
		return v
	case *query.ArrayCoerceExpr:
		v := s.value(n.Arg)
		v.elements, v.elem = v.elements && s.castKeeps(n.Elem), nil
		return v
	case *query.ConvertRowtypeExpr:
		v := s.value(n.Arg)
		v.fields = nil
		return v
	case *query.CollateExpr:
		return s.value(n.Arg)
	case *query.NamedArgExpr:
		return s.value(n.Arg)
	case *query.CoerceToDomain:
		v := s.value(n.Arg)
		if t := s.cat.Type(n.Typ); t != nil && t.NotNull && !v.notNull {
			v.notNull, v.null, v.why = true, false, proofPrefix+"a cast to domain "+t.Name+", which is NOT NULL, lets no NULL pass"
		}
		return v
	case *query.FuncExpr:
		return s.call(n)
	case *query.OpExpr:
		return s.operator(n.Op, n.Args)
	case *query.NullIfExpr:
		return s.nullIf(n)
	case *query.DistinctExpr, *query.NullTest, *query.BooleanTest:
		return never("the test is true or false for NULL, too")
	case *query.ScalarArrayOpExpr:
		return s.arrayTest(n)
	case *query.BoolExpr:
		return s.logic(n)
	case *query.CoalesceExpr:
		return s.coalesce(n)
	case *query.MinMaxExpr:
		return s.minMax(n)
	case *query.CaseExpr:
		return s.caseValue(n)
	case *query.SubLink:
		return s.subLink(n)
	case *query.Aggref:
		return s.aggregate(n)
	case *query.WindowFunc:
		return s.window(n)
	case *query.GroupingFunc:
		return never("GROUPING is a number")
	case *query.ArrayExpr:
		return s.arrayValue(n)
	case *query.RowExpr:
		v := never("a row constructor is never NULL itself")
		v.fields = make([]value, len(n.Args))
		for i, a := range n.Args {
			v.fields[i] = s.value(a)
		}
		return v
	case *query.SQLValueFunction:
		if n.Name == "current_schema" {
			return maybe("search_path may name no schema that exists")
		}
		return never(n.Name + " is never NULL")
	case *query.NextValueExpr:
		return never("an identity column has a value for every row")
	case *query.RowCompareExpr:
		return s.rowCompare(n)
	case *query.FieldSelect:
		return s.field(n)
	case *query.SubscriptingRef:
		return s.subscript(n)
	case *query.JSONExpr:
		return s.jsonExpr(n)
	case *query.XMLExpr:
		return s.xmlExpr(n)
	}
	return maybe("no rule for this expression")
}

// all is not null if every one of the expressions is.
func (s *scope) all(what string, list []query.Expr) value {
	for _, a := range list {
		if v := s.value(a); !v.notNull {
			return value{null: v.null, why: doubtPrefix + what + " can be NULL (" + v.reason() + ")"}
		}
	}
	return never("every " + what + " is not null")
}

// logic is AND, OR and NOT, which are NULL only where an operand is and the others
// do not decide.
func (s *scope) logic(n *query.BoolExpr) value {
	if v := s.all("operand", n.Args); v.notNull {
		return v
	}
	if s.outcome(n)&outNull == 0 {
		return never("the operands that can be NULL do not decide")
	}
	return s.all("operand", n.Args).asNull(false)
}

// asNull sets whether the value is always NULL.
func (v value) asNull(null bool) value {
	v.null = null
	return v
}

// coalesce is not null if one argument is.
func (s *scope) coalesce(n *query.CoalesceExpr) value {
	out := value{null: true, elements: true}
	for _, a := range n.Args {
		v := s.value(a)
		if out.null {
			out = v
		} else {
			out = meet(out, v)
		}
		if v.notNull {
			out.notNull = true
			return out.because("an argument of COALESCE is not null (" + v.reason() + ")")
		}
	}
	return out.because("every argument of COALESCE can be NULL")
}

// minMax is GREATEST or LEAST, which pass over NULLs.
func (s *scope) minMax(n *query.MinMaxExpr) value {
	var out value
	some := false
	for i, a := range n.Args {
		v := s.value(a)
		some = some || v.notNull
		if i == 0 {
			out = v
		} else {
			out = meet(out, v)
		}
	}
	if out.notNull = some; some {
		return out.because("GREATEST and LEAST ignore NULLs, and one argument is not null")
	}
	return out.because("every argument can be NULL")
}

// nullIf gives its first argument but where the two are equal.
func (s *scope) nullIf(n *query.NullIfExpr) value {
	v := s.value(n.Args[0])
	equal := query.OpExpr{Header: n.Header, Op: n.Op, Func: n.Func, InputColl: n.InputColl, Args: n.Args}
	equal.Typ = pgtype.BoolOID
	switch {
	case !v.notNull:
		return v.because("NULLIF of " + v.reason())
	case s.value(n.Args[1]).null:
		return v.because("NULLIF with NULL changes nothing: " + v.reason())
	case s.outcome(&equal)&outTrue == 0:
		return v.because("the arguments of NULLIF are never equal here, and the first is not null")
	}
	v.notNull = false
	return v.because("NULLIF gives NULL for equal arguments")
}

// rowCompare looks at the pairs from the left until one differs, so that all must be
// not null.
func (s *scope) rowCompare(n *query.RowCompareExpr) value {
	for i, op := range n.Ops {
		if v := s.operator(op, []query.Expr{n.Left[i], n.Right[i]}); !v.notNull {
			return v.asNull(false)
		}
	}
	return never("every operand is not null")
}

// xmlExpr is one of the XML constructors; what is not NULL for NULL arguments is
// told by its kind (ExecEvalXmlExpr, execExprInterp.c).
func (s *scope) xmlExpr(n *query.XMLExpr) value {
	switch strings.TrimPrefix(strings.ToUpper(n.Op), "XML") {
	case "ELEMENT":
		return never("XMLELEMENT is never NULL")
	case "CONCAT", "FOREST":
		for _, a := range append(append([]query.Expr{}, n.Args...), n.NamedArgs...) {
			if s.value(a).notNull {
				return never("one of the values is not null")
			}
		}
		return maybe("every value can be NULL")
	}
	return maybe("an XML expression can be NULL")
}

// param is $n: of the statement, or an argument of the SQL function whose body this
// is, or a column of a subquery that an operator is applied to.
func (s *scope) param(n *query.Param) value {
	switch n.Kind {
	case query.ParamSublink:
		if n.Number >= 1 && n.Number <= len(s.sublinkCols) {
			return s.sublinkCols[n.Number-1]
		}
	case query.ParamExtern:
		root := s
		for root.outer != nil {
			root = root.outer
		}
		if root.args != nil {
			if n.Number >= 1 && n.Number <= len(root.args) {
				return root.args[n.Number-1]
			}
			return maybe("an argument of a function can be NULL")
		}
		if why := s.shared().opts.Params[n.Number]; why != "" {
			return never(why)
		}
	}
	return maybe("a parameter can be NULL")
}
