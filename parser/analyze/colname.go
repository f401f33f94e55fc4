package analyze

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"
)

// subNames are the names of the columns of subqueries that are analysed already.
type subNames map[*pg.SubLink]string

// figure is the name that an output column gets where none is written
// (FigureColname, parse_target.c).
func (subs subNames) figure(n *pg.Node) string {
	if name, _ := subs.figureColname(n); name != "" {
		return name
	}
	return "?column?"
}

// FigureIndexColname is the name that an index expression gets: "" where there is
// no good one.
func FigureIndexColname(n *pg.Node) string {
	name, _ := subNames{}.figureColname(n)
	return name
}

func lastName(list []*pg.Node) string {
	name := ""
	for _, n := range list {
		if s := n.GetString_(); s != nil {
			name = s.Sval
		}
	}
	return name
}

// figureColname returns a name and how good it is: 0 none, 1 second best, 2.
func (subs subNames) figureColname(n *pg.Node) (string, int) {
	if n == nil {
		return "", 0
	}
	switch x := n.Node.(type) {
	case *pg.Node_ColumnRef:
		if name := lastName(x.ColumnRef.Fields); name != "" {
			return name, 2
		}
	case *pg.Node_AIndirection:
		if name := lastName(x.AIndirection.Indirection); name != "" {
			return name, 2
		}
		return subs.figureColname(x.AIndirection.Arg)
	case *pg.Node_FuncCall:
		return lastName(x.FuncCall.Funcname), 2
	case *pg.Node_AExpr:
		if x.AExpr.Kind == pg.A_Expr_Kind_AEXPR_NULLIF {
			return "nullif", 2
		}
	case *pg.Node_TypeCast:
		name, strength := subs.figureColname(x.TypeCast.Arg)
		if strength <= 1 && x.TypeCast.TypeName != nil {
			return lastName(x.TypeCast.TypeName.Names), 1
		}
		return name, strength
	case *pg.Node_CollateClause:
		return subs.figureColname(x.CollateClause.Arg)
	case *pg.Node_GroupingFunc:
		return "grouping", 2
	case *pg.Node_SubLink:
		return subs.figureSubLink(x.SubLink)
	case *pg.Node_CaseExpr:
		name, strength := subs.figureColname(x.CaseExpr.Defresult)
		if strength <= 1 {
			return "case", 1
		}
		return name, strength
	case *pg.Node_AArrayExpr:
		return "array", 2
	case *pg.Node_RowExpr:
		return "row", 2
	case *pg.Node_CoalesceExpr:
		return "coalesce", 2
	case *pg.Node_MinMaxExpr:
		if x.MinMaxExpr.Op == pg.MinMaxOp_IS_LEAST {
			return "least", 2
		}
		return "greatest", 2
	case *pg.Node_SqlvalueFunction:
		name, _ := sqlValue(x.SqlvalueFunction.Op)
		return name, 2
	case *pg.Node_XmlSerialize:
		return "xmlserialize", 2
	case *pg.Node_XmlExpr:
		if x.XmlExpr.Op != pg.XmlExprOp_IS_DOCUMENT {
			return strings.ToLower(xmlOp(x.XmlExpr.Op)), 2
		}
	case *pg.Node_JsonObjectConstructor:
		return "json_object", 2
	case *pg.Node_JsonArrayConstructor, *pg.Node_JsonArrayQueryConstructor:
		return "json_array", 2
	case *pg.Node_JsonObjectAgg:
		return "json_objectagg", 2
	case *pg.Node_JsonArrayAgg:
		return "json_arrayagg", 2
	}
	return "", 0
}

func (subs subNames) figureSubLink(n *pg.SubLink) (string, int) {
	switch n.SubLinkType {
	case pg.SubLinkType_EXISTS_SUBLINK:
		return "exists", 2
	case pg.SubLinkType_ARRAY_SUBLINK:
		return "array", 2
	case pg.SubLinkType_EXPR_SUBLINK:
		// The subquery's only column has a name already, if only ?column?.
		if name := subs[n]; name != "" {
			return name, 2
		}
	}
	return "", 0
}
