package infer

import (
	"fmt"
	"strings"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

type pgOID = pgtype.OID

func never(why string) value { return value{notNull: true, why: "not null: " + why} }

func maybe(why string) value { return value{why: "nullable: " + why} }

// value works out what is known of an expression of this level.
func (s *scope) value(e query.Expr) value {
	if s.isGroupExpr(e) {
		return maybe("GROUPING SETS give NULL for what they leave out")
	}
	switch n := e.(type) {
	case *query.Var:
		return s.column(n)
	case *query.Const:
		if n.Null {
			return value{elements: true, why: "nullable: NULL constant"}
		}
		v := never("constant")
		v.elements = !strings.Contains(strings.ToUpper(n.Value), "NULL")
		return v
	case *query.Param:
		return maybe("parameter")
	case *query.RelabelType:
		return s.value(n.Arg)
	case *query.CoerceViaIO:
		return s.value(n.Arg)
	case *query.ArrayCoerceExpr:
		v := s.value(n.Arg)
		v.elements = v.elements && s.castKeeps(n.Elem)
		return v
	case *query.CollateExpr:
		return s.value(n.Arg)
	case *query.CoerceToDomain:
		if t := s.cat.Type(n.Typ); t != nil && t.NotNull {
			return never("domain " + t.Name + " is NOT NULL")
		}
		return s.value(n.Arg)
	case *query.FuncExpr:
		return s.call(n)
	case *query.OpExpr:
		o := s.cat.Operator(n.Op)
		if o == nil {
			return maybe("unknown operator")
		}
		return s.operator(o, n.Args)
	case *query.NullIfExpr:
		return maybe("NULLIF")
	case *query.DistinctExpr, *query.NullTest, *query.BooleanTest:
		return never("the test is true or false for NULL, too")
	case *query.ScalarArrayOpExpr:
		return s.arrayTest(n)
	case *query.BoolExpr:
		return s.all("operand", n.Args)
	case *query.CoalesceExpr:
		elements := true
		for _, a := range n.Args {
			v := s.value(a)
			elements = elements && v.elements
			if v.notNull {
				return value{true, elements, "not null: COALESCE with " + strings.TrimPrefix(v.why, "not null: ")}
			}
		}
		return maybe("every argument of COALESCE can be NULL")
	case *query.MinMaxExpr:
		for _, a := range n.Args {
			if s.value(a).notNull {
				return never("GREATEST and LEAST ignore NULLs, and one argument is not null")
			}
		}
		return maybe("every argument can be NULL")
	case *query.CaseExpr:
		return s.caseValue(n)
	case *query.SubLink:
		return s.subLink(n)
	case *query.Aggref:
		return s.aggregate(n)
	case *query.WindowFunc:
		return s.window(n)
	case *query.GroupingFunc:
		return never("GROUPING")
	case *query.ArrayExpr:
		v := never("array constructor")
		v.elements = true
		for _, e := range n.Elements {
			x := s.value(e)
			v.elements = v.elements && x.notNull && (!n.Multidims || x.elements)
		}
		return v
	case *query.RowExpr:
		return never("row constructor")
	case *query.SQLValueFunction:
		if n.Name == "current_schema" {
			return maybe("search_path may name no schema that exists")
		}
		return never(n.Name)
	case *query.NextValueExpr:
		return never("identity")
	case *query.RowCompareExpr:
		return s.all("operand", append(append([]query.Expr{}, n.Left...), n.Right...))
	case *query.FieldSelect:
		return maybe("field of a composite value")
	case *query.SubscriptingRef:
		return maybe("subscript")
	case *query.NamedArgExpr:
		return s.value(n.Arg)
	}
	return maybe("no rule for this expression")
}

// all is not null if every one of the expressions is.
func (s *scope) all(what string, list []query.Expr) value {
	for _, a := range list {
		if v := s.value(a); !v.notNull {
			return maybe(what + " can be NULL (" + strings.TrimPrefix(v.why, "nullable: ") + ")")
		}
	}
	return never("every " + what + " is not null")
}

func (s *scope) column(v *query.Var) value {
	at := s.up(v.LevelsUp)
	if at == nil {
		return maybe("column of an outer query")
	}
	if v.VarNo < 1 || v.VarNo > len(at.q.RangeTable) {
		return maybe("unknown column")
	}
	rte := at.q.RTE(v.VarNo)
	if len(at.q.GroupingSets) > 0 {
		return maybe("GROUPING SETS give NULL for columns they leave out")
	}
	if why, ok := at.forced[column{v.VarNo, v.AttNo}]; ok && !at.isNewRow(v.VarNo) {
		r := at.base(rte, v)
		return value{true, r.elements, "not null: " + why}
	}
	if j := at.nulledBy(v); j != 0 {
		return maybe(fmt.Sprintf("%s is on the nullable side of %s", rte.ERef.Name, joinName(at.q, j)))
	}
	r := at.base(rte, v)
	if !r.notNull && !at.isNewRow(v.VarNo) {
		for _, p := range at.inJoin[column{v.VarNo, v.AttNo}] {
			if at.matched(p.join) {
				return value{true, r.elements, "not null: " + p.why}
			}
		}
	}
	if r.notNull && !v.NullingRels.IsEmpty() {
		r.why += ", and WHERE rejects the rows that the outer join adds"
	}
	return r
}

func joinName(q *query.Query, index int) string {
	if index <= len(q.RangeTable) {
		switch q.RTE(index).JoinType {
		case query.JoinFull:
			return "a FULL JOIN"
		case query.JoinRight:
			return "a RIGHT JOIN"
		}
	}
	return "a LEFT JOIN"
}

// base is what a range table entry says of its column, outer joins aside.
func (s *scope) base(rte *query.RangeTblEntry, v *query.Var) value {
	switch rte.Kind {
	case query.RTEJoin:
		if v.AttNo > 0 && v.AttNo <= len(rte.JoinAliasVars) {
			return s.value(rte.JoinAliasVars[v.AttNo-1])
		}
	case query.RTERelation:
		return s.tableColumn(rte, v)
	case query.RTESubquery:
		return pick(s.subquery(rte.Subquery, s), v.AttNo)
	case query.RTECTE:
		return pick(s.cte(rte), v.AttNo)
	case query.RTEValues:
		for _, row := range rte.Values {
			if v.AttNo < 1 || v.AttNo > len(row) {
				return maybe("whole row")
			}
			if r := s.value(row[v.AttNo-1]); !r.notNull {
				return maybe("a row of VALUES has a value that can be NULL")
			}
		}
		return never("every row of VALUES has a value")
	case query.RTEFunction:
		return s.functionColumn(rte, v)
	}
	return maybe("unknown source")
}

func pick(list []value, attno int) value {
	if attno < 1 || attno > len(list) {
		return maybe("whole row")
	}
	return list[attno-1]
}

// isGroupExpr tells an expression that a query with GROUPING SETS groups by.
func (s *scope) isGroupExpr(e query.Expr) bool {
	if len(s.q.GroupingSets) == 0 {
		return false
	}
	for _, g := range s.q.GroupClause {
		for _, te := range s.q.TargetList {
			if te.SortGroupRef == g.Ref && query.Equal(plainCast(te.Expr), plainCast(e)) {
				return true
			}
		}
	}
	return false
}

// castKeeps reports whether a cast of an array's elements makes no NULL of a value.
func (s *scope) castKeeps(elem query.Expr) bool {
	good := true
	query.Walk(elem, func(x query.Expr) bool {
		if f, ok := x.(*query.FuncExpr); ok {
			fn := s.cat.Func(f.Func)
			good = good && fn != nil && fn.Strict && fn.OID < pgtype.FirstNormalOID && s.isCast(fn) && !nullOnValues[fn.Source]
		}
		return good
	})
	return good
}

// subquery returns the values of a query's output columns.
func (s *scope) subquery(q *query.Query, outer *scope) []value {
	if have, ok := s.subs[q]; ok {
		return have
	}
	inner := newScope(s.cat, q, outer)
	list := inner.values()
	s.subs[q] = list
	return list
}

func (s *scope) values() []value {
	var list []value
	for _, te := range s.outputs() {
		list = append(list, s.value(te.Expr))
	}
	if s.q.SetOperations != nil {
		list = s.setValues(s.q.SetOperations)
	}
	return list
}

// setValues combines the arms of a set operation.
func (s *scope) setValues(n query.SetOpNode) []value {
	switch n := n.(type) {
	case *query.RangeTblRef:
		return s.subquery(s.q.RTE(n.Index).Subquery, s)
	case *query.SetOperationStmt:
		left := s.setValues(n.Left)
		if n.Op == query.SetOpExcept {
			return left
		}
		right := s.setValues(n.Right)
		out := make([]value, len(left))
		for i := range left {
			l, r := left[i], right[i]
			switch {
			case l.notNull && r.notNull, n.Op == query.SetOpIntersect && (l.notNull || r.notNull):
				out[i] = value{true, l.elements && r.elements, "not null: in every arm of the set operation"}
			case !l.notNull:
				out[i] = maybe("in an arm of the set operation (" + strings.TrimPrefix(l.why, "nullable: ") + ")")
			default:
				out[i] = maybe("in an arm of the set operation (" + strings.TrimPrefix(r.why, "nullable: ") + ")")
			}
		}
		return out
	}
	return nil
}

func (s *scope) setOperation(cols []Column) {
	for i, v := range s.setValues(s.q.SetOperations) {
		if i < len(cols) {
			cols[i] = Column{Nullable: !v.notNull, ElementNullable: !v.elements, Why: v.why}
		}
	}
}

// cte returns the values of a WITH query's columns. A recursive one starts from
// its non-recursive term and is worked out again with what came of it, which
// only takes promises back.
func (s *scope) cte(rte *query.RangeTblEntry) []value {
	at := s.up(rte.CTELevels)
	if at == nil {
		return nil
	}
	for _, c := range at.q.CTEs {
		if c.Name != rte.CTEName {
			continue
		}
		if have, ok := at.ctes[c]; ok {
			return have
		}
		if !c.Recursive {
			at.ctes[c] = newScope(s.cat, c.Query, at).values()
			return at.ctes[c]
		}
		start := make([]value, len(c.ColTypes))
		for i := range start {
			start[i] = never("in every term of the recursion")
		}
		at.ctes[c] = start
		for {
			next := newScope(s.cat, c.Query, at).values()
			same := true
			for i := range next {
				same = same && next[i].notNull == at.ctes[c][i].notNull
			}
			at.ctes[c] = next
			if same {
				return next
			}
		}
	}
	return nil
}

func (s *scope) functionColumn(rte *query.RangeTblEntry, v *query.Var) value {
	at := 0
	for _, f := range rte.Functions {
		if v.AttNo > at && v.AttNo <= at+f.ColCount {
			if len(rte.Functions) > 1 {
				return maybe("a shorter function of ROWS FROM is padded with NULL")
			}
			fe, ok := f.Expr.(*query.FuncExpr)
			if !ok {
				return s.value(f.Expr)
			}
			if fn := s.cat.Func(fe.Func); fn != nil && fn.OID < pgtype.FirstNormalOID && neverNullRows[fn.Source] {
				return never(fn.Name + " gives no NULL")
			}
			return maybe("function in FROM")
		}
		at += f.ColCount
	}
	if rte.Ordinality && v.AttNo == at+1 {
		return never("WITH ORDINALITY")
	}
	return maybe("function in FROM")
}
