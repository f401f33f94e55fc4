package ddl

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// newRelation refuses a name that is taken in pg_class.
func (a *applier) newRelation(schema, name string, loc int) {
	if a.relationTaken(schema, name) {
		a.fail("42P07", loc, "relation %q already exists", name)
	}
}

// addRelation enters a relation with its row type and the type of arrays of
// rows, in the order of OIDs of heap_create_with_catalog (heap.c).
func (a *applier) addRelation(t *catalog.Table) {
	t.OID = a.cat.NewOID()
	if t.Kind == catalog.KindSequence {
		a.cat.AddTable(t)
		return
	}
	array := &catalog.Type{OID: a.cat.NewOID()}
	row := &catalog.Type{
		OID: a.cat.NewOID(), Schema: t.Schema, Name: t.Name, Len: -1, Kind: 'c', Category: 'C', Delim: ',',
		Align: 'd', Storage: 'x', BaseTypmod: pgtype.NoTypmod, Relation: t.OID, Decl: t.Decl,
	}
	a.ioFuncs(row, "record_in", "record_out", "record_recv", "record_send")
	t.RowType = row.OID
	a.cat.AddTable(t)
	a.noteTable(t)
	a.addTypePair(row, array)
	for _, p := range t.Parents {
		if q := a.cat.Table(p); q != nil {
			q.Children = append(q.Children, t.OID)
		}
	}
}

// dropRelation removes a relation and everything that is its own: sequences of
// its columns, the array type of its rows.
func (a *applier) dropRelation(t *catalog.Table) {
	for _, s := range a.cat.OwnedSequences(t.OID) {
		a.cat.DropTable(s)
	}
	a.cat.DropTable(t)
}

// addColumn gives a column its number and puts it into a table.
func (a *applier) addColumn(t *catalog.Table, c *catalog.Column, what string) {
	if t.Column(c.Name) != nil {
		a.failAt("42701", c, "%s %q specified more than once", what, c.Name)
	}
	if t.Kind != catalog.KindView && t.Kind != catalog.KindComposite {
		for _, s := range catalog.SystemColumns() {
			if s.Name == c.Name {
				a.failAt("42701", c, "column name %q conflicts with a system column name", c.Name)
			}
		}
	}
	if len(t.Columns) >= maxColumns {
		a.failAt("54011", c, "tables can have at most %d columns", maxColumns)
	}
	c.Number = len(t.Columns) + 1
	t.Columns = append(t.Columns, c)
	a.noteType(c.Type)
}

// maxColumns is MaxHeapAttributeNumber (htup_details.h).
const maxColumns = 1600

// failAt fails at the place where a column is declared.
func (a *applier) failAt(state string, c *catalog.Column, format string, args ...any) {
	f := func() { a.fail(state, noLoc, format, args...) }
	defer func() {
		r := recover()
		if e, ok := r.(failure); ok && c.Decl.File == a.stmt.File && !c.Decl.Span.IsZero() {
			e.d.Span = c.Decl.Span
			panic(e)
		}
		panic(r)
	}()
	f()
}

// usable refuses the types that a column cannot have (CheckAttributeType,
// heap.c).
func (a *applier) usable(column string, oid pgtype.OID, loc int) {
	t := a.cat.Type(oid)
	if t == nil || t.Kind != 'p' {
		return
	}
	a.fail("42P16", loc, "column %q has pseudo-type %s", column, a.typeWord(oid))
}

// columnCollation is the collation of a column of c's type
// (GetColumnDefCollation, parse_type.c).
func (a *applier) columnCollation(c *catalog.Column, clause *pg.CollateClause) pgtype.OID {
	var coll pgtype.OID
	if t := a.cat.Type(c.Type); t != nil {
		coll = t.Collation
	}
	if clause == nil {
		return coll
	}
	explicit := a.collation(clause.Collname, int(clause.Location))
	if coll == 0 {
		a.fail("42804", int(clause.Location), "collations are not supported by type %s", a.typeWord(c.Type))
	}
	return explicit
}

// mapColumns leads the columns of an expression over one table to those with
// the same names in another (map_variable_attnos, rewriteManip.c).
func mapColumns(e query.Expr, from, to *catalog.Table) query.Expr {
	if e == nil || from == to {
		return e
	}
	return query.Transform(e, func(x query.Expr) (query.Expr, bool) {
		v, ok := x.(*query.Var)
		if !ok || v.AttNo <= 0 || v.LevelsUp != 0 {
			return x, false
		}
		c := *v
		c.AttNo = mapColumn(v.AttNo, from, to)
		c.SynAttNo = c.AttNo
		return &c, true
	})
}

// mapColumn is the number in one table of a column of another.
func mapColumn(number int, from, to *catalog.Table) int {
	f := from.Attr(number)
	if f == nil {
		return number
	}
	if c := to.Column(f.Name); c != nil {
		return c.Number
	}
	return number
}

func mapNumbers(numbers []int, from, to *catalog.Table) []int {
	out := make([]int, len(numbers))
	for i, n := range numbers {
		out[i] = mapColumn(n, from, to)
	}
	return out
}

// uses reports whether an expression over a table reads one of its columns.
func uses(e query.Expr, number int) bool {
	found := false
	query.WalkLevels(e, func(x query.Expr, depth int) bool {
		if v, ok := x.(*query.Var); ok && v.VarNo == 1 && v.LevelsUp == depth && (v.AttNo == number || v.AttNo == 0) {
			found = true
		}
		return !found
	})
	return found
}

// columnsOf lists the columns that an expression reads, each once, in order of
// appearance.
func columnsOf(e query.Expr) []int {
	var out []int
	query.Walk(e, func(x query.Expr) bool {
		if v, ok := x.(*query.Var); ok && v.VarNo == 1 && !slices.Contains(out, v.AttNo) {
			out = append(out, v.AttNo)
		}
		return true
	})
	return out
}

// children are the tables that inherit from t directly, in order of creation.
func (a *applier) children(t *catalog.Table) []*catalog.Table {
	var out []*catalog.Table
	for _, o := range t.Children {
		if c := a.cat.Table(o); c != nil {
			out = append(out, c)
		}
	}
	return out
}

// family is t and everything that inherits from it, each once.
func (a *applier) family(t *catalog.Table) []*catalog.Table {
	out := []*catalog.Table{t}
	for i := 0; i < len(out); i++ {
		for _, c := range a.children(out[i]) {
			if !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}
