package infer

import (
	"fmt"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
)

// NotNull reports whether a table's own declaration keeps NULL out of a column: NOT
// NULL or a CHECK that no NULL passes. Queries that read the table as a whole find
// its columns so, but for heirs that forget the declaration.
func NotNull(cat *catalog.Catalog, t *catalog.Table, c *catalog.Column) bool {
	s := scope{cat: cat}
	return s.declared(t, c).notNull
}

func (s *scope) tableColumn(rte *query.RangeTblEntry, v *query.Var) value {
	t := s.cat.Table(rte.Relation)
	if t == nil {
		return maybe("unknown table")
	}
	if v.AttNo < 0 {
		return never("system column")
	}
	if v.AttNo == 0 {
		return never("whole row of " + t.Name)
	}
	c := t.Attr(v.AttNo)
	if c == nil {
		return maybe("unknown column")
	}
	if t.View != nil {
		return s.viewColumn(t, v)
	}
	r := s.declared(t, c)
	if r.notNull && rte.Inherit && t.Kind != catalog.KindPartitioned {
		for _, o := range t.Children {
			if child := s.childForgets(o, c.Name); child != "" {
				return maybe(fmt.Sprintf("%s.%s, which inherits it, has no NOT NULL", child, c.Name))
			}
		}
	}
	return r
}

// declared is what a table's own declaration says of its column. That a domain is
// NOT NULL proves nothing of a stored value: a subquery of that type without a row
// gives a NULL that is not checked (the notes of CREATE DOMAIN).
func (s *scope) declared(t *catalog.Table, c *catalog.Column) value {
	if c.NotNull {
		return never(fmt.Sprintf("%s.%s is declared NOT NULL", t.Name, c.Name))
	}
	for _, k := range t.Constraints {
		if k.Kind == catalog.ConstraintCheck && k.Validated && k.Expr != nil && checkForbidsNull(k.Expr, c.Number) {
			return never("CHECK " + k.Name)
		}
	}
	if typ := s.cat.Type(c.Type); typ != nil && typ.Kind == 'd' && typ.NotNull {
		return maybe(fmt.Sprintf("%s.%s has no NOT NULL, and that of domain %s is not checked for a subquery without a row", t.Name, c.Name, typ.Name))
	}
	return maybe(fmt.Sprintf("%s.%s has no NOT NULL", t.Name, c.Name))
}

// childForgets names an heir of a table whose own column may be NULL: a CHECK may
// be NO INHERIT, and DROP NOT NULL may name the heir alone. "" if there is none.
func (s *scope) childForgets(oid pgOID, name string) string {
	t := s.cat.Table(oid)
	if t == nil {
		return ""
	}
	if c := t.Column(name); c == nil || !s.declared(t, c).notNull {
		return t.Name
	}
	for _, o := range t.Children {
		if child := s.childForgets(o, name); child != "" {
			return child
		}
	}
	return ""
}

// viewColumn is a column of a view: that of its query, but for a row that was just
// written through it, which the view's WHERE has not seen and which an INSTEAD OF
// trigger makes as it likes.
func (s *scope) viewColumn(t *catalog.Table, v *query.Var) value {
	var r value
	if s.isNewRow(v.VarNo) {
		for _, tr := range t.Triggers {
			if tr.Row && tr.Timing == "instead of" {
				return maybe("trigger " + tr.Name + " makes the row")
			}
		}
		inner := newScope(s.cat, t.View, nil)
		inner.forced, inner.newRow = map[column]string{}, true
		r = pick(inner.values(), v.AttNo)
	} else {
		r = pick(s.subquery(t.View, nil), v.AttNo)
	}
	r.why += " (through view " + t.Name + ")"
	return r
}

// isNewRow tells the relation whose columns RETURNING gives as they were written,
// for which WHERE proves nothing; in a view written through, that below it.
func (s *scope) isNewRow(varno int) bool {
	switch s.q.Command {
	case query.CmdInsert, query.CmdUpdate, query.CmdMerge:
		return varno == s.q.ResultRelation
	}
	return s.newRow
}

// checkForbidsNull tells CHECK (x IS NOT NULL), alone or as part of an AND. A
// CHECK that is NULL passes, so that a strict condition proves nothing.
func checkForbidsNull(e query.Expr, attno int) bool {
	switch n := e.(type) {
	case *query.NullTest:
		v, ok := n.Arg.(*query.Var)
		return ok && n.Not && !n.ArgIsRow && v.AttNo == attno
	case *query.BoolExpr:
		if n.Op == query.AndExpr {
			for _, a := range n.Args {
				if checkForbidsNull(a, attno) {
					return true
				}
			}
		}
	}
	return false
}
