package analyze

import (
	pg "github.com/pganalyze/pg_query_go/v5"
)

// FigureColname is the name that an output column gets where none is written
// (FigureColname, parse_target.c).
func FigureColname(n *pg.Node) string {
	if name, _ := figureColname(n); name != "" {
		return name
	}
	return "?column?"
}

// FigureIndexColname is FigureColname for an index expression: "" where there
// is no good name.
func FigureIndexColname(n *pg.Node) string {
	name, _ := figureColname(n)
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
func figureColname(n *pg.Node) (string, int) {
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
		return figureColname(x.AIndirection.Arg)
	case *pg.Node_FuncCall:
		return lastName(x.FuncCall.Funcname), 2
	case *pg.Node_AExpr:
		if x.AExpr.Kind == pg.A_Expr_Kind_AEXPR_NULLIF {
			return "nullif", 2
		}
	case *pg.Node_TypeCast:
		name, strength := figureColname(x.TypeCast.Arg)
		if strength <= 1 && x.TypeCast.TypeName != nil {
			return lastName(x.TypeCast.TypeName.Names), 1
		}
		return name, strength
	case *pg.Node_CollateClause:
		return figureColname(x.CollateClause.Arg)
	case *pg.Node_GroupingFunc:
		return "grouping", 2
	case *pg.Node_SubLink:
		return figureSubLink(x.SubLink)
	case *pg.Node_CaseExpr:
		name, strength := figureColname(x.CaseExpr.Defresult)
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
	}
	return "", 0
}

func figureSubLink(n *pg.SubLink) (string, int) {
	switch n.SubLinkType {
	case pg.SubLinkType_EXISTS_SUBLINK:
		return "exists", 2
	case pg.SubLinkType_ARRAY_SUBLINK:
		return "array", 2
	case pg.SubLinkType_EXPR_SUBLINK:
		// The subquery's only column has a name already; here it is found
		// anew from the grammar.
		sel := n.Subselect.GetSelectStmt()
		for sel != nil && sel.Larg != nil {
			sel = sel.Larg
		}
		if sel == nil {
			return "", 0
		}
		if len(sel.ValuesLists) > 0 {
			return "column1", 2
		}
		if len(sel.TargetList) > 0 {
			res := sel.TargetList[0].GetResTarget()
			if res.GetName() != "" {
				return res.Name, 2
			}
			if c := res.GetVal().GetColumnRef(); c != nil {
				if _, star := fieldNames(c); star {
					return "", 0
				}
			}
			return FigureColname(res.GetVal()), 2
		}
	}
	return "", 0
}
