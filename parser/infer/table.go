package infer

import (
	"fmt"
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
)

// NotNull reports whether a table's own declaration keeps NULL out of a column: NOT
// NULL, a CHECK that no NULL passes, a partition's bound or a generation expression.
// Queries that read the table as a whole find its columns so, but for heirs that
// forget the declaration.
func NotNull(cat *catalog.Catalog, t *catalog.Table, c *catalog.Column) bool {
	return newScope(cat, &query.Query{Command: query.CmdSelect}, nil).declared(t, c).notNull
}

func (s *scope) tableColumn(rte *query.RangeTblEntry, v *query.Var) value {
	t := s.cat.Table(rte.Relation)
	if t == nil {
		return maybe("unknown table")
	}
	if v.AttNo < 0 {
		return never("a system column")
	}
	if v.AttNo == 0 {
		r := never("a whole row of " + t.Name)
		for i := range t.Columns {
			r.fields = append(r.fields, s.tableColumn(rte, &query.Var{VarNo: v.VarNo, AttNo: i + 1}))
		}
		return r
	}
	c := t.Attr(v.AttNo)
	if c == nil {
		return maybe("unknown column")
	}
	if t.View != nil {
		return s.viewColumn(t, v)
	}
	r := s.declared(t, c)
	if rte.Inherit && t.Kind != catalog.KindPartitioned && (r.notNull || r.elements) {
		for _, o := range t.Children {
			if child := s.childForgets(o, c.Name, r); child != "" {
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
	if f := s.foreign(t); f != "" {
		return maybe(fmt.Sprintf("%s is a foreign table, whose constraints the server does not check", f))
	}
	r := maybe(fmt.Sprintf("%s.%s has no NOT NULL", t.Name, c.Name))
	for _, k := range t.Constraints {
		if k.Kind != catalog.ConstraintCheck || !s.holds(k.OID, k.Validated) || k.Expr == nil {
			continue
		}
		r.elements = r.elements || checkForbidsNullElement(k.Expr, c.Number)
	}
	filled := s.shared().filled
	if c.NotNull && filled != nil && !slices.Contains(filled.NotNull[t.OID], c.Number) {
		r.why = doubtPrefix + fmt.Sprintf("%s.%s became NOT NULL after the materialised view was filled", t.Name, c.Name)
	} else if c.NotNull {
		r.notNull = true
		return r.because(notNullReason(t, c))
	}
	for _, k := range t.Constraints {
		if k.Kind == catalog.ConstraintCheck && s.holds(k.OID, k.Validated) && k.Expr != nil && s.checkForbidsNull(t, k, c.Number, nil) {
			r.notNull = true
			return r.because("CHECK " + k.Name)
		}
	}
	if why := s.boundForbidsNull(t, c); why != "" {
		r.notNull = true
		return r.because(why)
	}
	if c.Generated != 0 && c.Default != nil {
		now := s.asOf(t.OID)
		row := s.rowScope(t)
		row.checking = s.checking
		v := row.value(c.Default)
		now()
		if v.notNull {
			r.notNull, r.elements = true, r.elements || v.elements
			return r.because("generated column " + t.Name + "." + c.Name + " (" + v.reason() + ")")
		}
	}
	// Each value that is cast to a domain is checked, one that has its type already
	// is not: an INSERT … SELECT of the nullable side of a join, or of a subquery
	// without a row, stores NULL (CREATE DOMAIN, Notes).
	if why := domainRefusesNull(s.cat, c.Type); why != "" {
		if s.shared().opts.TrustDomains && (t.Kind == catalog.KindTable || t.Kind == catalog.KindPartitioned) {
			r.notNull = true
			return r.because(t.Name + "." + c.Name + " is " + why + " (trusted)")
		}
		r.why = doubtPrefix + fmt.Sprintf("%s.%s is %s, but a value that has that type already is stored unchecked (trust: [domains] takes its word)", t.Name, c.Name, why)
	}
	return r
}

// foreign names the foreign table that a table is or has among those below it; ""
// if there is none.
func (s *scope) foreign(t *catalog.Table) string {
	if t.Kind == catalog.KindForeign {
		return t.Name
	}
	for _, oid := range t.Children {
		if c := s.cat.Table(oid); c != nil {
			if name := s.foreign(c); name != "" {
				return name
			}
		}
	}
	return ""
}

// notNullReason says where a NOT NULL comes from.
func notNullReason(t *catalog.Table, c *catalog.Column) string {
	for _, k := range t.Constraints {
		if k.Kind != catalog.ConstraintPrimary {
			continue
		}
		for _, n := range k.Columns {
			if n == c.Number && len(k.Columns) == 1 {
				return "primary key of " + t.Name
			} else if n == c.Number {
				return fmt.Sprintf("%s.%s is in the primary key", t.Name, c.Name)
			}
		}
	}
	if c.Identity != 0 {
		return fmt.Sprintf("%s.%s is an identity column", t.Name, c.Name)
	}
	return fmt.Sprintf("%s.%s is declared NOT NULL", t.Name, c.Name)
}

// rowScope is the scope of an expression over one row of a table, as constraints and
// generation expressions are: its columns are Vars with number 1.
func (s *scope) rowScope(t *catalog.Table) *scope {
	q := &query.Query{
		Command: query.CmdSelect, JoinTree: &query.FromExpr{List: []query.JoinNode{&query.RangeTblRef{Index: 1}}},
		RangeTable: []*query.RangeTblEntry{{Kind: query.RTERelation, Relation: t.OID, RelKind: t.Kind, ERef: &query.Alias{Name: t.Name}}},
	}
	return s.shared().scope(s.cat, q, nil, nil, s.calls...)
}

// checkForbidsNull reports whether a CHECK is false wherever a column is NULL, in rows
// for which the given conditions are true. A CHECK that is NULL passes, so that a
// strict condition proves nothing.
func (s *scope) checkForbidsNull(t *catalog.Table, k *catalog.Constraint, attno int, given []query.Expr) bool {
	check := k.Expr
	if s.checking {
		// The columns of a CHECK are told by their NOT NULL alone.
		return false
	}
	used := false
	query.Walk(check, func(x query.Expr) bool {
		v, ok := x.(*query.Var)
		used = used || ok && v.AttNo == attno
		return !used
	})
	if !used {
		return false
	}
	defer s.asOf(k.OID)()
	row := s.rowScope(t)
	row.checking = true
	row.isNull = map[int]bool{attno: true}
	for _, g := range given {
		row.rule(g, outTrue)
	}
	return row.outcome(check) == outFalse
}

// byCheck is a column that a CHECK forbids to be NULL in the rows that WHERE leaves:
// CHECK ((kind = 'a') = (x IS NOT NULL)) with WHERE kind = 'a'.
func (s *scope) byCheck(rte *query.RangeTblEntry, v *query.Var, r value) value {
	if rte.Kind != query.RTERelation || v.AttNo < 1 || len(s.conds)+len(s.truths) == 0 || s.checking || s.building {
		return r
	}
	t := s.cat.Table(rte.Relation)
	if t == nil || t.View != nil || rte.Inherit && len(t.Children) > 0 && t.Kind != catalog.KindPartitioned {
		return r
	}
	var given []query.Expr
	for _, k := range t.Constraints {
		if k.Kind != catalog.ConstraintCheck || !s.holds(k.OID, k.Validated) || k.Expr == nil {
			continue
		}
		if given == nil {
			if given = s.conditionsOf(v.VarNo); len(given) == 0 {
				return r
			}
		}
		if s.checkForbidsNull(t, k, v.AttNo, given) {
			r.notNull = true
			return r.because("CHECK " + k.Name + " with what WHERE lets pass")
		}
	}
	return r
}

// conditionsOf are the true conditions over one relation alone, as over a single row.
func (s *scope) conditionsOf(varno int) []query.Expr {
	list := s.conds
	for _, d := range s.truths {
		if d.may == outTrue {
			list = append(list[:len(list):len(list)], d.cond)
		} else if d.may == outFalse {
			list = append(list[:len(list):len(list)], &query.BoolExpr{Op: query.NotExpr, Args: []query.Expr{d.cond}})
		}
	}
	var out []query.Expr
	for _, c := range list {
		own := true
		query.Walk(c, func(x query.Expr) bool {
			switch n := x.(type) {
			case *query.Var:
				own = own && n.VarNo == varno && n.LevelsUp == 0 && n.AttNo > 0
			case *query.Aggref, *query.SubLink, *query.WindowFunc, *query.Param, *query.GroupingFunc:
				own = false
			}
			return own
		})
		if own {
			out = append(out, query.Transform(c, func(x query.Expr) (query.Expr, bool) {
				v, ok := x.(*query.Var)
				if !ok {
					return nil, false
				}
				w := *v
				w.VarNo, w.NullingRels = 1, query.Relids{}
				return &w, true
			}))
		}
	}
	return out
}

// checkForbidsNullElement tells CHECK (array_position(x, NULL) IS NULL), alone or as
// part of an AND.
func checkForbidsNullElement(e query.Expr, attno int) bool {
	for _, c := range conjuncts(e) {
		n, ok := c.(*query.NullTest)
		if !ok || n.Not || n.ArgIsRow {
			continue
		}
		f, ok := n.Arg.(*query.FuncExpr)
		if !ok || f.Func != arrayPositionOID || len(f.Args) != 2 {
			continue
		}
		v, ok := plainCast(f.Args[0]).(*query.Var)
		k, ok2 := f.Args[1].(*query.Const)
		if ok && ok2 && v.AttNo == attno && k.Null {
			return true
		}
	}
	return false
}

// arrayPositionOID is pg_proc's array_position(anycompatiblearray, anycompatible).
const arrayPositionOID pgOID = 3277

// childForgets names an heir of a table whose own column may be NULL: a CHECK may
// be NO INHERIT, and DROP NOT NULL may name the heir alone. "" if there is none.
func (s *scope) childForgets(oid pgOID, name string, r value) string {
	t := s.cat.Table(oid)
	if t == nil {
		return ""
	}
	c := t.Column(name)
	if c == nil {
		return t.Name
	}
	if own := s.declared(t, c); r.notNull && !own.notNull || r.elements && !own.elements {
		return t.Name
	}
	for _, o := range t.Children {
		if child := s.childForgets(o, name, r); child != "" {
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
		inner := s.shared().scope(s.cat, t.View, nil, nil, s.calls...)
		inner.forced, inner.exprs, inner.conds, inner.newRow = map[column]string{}, nil, nil, true
		inner.changed()
		r = pick(inner.values(), v.AttNo)
	} else {
		r = pick(s.viewValues(t), v.AttNo)
	}
	r.why += " (through view " + t.Name + ")"
	return r
}

// viewValues are the columns of a view that is read.
func (s *scope) viewValues(t *catalog.Table) []value {
	e := s.shared()
	if e.filled != nil || t.Kind == catalog.KindMatView {
		defer s.kept(t)()
		return s.aside(func() []value { return e.scope(s.cat, t.View, nil, nil, s.calls...).values() })
	}
	list, ok := e.views[t.View]
	if !ok {
		// A view that was replaced by one that reads itself gives no rows to
		// judge: each use of it fails.
		e.views[t.View] = make([]value, len(t.Columns))
		for i := range t.Columns {
			e.views[t.View][i] = maybe("view " + t.Name + " reads itself")
		}
		list = s.subquery(t.View, nil)
		e.views[t.View] = list
	}
	return list
}

// kept begins a look into a view, which for a materialised one is at the schema as it
// was when it was filled, and returns what ends it.
func (s *scope) kept(t *catalog.Table) (leave func()) {
	e := s.shared()
	filled, asOf := e.filled, e.asOf
	if t.Kind == catalog.KindMatView && t.Filled != nil {
		e.filled, e.asOf = t.Filled, t.Filled.At
	}
	return func() { e.filled, e.asOf = filled, asOf }
}

// holds reports whether a constraint or an index that is valid by now holds for the rows
// that are looked at.
func (s *scope) holds(oid pgOID, valid bool) bool {
	f := s.shared().filled
	return valid && (f == nil || f.Holds[oid])
}

// asOf begins a look at what was computed when an object was made or later, by functions
// that may have had another body then, and returns what ends it.
func (s *scope) asOf(oid pgOID) (leave func()) {
	e := s.shared()
	was := e.asOf
	if was == 0 || oid < was {
		e.asOf = oid
	}
	return func() { e.asOf = was }
}

// isNewRow tells the relation whose columns RETURNING gives as they were written,
// for which WHERE proves nothing; in a view written through, that below it.
func (s *scope) isNewRow(varno int) bool {
	switch s.q.Command {
	case query.CmdInsert, query.CmdUpdate, query.CmdMerge:
		return varno == s.q.ResultRelation && !s.oldRow
	}
	return s.newRow
}

// boundForbidsNull says why a partition has no NULL in a column of its key: the rows
// of a range lie between bounds, those of a list are in it.
func (s *scope) boundForbidsNull(t *catalog.Table, c *catalog.Column) string {
	if !t.IsPartition || s.shared().filled != nil || t.Bound == nil || len(t.Parents) != 1 {
		return ""
	}
	parent := s.cat.Table(t.Parents[0])
	if parent == nil || parent.PartitionKey == nil {
		return ""
	}
	pc := parent.Column(c.Name)
	if pc == nil {
		return ""
	}
	if !t.Bound.Default {
		for _, k := range parent.PartitionKey.Keys {
			if k.Column != pc.Number {
				continue
			}
			switch t.Bound.Strategy {
			case 'r':
				return "range of partition " + t.Name
			case 'l':
				if !t.Bound.Unread && !listHasNull(t.Bound.List) {
					return "list of partition " + t.Name
				}
			}
		}
	}
	return s.boundForbidsNull(parent, pc)
}

func listHasNull(list []*query.Const) bool {
	for _, k := range list {
		if k == nil || k.Null {
			return true
		}
	}
	return false
}
