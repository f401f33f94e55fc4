package analyze

import (
	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/parser/source"
)

// span is the place that begins at loc and ends with the word, number, quoted
// text, dotted name or symbol there.
func (a *analyzer) span(loc int) source.Span {
	if loc < 0 || loc > len(a.text) {
		return source.Span{}
	}
	end := loc
	for end < len(a.text) {
		end = tokenEnd(a.text, end)
		if end+1 < len(a.text) && a.text[end] == '.' && isWordByte(a.text[end+1]) || end+1 < len(a.text) && a.text[end] == '.' && a.text[end+1] == '"' {
			end++
			continue
		}
		break
	}
	return source.Span{Start: loc, End: max(end, loc+1)}
}

func isWordByte(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func tokenEnd(text string, at int) int {
	l := source.NewLexer(text, at)
	p, ok := l.Next()
	if !ok {
		return at + 1
	}
	end := p.Span.End
	if p.Kind == source.Symbol {
		for end < len(text) && isOperatorByte(text[end-1]) && isOperatorByte(text[end]) {
			end++
		}
	}
	return max(end, at+1)
}

func isOperatorByte(c byte) bool {
	switch c {
	case '+', '-', '*', '/', '<', '>', '=', '~', '!', '@', '#', '%', '^', '&', '|', '`', '?':
		return true
	}
	return false
}

func locOf(s source.Span) int {
	if s.IsZero() {
		return noLoc
	}
	return s.Start
}

// leftmost is the smaller of two locations, a missing one not counted
// (leftmostLoc, nodeFuncs.c).
func leftmost(a, b int) int {
	switch {
	case a < 0:
		return b
	case b < 0:
		return a
	}
	return min(a, b)
}

func listLoc(list []query.Expr) int {
	for _, e := range list {
		if l := exprLoc(e); l >= 0 {
			return l
		}
	}
	return noLoc
}

// exprLoc is where an analysed expression begins (exprLocation, nodeFuncs.c).
func exprLoc(e query.Expr) int {
	if e == nil {
		return noLoc
	}
	own := locOf(e.Span())
	switch e := e.(type) {
	case *query.SubscriptingRef:
		return exprLoc(e.Container)
	case *query.FuncExpr:
		return leftmost(own, listLoc(e.Args))
	case *query.NamedArgExpr:
		return leftmost(own, exprLoc(e.Arg))
	case *query.OpExpr:
		return leftmost(own, listLoc(e.Args))
	case *query.DistinctExpr:
		return leftmost(own, listLoc(e.Args))
	case *query.NullIfExpr:
		return leftmost(own, listLoc(e.Args))
	case *query.ScalarArrayOpExpr:
		return leftmost(own, listLoc(e.Args[:]))
	case *query.BoolExpr:
		return leftmost(own, listLoc(e.Args))
	case *query.SubLink:
		return leftmost(exprLoc(e.Test), own)
	case *query.FieldSelect:
		return exprLoc(e.Arg)
	case *query.FieldStore:
		return exprLoc(e.Arg)
	case *query.RelabelType:
		return leftmost(own, exprLoc(e.Arg))
	case *query.CoerceViaIO:
		return leftmost(own, exprLoc(e.Arg))
	case *query.ArrayCoerceExpr:
		return leftmost(own, exprLoc(e.Arg))
	case *query.ConvertRowtypeExpr:
		return leftmost(own, exprLoc(e.Arg))
	case *query.CoerceToDomain:
		return leftmost(own, exprLoc(e.Arg))
	case *query.CollateExpr:
		return exprLoc(e.Arg)
	case *query.RowCompareExpr:
		return listLoc(e.Left)
	case *query.NullTest:
		return leftmost(own, exprLoc(e.Arg))
	case *query.BooleanTest:
		return leftmost(own, exprLoc(e.Arg))
	case *query.InferenceElem:
		return exprLoc(e.Arg)
	case *query.XMLExpr:
		return leftmost(own, listLoc(e.Args))
	case *query.JSONExpr:
		return leftmost(own, exprLoc(e.Func))
	}
	return own
}

func rawListLoc(list []*pg.Node) int {
	for _, n := range list {
		if l := rawLoc(n); l >= 0 {
			return l
		}
	}
	return noLoc
}

// rawLoc is exprLocation for the nodes of the grammar.
func rawLoc(n *pg.Node) int {
	if n == nil {
		return noLoc
	}
	switch n := n.Node.(type) {
	case *pg.Node_RangeVar:
		return int(n.RangeVar.Location)
	case *pg.Node_AExpr:
		return leftmost(int(n.AExpr.Location), rawLoc(n.AExpr.Lexpr))
	case *pg.Node_ColumnRef:
		return int(n.ColumnRef.Location)
	case *pg.Node_ParamRef:
		return int(n.ParamRef.Location)
	case *pg.Node_AConst:
		return int(n.AConst.Location)
	case *pg.Node_FuncCall:
		return leftmost(int(n.FuncCall.Location), rawListLoc(n.FuncCall.Args))
	case *pg.Node_AArrayExpr:
		return int(n.AArrayExpr.Location)
	case *pg.Node_ResTarget:
		return int(n.ResTarget.Location)
	case *pg.Node_MultiAssignRef:
		return rawLoc(n.MultiAssignRef.Source)
	case *pg.Node_TypeCast:
		l := leftmost(rawLoc(n.TypeCast.Arg), int(n.TypeCast.TypeName.GetLocation()))
		return leftmost(l, int(n.TypeCast.Location))
	case *pg.Node_CollateClause:
		return rawLoc(n.CollateClause.Arg)
	case *pg.Node_SortBy:
		return rawLoc(n.SortBy.Node)
	case *pg.Node_WindowDef:
		return int(n.WindowDef.Location)
	case *pg.Node_RangeTableSample:
		return int(n.RangeTableSample.Location)
	case *pg.Node_TypeName:
		return int(n.TypeName.Location)
	case *pg.Node_ColumnDef:
		return int(n.ColumnDef.Location)
	case *pg.Node_GroupingSet:
		return int(n.GroupingSet.Location)
	case *pg.Node_BoolExpr:
		return leftmost(int(n.BoolExpr.Location), rawListLoc(n.BoolExpr.Args))
	case *pg.Node_SubLink:
		return leftmost(rawLoc(n.SubLink.Testexpr), int(n.SubLink.Location))
	case *pg.Node_CaseExpr:
		return int(n.CaseExpr.Location)
	case *pg.Node_RowExpr:
		return int(n.RowExpr.Location)
	case *pg.Node_CoalesceExpr:
		return int(n.CoalesceExpr.Location)
	case *pg.Node_MinMaxExpr:
		return int(n.MinMaxExpr.Location)
	case *pg.Node_SqlvalueFunction:
		return int(n.SqlvalueFunction.Location)
	case *pg.Node_NullTest:
		return leftmost(int(n.NullTest.Location), rawLoc(n.NullTest.Arg))
	case *pg.Node_BooleanTest:
		return leftmost(int(n.BooleanTest.Location), rawLoc(n.BooleanTest.Arg))
	case *pg.Node_SetToDefault:
		return int(n.SetToDefault.Location)
	case *pg.Node_GroupingFunc:
		return int(n.GroupingFunc.Location)
	case *pg.Node_NamedArgExpr:
		return leftmost(int(n.NamedArgExpr.Location), rawLoc(n.NamedArgExpr.Arg))
	case *pg.Node_List:
		return rawListLoc(n.List.Items)
	case *pg.Node_CommonTableExpr:
		return int(n.CommonTableExpr.Location)
	case *pg.Node_XmlExpr:
		return int(n.XmlExpr.Location)
	case *pg.Node_XmlSerialize:
		return int(n.XmlSerialize.Location)
	case *pg.Node_JsonObjectConstructor:
		return int(n.JsonObjectConstructor.Location)
	case *pg.Node_JsonArrayConstructor:
		return int(n.JsonArrayConstructor.Location)
	case *pg.Node_JsonArrayQueryConstructor:
		return int(n.JsonArrayQueryConstructor.Location)
	case *pg.Node_JsonObjectAgg:
		return int(n.JsonObjectAgg.Constructor.GetLocation())
	case *pg.Node_JsonArrayAgg:
		return int(n.JsonArrayAgg.Constructor.GetLocation())
	case *pg.Node_JsonIsPredicate:
		return int(n.JsonIsPredicate.Location)
	}
	return noLoc
}
