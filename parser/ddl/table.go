package ddl

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// tableBuild is a table while its statement is read: what has to wait until the
// relation is there.
type tableBuild struct {
	t         *catalog.Table
	defaults  []pendingDefault
	checks    []pendingCheck
	keys      []*keySpec
	likes     []*pg.TableLikeClause
	foreign   []*foreignSpec
	sequences []*catalog.Table
	seqColumn []string
	// inherited is how many columns came from parents before the statement's
	// own; each may be named once more.
	merged map[string]bool
	// conflicts are the columns whose parents disagree on the default; the table
	// must then have its own.
	conflicts []*catalog.Column
	// partitioned is set for a table with PARTITION BY.
	partitioned bool
}

type pendingDefault struct {
	column *catalog.Column
	raw    *pg.Node
	kind   analyze.ExprKind
}

type pendingCheck struct {
	c      *pg.Constraint
	column string
}

func (a *applier) createTable(s *pg.CreateStmt) {
	loc := int(s.Relation.Location)
	schema := a.relationSchema(s.Relation, loc)
	if s.IfNotExists && a.relationTaken(schema, s.Relation.Relname) {
		return
	}
	a.newRelation(schema, s.Relation.Relname, loc)
	a.newType(schema, s.Relation.Relname, loc)
	a.chosen = nil
	b := &tableBuild{
		t: &catalog.Table{
			Schema: schema, Name: s.Relation.Relname, Kind: catalog.KindTable, ParallelWorkers: -1,
			Unlogged: s.Relation.Relpersistence == "u", Temp: schema == tempSchema, Decl: a.decl(loc),
		},
		merged: map[string]bool{},
	}
	t := b.t
	if s.Partspec != nil {
		t.Kind, b.partitioned = catalog.KindPartitioned, true
	}
	a.checkOptions(t.Kind, "", s.Options)
	a.storage(t, s.Options)
	if s.AccessMethod != "" {
		a.tableMethod(s.AccessMethod, noLoc)
	}
	t.IsPartition = s.Partbound != nil
	parents := a.inherit(b, s.InhRelations)
	if s.OfTypename != nil {
		a.columnsOfType(b, s.OfTypename)
	}
	for _, n := range s.TableElts {
		a.try(func() { a.element(b, n) })
	}
	for _, c := range b.conflicts {
		if slices.ContainsFunc(b.defaults, func(d pendingDefault) bool { return d.column == c }) {
			continue
		}
		what, hint := "default values", "To resolve the conflict, specify a default explicitly."
		if c.Generated != 0 {
			what, hint = "generation expressions", "To resolve the conflict, specify a generation expression explicitly."
		}
		a.failMore("42611", noLoc, "", hint, "column %q inherits conflicting %s", c.Name, what)
	}
	for _, n := range s.Constraints {
		a.try(func() { a.tableConstraint(b, n.GetConstraint()) })
	}
	a.notNullKeys(b)
	if s.Partspec != nil {
		if !a.try(func() { a.partitionKey(t, s.Partspec) }) && t.PartitionKey == nil {
			t.PartitionKey = &catalog.PartitionKey{}
		}
	}
	a.addRelation(t)
	for i, q := range b.sequences {
		if c := t.Column(b.seqColumn[i]); c != nil {
			a.cat.SetOwner(q, t.OID, c.Number)
		}
	}
	a.finishTable(b, parents, s.Partbound)
}

// finishTable does what needs the relation: defaults, the partition's place, and
// constraints in the order of DefineRelation (tablecmds.c).
func (a *applier) finishTable(b *tableBuild, parents []*catalog.Table, bound *pg.PartitionBoundSpec) {
	t := b.t
	for _, p := range parents {
		a.try(func() { a.inheritChecks(p, t, false) })
	}
	a.applyDefaults(t, b.defaults)
	if t.IsPartition && len(parents) == 1 {
		a.try(func() { t.Bound = a.partitionBound(parents[0], t, bound) })
		a.clonePartitionObjects(parents[0], t)
	}
	for i, c := range b.checks {
		a.try(func() {
			for _, o := range b.checks[:i] {
				if c.c.Conname != "" && o.c.Conname == c.c.Conname {
					a.fail("42710", int(c.c.Location), "check constraint %q already exists", c.c.Conname)
				}
			}
			a.addCheck(t, c.c, true)
		})
	}
	for _, l := range b.likes {
		if from := a.cat.TableByName(l.Relation.Schemaname, l.Relation.Relname); from != nil {
			a.likeNotNull(from, t)
		}
	}
	a.notNullConstraints(t)
	for _, k := range mergeKeys(b.keys) {
		a.try(func() { a.addKey(t, k) })
	}
	for _, l := range b.likes {
		a.try(func() { a.finishLike(t, l) })
	}
	for _, f := range b.foreign {
		a.try(func() { a.addForeignKey(t, f) })
	}
}

func (a *applier) applyDefaults(t *catalog.Table, list []pendingDefault) {
	for _, d := range list {
		a.try(func() {
			a.cat.NewOID()
			d.column.Default = a.defaultExpr(t, d.column, d.raw, d.kind)
		})
	}
}

// defaultExpr analyses a column's default; the server names the column where the
// value does not fit (cookDefault, heap.c).
func (a *applier) defaultExpr(t *catalog.Table, c *catalog.Column, raw *pg.Node, kind analyze.ExprKind) query.Expr {
	if kind == analyze.KindGenerated {
		if e, err := analyze.TableExpr(a.cat, t, a.stmt.Text, raw, kind, 0, c.Typmod); err == nil {
			a.notGenerated(t, e)
			a.immutable(e, "generation expression is not immutable")
		}
	}
	e, err := analyze.TableExpr(a.cat, t, a.stmt.Text, raw, kind, c.Type, c.Typmod)
	if err != nil && strings.HasPrefix(err.Message, "column is of type") {
		named := *err
		named.Message = fmt.Sprintf("column %q%s", c.Name,
			strings.Replace(strings.TrimPrefix(err.Message, "column"), "generation expression", "default expression", 1))
		err = &named
	}
	if a.orWarn(err) != "" {
		return nil
	}
	if kind == analyze.KindGenerated {
		a.immutable(e, "generation expression is not immutable")
	}
	return a.byOID(e)
}

// notGenerated refuses a generated column in the expression of another, or of
// itself (check_nested_generated, heap.c).
func (a *applier) notGenerated(t *catalog.Table, e query.Expr) {
	query.Walk(e, func(x query.Expr) bool {
		v, ok := x.(*query.Var)
		if !ok {
			return true
		}
		if c := t.Attr(v.AttNo); c != nil && c.Generated != 0 {
			d := a.failure("42P17", noLoc, fmt.Sprintf("cannot use generated column %q in column generation expression", c.Name))
			d.Detail = "A generated column cannot reference another generated column."
			if !v.Span().IsZero() {
				d.Span = a.stmt.FileSpan(v.Span())
			}
			panic(failure{d})
		}
		return true
	})
}

// byOID makes the relations that an expression names as regclass constants
// numbers, which a renaming does not touch.
func (a *applier) byOID(e query.Expr) query.Expr {
	return query.Transform(e, func(x query.Expr) (query.Expr, bool) {
		c, ok := x.(*query.Const)
		if !ok || c.Typ != pgtype.RegclassOID || c.Null {
			return x, false
		}
		if t := a.regclass(c.Value); t != nil {
			n := *c
			n.Value = strconv.FormatUint(uint64(t.OID), 10)
			return &n, true
		}
		return x, true
	})
}

// regclass is the user's relation that the text of a regclass constant names, by
// its OID or its name; nil for none.
func (a *applier) regclass(value string) *catalog.Table {
	if oid, err := strconv.ParseUint(value, 10, 32); err == nil {
		return a.cat.Table(pgtype.OID(oid))
	}
	parts := identifiers(value)
	switch len(parts) {
	case 1:
		return a.cat.TableByName("", parts[0])
	case 2:
		return a.cat.TableByName(parts[0], parts[1])
	}
	return nil
}

// identifiers takes a dotted name apart, folding what is not quoted
// (SplitIdentifierString, varlena.c).
func identifiers(s string) []string {
	var out []string
	var part strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' && quoted && i+1 < len(s) && s[i+1] == '"':
			part.WriteByte(c)
			i++
		case c == '"':
			quoted = !quoted
		case c == '.' && !quoted:
			out = append(out, part.String())
			part.Reset()
		case !quoted && c >= 'A' && c <= 'Z':
			part.WriteByte(c + 'a' - 'A')
		default:
			part.WriteByte(c)
		}
	}
	return append(out, part.String())
}

// storage reads the storage parameters that planning knows.
func (a *applier) storage(t *catalog.Table, options []*pg.Node) {
	for _, n := range options {
		d := n.GetDefElem()
		if d.Defnamespace != "" {
			continue
		}
		switch d.Defname {
		case "fillfactor":
			t.FillFactor = defInt(d)
		case "parallel_workers":
			t.ParallelWorkers = defInt(d)
		case "security_barrier":
			t.SecurityBarrier = defBool(d)
		case "security_invoker":
			t.SecurityInvoker = defBool(d)
		case "check_option":
			switch defString(d) {
			case "local":
				t.CheckOption = 'l'
			case "cascaded":
				t.CheckOption = 'c'
			}
		}
	}
}

// element reads one item of the parenthesised list of CREATE TABLE.
func (a *applier) element(b *tableBuild, n *pg.Node) {
	switch e := n.Node.(type) {
	case *pg.Node_ColumnDef:
		a.columnDef(b, e.ColumnDef)
	case *pg.Node_Constraint:
		a.tableConstraint(b, e.Constraint)
	case *pg.Node_TableLikeClause:
		a.like(b, e.TableLikeClause)
	}
}

// columnsOfType gives a typed table the columns of its type.
func (a *applier) columnsOfType(b *tableBuild, n *pg.TypeName) {
	oid, rel := a.ofType(n)
	b.t.OfType = oid
	for _, c := range rel.Columns {
		if !c.Dropped {
			x := *c
			a.addColumn(b.t, &x, "column")
			b.merged[c.Name] = true
		}
	}
}

// inherit copies the columns of parents (MergeAttributes, tablecmds.c).
func (a *applier) inherit(b *tableBuild, list []*pg.Node) []*catalog.Table {
	var parents []*catalog.Table
	for _, n := range list {
		r := n.GetRangeVar()
		p := a.relation(r)
		switch {
		case p.Kind != catalog.KindTable && p.Kind != catalog.KindPartitioned && p.Kind != catalog.KindForeign:
			a.fail("42809", int(r.Location), "inherited relation %q is not a table or foreign table", p.Name)
		case b.t.IsPartition && p.Kind != catalog.KindPartitioned:
			a.fail("42P17", int(r.Location), "%q is not partitioned", p.Name)
		case !b.t.IsPartition && p.Kind == catalog.KindPartitioned:
			a.fail("42809", int(r.Location), "cannot inherit from partitioned table %q", p.Name)
		case !b.t.IsPartition && p.IsPartition:
			a.fail("42809", int(r.Location), "cannot inherit from partition %q", p.Name)
		}
		if slices.Contains(parents, p) {
			a.fail("42P07", noLoc, "relation %q would be inherited from more than once", p.Name)
		}
		parents = append(parents, p)
		b.t.Parents = append(b.t.Parents, p.OID)
		for _, c := range p.Columns {
			if !c.Dropped {
				a.inheritColumn(b, p, c)
			}
		}
	}
	return parents
}

func (a *applier) inheritColumn(b *tableBuild, p *catalog.Table, c *catalog.Column) {
	if old := b.t.Column(c.Name); old != nil {
		a.sameType("inherited column", old, c)
		old.NotNull = old.NotNull || c.NotNull
		old.InhCount++
		if (old.Generated != 0) != (c.Generated != 0) {
			a.fail("42804", noLoc, "inherited column %q has a generation conflict", c.Name)
		}
		mine := mapColumns(c.Default, p, b.t)
		if old.Default == nil {
			old.HasDefault, old.Default = c.HasDefault, mine
		} else if c.Default != nil && !query.Equal(old.Default, mine) {
			b.conflicts = append(b.conflicts, old)
		}
		return
	}
	x := *c
	x.InhCount, x.Local, x.Comment = 1, false, ""
	// A partition has its parent's identity since PostgreSQL 17.
	if c.Identity != 0 && !(b.t.IsPartition && a.cat.Major >= 17) {
		x.Identity = 0
		x.HasDefault = c.Default != nil
	}
	a.addColumn(b.t, &x, "column")
	x.Default = mapColumns(c.Default, p, b.t)
	b.merged[c.Name] = true
}

func (a *applier) sameType(what string, old, c *catalog.Column) {
	if old.Type != c.Type || old.Typmod != c.Typmod {
		d := a.failure("42804", noLoc, fmt.Sprintf("%s %q has a type conflict", what, c.Name))
		d.Detail = fmt.Sprintf("%s versus %s", a.typeModWord(old), a.typeModWord(c))
		panic(failure{d})
	}
	if old.Collation != c.Collation {
		a.fail("42P21", noLoc, "%s %q has a collation conflict", what, c.Name)
	}
}

// constraint returns a table's constraint with the given name, nil if none.
func constraint(t *catalog.Table, name string) *catalog.Constraint {
	for _, k := range t.Constraints {
		if k.Name == name {
			return k
		}
	}
	return nil
}

// foreignConstraint refuses the constraints that a foreign table cannot have
// (transformColumnDefinition and transformTableConstraint, parse_utilcmd.c).
func (a *applier) foreignConstraint(k *pg.Constraint) {
	word := map[pg.ConstrType]string{
		pg.ConstrType_CONSTR_PRIMARY: "primary key", pg.ConstrType_CONSTR_UNIQUE: "unique",
		pg.ConstrType_CONSTR_FOREIGN: "foreign key", pg.ConstrType_CONSTR_EXCLUSION: "exclusion",
	}[k.GetContype()]
	if word != "" {
		a.fail("0A000", int(k.Location), "%s constraints are not supported on foreign tables", word)
	}
}

func (a *applier) createForeignTable(s *pg.CreateForeignTableStmt) {
	base := s.BaseStmt
	for _, n := range base.TableElts {
		a.foreignConstraint(n.GetConstraint())
		for _, m := range n.GetColumnDef().GetConstraints() {
			a.foreignConstraint(m.GetConstraint())
		}
	}
	before := len(a.diags)
	a.createTable(base)
	if len(a.diags) > before && a.diags[before:].Max() >= diag.Error {
		return
	}
	if t := a.cat.TableByName(base.Relation.Schemaname, base.Relation.Relname); t != nil {
		t.Kind, t.Server = catalog.KindForeign, s.Servername
	}
}
