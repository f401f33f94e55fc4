package ddl

import (
	"slices"
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"
)

// value is what an expression of a DO block comes to: nil for NULL, a bool,
// string, int64 or []value, or [unknown].
type value any

// unknown is a value that the catalog does not tell.
type unknown struct{}

// evaluator works out expressions over the catalog and over constants.
type evaluator struct {
	a     *applier
	vars  map[string]value
	outer *evaluator
	scope []boundRow
}

// boundRow is a row that column references can mean.
type boundRow struct {
	alias string
	row   catalogRow
}

// fromItem is one entry of FROM.
type fromItem struct {
	alias string
	rows  []catalogRow
}

// rows works out a query over the system catalogs, at most limit rows (0 for
// all). known is false where it cannot be told which rows there are.
func (e *evaluator) rows(s *pg.SelectStmt, limit int) (out [][]value, known bool) {
	if s.Op != pg.SetOperation_SETOP_NONE || len(s.ValuesLists) > 0 || s.GroupClause != nil || s.HavingClause != nil ||
		s.WithClause != nil || s.LimitOffset != nil {
		return nil, false
	}
	var items []fromItem
	quals := conjuncts(s.WhereClause)
	for _, n := range s.FromClause {
		if !e.from(n, &items, &quals) {
			return nil, false
		}
	}
	counting := len(s.TargetList) == 1 && isCount(s.TargetList[0].GetResTarget().GetVal())
	if counting {
		limit = 0
	}
	in := &evaluator{a: e.a, vars: e.vars, outer: e}
	doubt, count := false, int64(0)
	in.join(items, quals, func(sure bool) bool {
		if !sure {
			doubt = true
			return true
		}
		count++
		var row []value
		for _, t := range s.TargetList {
			if !counting {
				row = append(row, in.expr(t.GetResTarget().GetVal()))
			}
		}
		out = append(out, row)
		return limit == 0 || len(out) < limit
	})
	switch {
	case counting:
		return [][]value{{count}}, !doubt
	case doubt && len(out) == 0:
		return nil, false
	}
	return out, true
}

func isCount(n *pg.Node) bool {
	f := n.GetFuncCall()
	return f != nil && f.AggStar && strs(f.Funcname)[len(f.Funcname)-1] == "count"
}

func conjuncts(n *pg.Node) []*pg.Node {
	if n == nil {
		return nil
	}
	b := n.GetBoolExpr()
	if b == nil || b.Boolop != pg.BoolExprType_AND_EXPR {
		return []*pg.Node{n}
	}
	var out []*pg.Node
	for _, x := range b.Args {
		out = append(out, conjuncts(x)...)
	}
	return out
}

// from adds an entry of FROM; false for one that is not understood.
func (e *evaluator) from(n *pg.Node, items *[]fromItem, quals *[]*pg.Node) bool {
	switch x := n.Node.(type) {
	case *pg.Node_RangeVar:
		r := x.RangeVar
		rows, ok := e.a.catalogRows(r.Schemaname, r.Relname)
		if !ok {
			return false
		}
		alias := r.Relname
		if r.Alias != nil {
			alias = r.Alias.Aliasname
		}
		*items = append(*items, fromItem{alias, rows})
		return true
	case *pg.Node_JoinExpr:
		j := x.JoinExpr
		if j.Jointype != pg.JoinType_JOIN_INNER || j.IsNatural || j.UsingClause != nil {
			return false
		}
		*quals = append(*quals, conjuncts(j.Quals)...)
		return e.from(j.Larg, items, quals) && e.from(j.Rarg, items, quals)
	}
	return false
}

// join calls emit for each combination of rows that the quals let through, with
// sure false where that is in doubt; emit returns false to end it.
func (e *evaluator) join(items []fromItem, quals []*pg.Node, emit func(sure bool) bool) bool {
	var open []*pg.Node
	for _, q := range quals {
		switch e.expr(q) {
		case true:
		case false, nil:
			return true
		default:
			open = append(open, q)
		}
	}
	if len(items) == 0 {
		return emit(len(open) == 0)
	}
	e.scope = append(e.scope, boundRow{alias: items[0].alias})
	n := len(e.scope)
	more := true
	for _, r := range items[0].rows {
		e.scope[n-1].row = r
		if more = e.join(items[1:], open, emit); !more {
			break
		}
	}
	// What was emitted may still look at its rows.
	if more {
		e.scope = e.scope[:n-1]
	}
	return more
}

// expr works out an expression.
func (e *evaluator) expr(n *pg.Node) value {
	switch x := n.GetNode().(type) {
	case *pg.Node_AConst:
		return constant(x.AConst)
	case *pg.Node_ColumnRef:
		return e.column(x.ColumnRef)
	case *pg.Node_BoolExpr:
		return e.boolean(x.BoolExpr)
	case *pg.Node_NullTest:
		v := e.expr(x.NullTest.Arg)
		if (v == unknown{}) {
			return v
		}
		return (v == nil) == (x.NullTest.Nulltesttype == pg.NullTestType_IS_NULL)
	case *pg.Node_BooleanTest:
		return booleanTest(e.expr(x.BooleanTest.Arg), x.BooleanTest.Booltesttype)
	case *pg.Node_SubLink:
		return e.sublink(x.SubLink)
	case *pg.Node_AExpr:
		return e.operator(x.AExpr)
	case *pg.Node_TypeCast:
		return e.cast(x.TypeCast)
	case *pg.Node_FuncCall:
		return e.call(x.FuncCall)
	case *pg.Node_AArrayExpr:
		return list(e, x.AArrayExpr.Elements)
	case *pg.Node_List:
		return list(e, x.List.Items)
	case *pg.Node_SqlvalueFunction:
		if x.SqlvalueFunction.Op == pg.SQLValueFunctionOp_SVFOP_CURRENT_SCHEMA {
			return e.a.currentSchema()
		}
	case *pg.Node_CoalesceExpr:
		for _, arg := range x.CoalesceExpr.Args {
			if v := e.expr(arg); v != nil {
				return v
			}
		}
		return nil
	}
	return unknown{}
}

func list(e *evaluator, nodes []*pg.Node) value {
	out := make([]value, len(nodes))
	for i, n := range nodes {
		out[i] = e.expr(n)
	}
	return out
}

func constant(c *pg.A_Const) value {
	if c.Isnull {
		return nil
	}
	switch v := c.Val.(type) {
	case *pg.A_Const_Sval:
		return v.Sval.Sval
	case *pg.A_Const_Ival:
		return int64(v.Ival.Ival)
	case *pg.A_Const_Boolval:
		return v.Boolval.Boolval
	}
	return unknown{}
}

func (e *evaluator) column(c *pg.ColumnRef) value {
	names := make([]string, 0, len(c.Fields))
	for _, f := range c.Fields {
		if f.GetString_() == nil {
			return unknown{}
		}
		names = append(names, f.GetString_().Sval)
	}
	for x := e; x != nil; x = x.outer {
		for _, b := range x.scope {
			switch {
			case b.row == nil:
			case len(names) == 1:
				if v := b.row(names[0]); (v != unknown{}) {
					return v
				}
			case names[len(names)-2] == b.alias:
				return b.row(names[len(names)-1])
			}
		}
	}
	if len(names) == 1 {
		if v, ok := e.vars[names[0]]; ok {
			return v
		}
	}
	return unknown{}
}

func (e *evaluator) boolean(b *pg.BoolExpr) value {
	if b.Boolop == pg.BoolExprType_NOT_EXPR {
		switch v := e.expr(b.Args[0]).(type) {
		case bool:
			return !v
		case nil:
			return nil
		}
		return unknown{}
	}
	// The value that decides: false for AND, true for OR.
	decides := b.Boolop == pg.BoolExprType_OR_EXPR
	result := value(!decides)
	for _, n := range b.Args {
		switch v := e.expr(n).(type) {
		case bool:
			if v == decides {
				return decides
			}
		case nil:
			if (result != unknown{}) {
				result = nil
			}
		default:
			result = unknown{}
		}
	}
	return result
}

func booleanTest(v value, test pg.BoolTestType) value {
	if (v == unknown{}) {
		return v
	}
	switch test {
	case pg.BoolTestType_IS_TRUE:
		return v == true
	case pg.BoolTestType_IS_NOT_TRUE:
		return v != true
	case pg.BoolTestType_IS_FALSE:
		return v == false
	case pg.BoolTestType_IS_NOT_FALSE:
		return v != false
	case pg.BoolTestType_IS_UNKNOWN:
		return v == nil
	}
	return v != nil
}

func (e *evaluator) sublink(s *pg.SubLink) value {
	sel := s.Subselect.GetSelectStmt()
	if sel == nil {
		return unknown{}
	}
	switch s.SubLinkType {
	case pg.SubLinkType_EXISTS_SUBLINK:
		rows, known := e.rows(sel, 1)
		if !known {
			return unknown{}
		}
		return len(rows) > 0
	case pg.SubLinkType_EXPR_SUBLINK:
		rows, known := e.rows(sel, 2)
		switch {
		case !known || len(rows) > 1 || len(rows) == 1 && len(rows[0]) != 1:
			return unknown{}
		case len(rows) == 0:
			return nil
		}
		return rows[0][0]
	case pg.SubLinkType_ANY_SUBLINK, pg.SubLinkType_ARRAY_SUBLINK:
		rows, known := e.rows(sel, 0)
		if !known {
			return unknown{}
		}
		var list []value
		for _, r := range rows {
			list = append(list, r[0])
		}
		if s.SubLinkType == pg.SubLinkType_ARRAY_SUBLINK {
			return list
		}
		return isIn(e.expr(s.Testexpr), list)
	}
	return unknown{}
}

// isIn is v = ANY (list).
func isIn(v value, list []value) value {
	result := value(false)
	for _, x := range list {
		switch compare("=", v, x) {
		case true:
			return true
		case false:
		case nil:
			if (result != unknown{}) {
				result = nil
			}
		default:
			result = unknown{}
		}
	}
	return result
}

func (e *evaluator) operator(x *pg.A_Expr) value {
	op := strs(x.Name)[len(x.Name)-1]
	if x.Lexpr == nil {
		return unknown{}
	}
	left, right := e.expr(x.Lexpr), e.expr(x.Rexpr)
	switch x.Kind {
	case pg.A_Expr_Kind_AEXPR_OP:
		if op == "||" {
			l, ok1 := textOf(left)
			r, ok2 := textOf(right)
			if ok1 && ok2 {
				return l + r
			}
			return unknown{}
		}
		return compare(op, left, right)
	case pg.A_Expr_Kind_AEXPR_IN, pg.A_Expr_Kind_AEXPR_OP_ANY:
		items, ok := right.([]value)
		if text, isText := right.(string); isText && !ok {
			items, ok = arrayText(text)
		}
		if !ok || x.Kind == pg.A_Expr_Kind_AEXPR_OP_ANY && op != "=" {
			return unknown{}
		}
		v := isIn(left, items)
		if b, ok := v.(bool); ok && op == "<>" {
			return !b
		}
		return v
	case pg.A_Expr_Kind_AEXPR_LIKE, pg.A_Expr_Kind_AEXPR_ILIKE:
		l, ok1 := left.(string)
		r, ok2 := right.(string)
		if !ok1 || !ok2 {
			return unknown{}
		}
		if x.Kind == pg.A_Expr_Kind_AEXPR_ILIKE {
			l, r = strings.ToLower(l), strings.ToLower(r)
		}
		return like(l, r) == !strings.HasPrefix(op, "!")
	case pg.A_Expr_Kind_AEXPR_DISTINCT, pg.A_Expr_Kind_AEXPR_NOT_DISTINCT:
		if (left == unknown{}) || (right == unknown{}) {
			return unknown{}
		}
		same := left == nil && right == nil || compare("=", left, right) == true
		return same == (x.Kind == pg.A_Expr_Kind_AEXPR_NOT_DISTINCT)
	}
	return unknown{}
}

// arrayText reads an array of plain words as its text has them.
func arrayText(s string) ([]value, bool) {
	if len(s) < 2 || s[0] != '{' || s[len(s)-1] != '}' || strings.ContainsAny(s, `"\`) || strings.Count(s, "{") > 1 {
		return nil, false
	}
	var out []value
	if s != "{}" {
		for _, w := range strings.Split(s[1:len(s)-1], ",") {
			out = append(out, strings.TrimSpace(w))
		}
	}
	return out, true
}

// compare applies a comparison to two values of one kind.
func compare(op string, l, r value) value {
	if (l == unknown{}) || (r == unknown{}) {
		return unknown{}
	}
	if l == nil || r == nil {
		return nil
	}
	// A number beside a text is a literal of the number's type.
	if s, ok := l.(string); ok {
		if _, isInt := r.(int64); isInt {
			l = number(s)
		}
	}
	if s, ok := r.(string); ok {
		if _, isInt := l.(int64); isInt {
			r = number(s)
		}
	}
	c := 0
	switch x := l.(type) {
	case string:
		y, ok := r.(string)
		if !ok {
			return unknown{}
		}
		c = strings.Compare(x, y)
		if op != "=" && op != "<>" {
			// The order of texts is the collation's.
			return unknown{}
		}
	case int64:
		y, ok := r.(int64)
		if !ok {
			return unknown{}
		}
		c = int(min(max(x-y, -1), 1))
	case bool:
		y, ok := r.(bool)
		if !ok || op != "=" && op != "<>" {
			return unknown{}
		}
		if x != y {
			c = 1
		}
	default:
		return unknown{}
	}
	switch op {
	case "=":
		return c == 0
	case "<>":
		return c != 0
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	case ">=":
		return c >= 0
	}
	return unknown{}
}

func number(s string) value {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return unknown{}
	}
	return n
}

// like matches % and _.
func like(s, pattern string) bool {
	if pattern == "" {
		return s == ""
	}
	switch pattern[0] {
	case '%':
		for i := 0; i <= len(s); i++ {
			if like(s[i:], pattern[1:]) {
				return true
			}
		}
		return false
	case '_':
		return s != "" && like(s[1:], pattern[1:])
	case '\\':
		if len(pattern) > 1 {
			pattern = pattern[1:]
		}
	}
	return s != "" && s[0] == pattern[0] && like(s[1:], pattern[1:])
}

func textOf(v value) (string, bool) {
	switch x := v.(type) {
	case string:
		return x, true
	case int64:
		return strconv.FormatInt(x, 10), true
	}
	return "", false
}

func (e *evaluator) cast(c *pg.TypeCast) value {
	v := e.expr(c.Arg)
	_, name := split(c.TypeName.GetNames())
	if len(c.TypeName.GetArrayBounds()) > 0 {
		if s, ok := v.(string); ok {
			if l, ok := arrayText(s); ok {
				return l
			}
			return unknown{}
		}
		return v
	}
	switch name {
	case "regclass", "regtype", "regnamespace":
		if s, ok := v.(string); ok {
			if oid := e.a.objectOID(name, s); oid != nil {
				return oid
			}
			return unknown{}
		}
		return v
	case "text", "varchar", "name", "bpchar":
		if _, ok := v.(string); ok || v == nil {
			return v
		}
		return unknown{}
	case "int4", "int8", "int2", "oid":
		switch x := v.(type) {
		case string:
			return number(x)
		case int64:
			return x
		}
		return unknown{}
	case "bool":
		switch x := v.(type) {
		case bool:
			return x
		case string:
			return isTrue(x) || x == "t"
		}
	}
	return unknown{}
}

func (e *evaluator) call(f *pg.FuncCall) value {
	_, name := split(f.Funcname)
	args := make([]value, len(f.Args))
	for i, n := range f.Args {
		args[i] = e.expr(n)
	}
	if (name == "quote_literal" || name == "quote_nullable") && len(args) == 1 {
		if v, ok := textOf(args[0]); ok {
			return quoteLiteral(v)
		}
		return unknownLiteral
	}
	texts := make([]string, len(args))
	known := true
	if name == "format" && len(args) > 0 {
		if pattern, ok := args[0].(string); ok {
			return e.format(pattern, args)
		}
		return unknown{}
	}
	for i, v := range args {
		s, ok := textOf(v)
		texts[i], known = s, known && ok
	}
	switch {
	case name == "current_schema" && len(args) == 0:
		return e.a.currentSchema()
	case !known || len(args) == 0:
		return unknown{}
	case len(args) == 1:
		switch name {
		case "to_regclass", "to_regtype", "to_regnamespace":
			return e.a.objectOID(strings.TrimPrefix(name, "to_"), texts[0])
		case "to_regproc", "to_regprocedure":
			return e.a.procOID(texts[0])
		case "lower":
			return strings.ToLower(texts[0])
		case "upper":
			return strings.ToUpper(texts[0])
		case "quote_ident":
			return e.a.cat.QuoteIdent(texts[0])
		case "current_setting":
			if texts[0] == "server_version_num" {
				return strconv.Itoa(e.a.cat.Major * 10000)
			}
		}
	case name == "concat":
		return strings.Join(texts, "")
	}
	return unknown{}
}

func quoteLiteral(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// unknownLiteral stands for a constant whose value is not known: DDL that has one
// makes the same objects whatever it is.
const unknownLiteral = "NULL"

// format is format() with %I, %L, %s and %%, in order or numbered; of the
// arguments those of %L need not be known.
func (e *evaluator) format(pattern string, args []value) value {
	var b strings.Builder
	next := 1
	for i := 0; i < len(pattern); i++ {
		if pattern[i] != '%' {
			b.WriteByte(pattern[i])
			continue
		}
		i++
		if n := digits(pattern[i:]); n > 0 && i+n < len(pattern) && pattern[i+n] == '$' {
			next, _ = strconv.Atoi(pattern[i : i+n])
			i += n + 1
		}
		if i >= len(pattern) {
			return unknown{}
		}
		if pattern[i] == '%' {
			b.WriteByte('%')
			continue
		}
		if next >= len(args) || next < 1 {
			return unknown{}
		}
		text, known := textOf(args[next])
		switch c := pattern[i]; {
		case c == 'L' && known:
			b.WriteString(quoteLiteral(text))
		case c == 'L':
			b.WriteString(unknownLiteral)
		case c == 'I' && known:
			b.WriteString(e.a.cat.QuoteIdent(text))
		case c == 's' && known:
			b.WriteString(text)
		default:
			return unknown{}
		}
		next++
	}
	return b.String()
}

func digits(s string) int {
	return len(s) - len(strings.TrimLeft(s, "0123456789"))
}

func (a *applier) currentSchema() value {
	i := slices.IndexFunc(a.cat.SearchPath, func(s string) bool { return a.cat.Schema(s) != nil })
	if i < 0 {
		return nil
	}
	return a.cat.SearchPath[i]
}
