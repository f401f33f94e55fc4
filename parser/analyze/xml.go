package analyze

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// xmlOp names an XML expression.
func xmlOp(op pg.XmlExprOp) string {
	switch op {
	case pg.XmlExprOp_IS_XMLCONCAT:
		return "XMLCONCAT"
	case pg.XmlExprOp_IS_XMLELEMENT:
		return "XMLELEMENT"
	case pg.XmlExprOp_IS_XMLFOREST:
		return "XMLFOREST"
	case pg.XmlExprOp_IS_XMLPARSE:
		return "XMLPARSE"
	case pg.XmlExprOp_IS_XMLPI:
		return "XMLPI"
	case pg.XmlExprOp_IS_XMLROOT:
		return "XMLROOT"
	case pg.XmlExprOp_IS_XMLSERIALIZE:
		return "XMLSERIALIZE"
	}
	return "IS DOCUMENT"
}

// xmlExpr is transformXmlExpr (parse_expr.c).
func (s *state) xmlExpr(n *pg.XmlExpr) query.Expr {
	x := &query.XMLExpr{Op: xmlOp(n.Op), Content: n.Xmloption == pg.XmlOptionType_XMLOPTION_CONTENT}
	x.Header = query.Header{Typ: pgtype.XmlOID, Mod: -1, Loc: s.span(int(n.Location))}
	if n.Name != "" {
		x.Name = xmlName(n.Name, false)
	}
	if n.Op == pg.XmlExprOp_IS_DOCUMENT {
		x.Typ = pgtype.BoolOID
	}
	for _, a := range n.NamedArgs {
		s.xmlNamedArg(x, a.GetResTarget())
	}
	for i, a := range n.Args {
		x.Args = append(x.Args, s.xmlArg(x.Op, i, s.transform(a)))
	}
	return x
}

func (s *state) xmlNamedArg(x *query.XMLExpr, r *pg.ResTarget) {
	e := s.transform(r.Val)
	var name string
	switch {
	case r.Name != "":
		name = xmlName(r.Name, false)
	case r.Val.GetColumnRef() != nil:
		name = xmlName(s.subNames.figure(r.Val), true)
	case x.Op == "XMLELEMENT":
		s.fail(errSyntax, int(r.Location), "unnamed XML attribute value must be a column reference")
	default:
		s.fail(errSyntax, int(r.Location), "unnamed XML element value must be a column reference")
	}
	if x.Op == "XMLELEMENT" && slices.Contains(x.ArgNames, name) {
		s.fail(errSyntax, int(r.Location), "XML attribute name \"%s\" appears more than once", name)
	}
	x.NamedArgs, x.ArgNames = append(x.NamedArgs, e), append(x.ArgNames, name)
}

// xmlArg coerces an argument to what its place in the expression demands.
func (s *state) xmlArg(op string, i int, e query.Expr) query.Expr {
	target := pgtype.TextOID
	switch {
	case op == "XMLELEMENT":
		return e
	case op == "XMLPARSE" && i > 0:
		return s.coerceToBoolean(e, op)
	case op == "XMLROOT" && i > 1:
		target = pgtype.Int4OID
	case op == "XMLCONCAT", op == "XMLFOREST", op == "IS DOCUMENT", op == "XMLROOT" && i == 0:
		target = pgtype.XmlOID
	}
	return s.coerceToSpecific(e, target, op)
}

// xmlSerialize is transformXmlSerialize: the node yields text, which is cast.
func (s *state) xmlSerialize(n *pg.XmlSerialize) query.Expr {
	e := s.coerceToSpecific(s.transform(n.Expr), pgtype.XmlOID, "XMLSERIALIZE")
	target, mod := s.typeName(n.TypeName)
	x := &query.XMLExpr{Op: "XMLSERIALIZE", Args: []query.Expr{e}, Content: n.Xmloption == pg.XmlOptionType_XMLOPTION_CONTENT}
	x.Header = query.Header{Typ: pgtype.TextOID, Mod: -1, Loc: s.span(int(n.Location))}
	r := s.coerceToTarget(x, target, mod, implicit, query.CoerceImplicitCast, noLoc)
	if r == nil {
		s.fail(errCannotCoerce, int(n.Location), "cannot cast XMLSERIALIZE result to %s", s.format(target))
	}
	return r
}

// xmlName makes an SQL identifier an XML name; whole escapes colons and a
// leading "xml" too (map_sql_identifier_to_xml_name, xml.c).
func xmlName(ident string, whole bool) string {
	var b strings.Builder
	for i, r := range ident {
		rest := ident[i:]
		switch {
		case r == ':' && (i == 0 || whole):
			b.WriteString("_x003A_")
		case r == '_' && strings.HasPrefix(rest, "_x"):
			b.WriteString("_x005F_")
		case whole && i == 0 && len(rest) >= 3 && strings.EqualFold(rest[:3], "xml"):
			fmt.Fprintf(&b, "_x%04X_", r)
		case r == '_' || r == ':' || unicode.IsLetter(r), i > 0 && (r == '.' || r == '-' || unicode.IsDigit(r) || unicode.IsMark(r)):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "_x%04X_", r)
		}
	}
	return b.String()
}

// xmlTable analyses XMLTABLE in FROM (transformRangeTableFunc, parse_clause.c).
func (s *state) xmlTable(n *pg.RangeTableFunc) *nsItem {
	const construct = "XMLTABLE"
	f := &query.TableFunc{Kind: construct, OrdinalityCol: -1, Loc: s.span(int(n.Location))}
	var all []query.Expr
	one := func(x *pg.Node, coerce func(query.Expr) query.Expr) query.Expr {
		if x == nil {
			return nil
		}
		e := coerce(s.expr(x, kindFromFunction))
		s.assignCollations(e)
		all = append(all, e)
		return e
	}
	text := func(e query.Expr) query.Expr { return s.coerceToSpecific(e, pgtype.TextOID, construct) }
	s.lateral = true
	f.RowExpr = one(n.Rowexpr, text)
	f.DocExpr = one(n.Docexpr, func(e query.Expr) query.Expr { return s.coerceToSpecific(e, pgtype.XmlOID, construct) })
	var attrs []attr
	for i, cn := range n.Columns {
		c := cn.GetRangeTableFuncCol()
		at := attr{name: c.Colname, typ: pgtype.Int4OID, mod: -1}
		if c.ForOrdinality {
			if f.OrdinalityCol >= 0 {
				s.fail(errSyntax, int(c.Location), "only one FOR ORDINALITY column is allowed")
			}
			f.OrdinalityCol = i
		} else {
			if c.TypeName.Setof {
				s.fail(errInvalidTableDef, int(c.Location), "column \"%s\" cannot be declared SETOF", c.Colname)
			}
			at.typ, at.mod = s.typeName(c.TypeName)
			at.coll = s.typeCollation(at.typ)
		}
		f.ColExprs = append(f.ColExprs, one(c.Colexpr, text))
		f.ColDefaults = append(f.ColDefaults, one(c.Coldefexpr, func(e query.Expr) query.Expr {
			return s.coerceToSpecificTypmod(e, at.typ, at.mod, construct)
		}))
		f.NotNulls = append(f.NotNulls, c.IsNotNull)
		if slices.Contains(f.ColNames, c.Colname) {
			s.fail(errSyntax, int(c.Location), "column name \"%s\" is not unique", c.Colname)
		}
		f.ColNames = append(f.ColNames, c.Colname)
		attrs = append(attrs, at)
	}
	s.xmlNamespaces(f, n.Namespaces, func(x *pg.Node) query.Expr { return one(x, text) })
	s.lateral = false
	lateral := n.Lateral
	for _, e := range all {
		lateral = lateral || hasVars(e, 0)
	}
	return s.addTableFunc(f, attrs, makeAlias(n.Alias), lateral)
}

func (s *state) xmlNamespaces(f *query.TableFunc, list []*pg.Node, one func(*pg.Node) query.Expr) {
	for _, x := range list {
		r := x.GetResTarget()
		f.NamespaceURIs = append(f.NamespaceURIs, one(r.Val))
		if slices.Contains(f.NamespaceNames, r.Name) {
			if r.Name == "" {
				s.fail(errSyntax, int(r.Location), "only one default namespace is allowed")
			}
			s.fail(errSyntax, int(r.Location), "namespace name \"%s\" is not unique", r.Name)
		}
		f.NamespaceNames = append(f.NamespaceNames, r.Name)
	}
}

// addTableFunc is addRangeTableEntryForTableFunc (parse_relation.c).
func (s *state) addTableFunc(f *query.TableFunc, attrs []attr, alias *query.Alias, lateral bool) *nsItem {
	r := &query.RangeTblEntry{Kind: query.RTETableFunc, TableFunc: f, Alias: alias, Lateral: lateral, InFrom: true, Loc: f.Loc}
	r.ERef = &query.Alias{Name: strings.ToLower(f.Kind)}
	if alias != nil {
		r.ERef.Name = alias.Name
		r.ERef.Columns = slices.Clone(alias.Columns)
	}
	given := len(r.ERef.Columns)
	if given > len(attrs) {
		s.fail(errInvalidColumnRef, noLoc, "%s function has %d columns available but %d columns specified", f.Kind, len(attrs), given)
	}
	for _, at := range attrs[given:] {
		r.ERef.Columns = append(r.ERef.Columns, at.name)
	}
	setColTypes(r, attrs)
	return s.addRTE(r, attrs)
}
