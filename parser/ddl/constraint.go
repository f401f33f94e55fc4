package ddl

import (
	"fmt"
	"slices"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// addCheck adds a CHECK constraint to a table and those that inherit from it. A
// constraint without a name is called after the only column that it reads
// (AddRelationNewConstraints, heap.c).
func (a *applier) addCheck(t *catalog.Table, c *pg.Constraint, recurse bool) {
	loc := int(c.Location)
	e, why := a.expr(t, c.RawExpr, analyze.KindCheck, pgtype.BoolOID, pgtype.NoTypmod)
	if c.IsNoInherit && t.Kind == catalog.KindPartitioned {
		// StoreRelCheck (heap.c).
		a.fail("42P16", noLoc, "cannot add NO INHERIT constraint to partitioned table %q", t.Name)
	}
	name := c.Conname
	if name == "" {
		column := ""
		if e != nil {
			if read := columnsOf(e); len(read) == 1 && read[0] > 0 {
				column = t.ColumnName(read[0])
			}
		}
		name = a.chooseConstraintName(t.Name, column, "check", t.Schema)
	}
	if old := constraint(t, name); old != nil {
		if old.Kind == catalog.ConstraintCheck && e != nil && query.Equal(old.Expr, e) && old.InhCount > 0 && !old.Local {
			old.Local = true
			return
		}
		a.fail("42710", loc, "constraint %q for relation %q already exists", name, t.Name)
	}
	k := &catalog.Constraint{
		OID: a.cat.NewOID(), Name: name, Kind: catalog.ConstraintCheck, Table: t.OID, Expr: e, CheckError: why,
		Validated: !c.SkipValidation, NoInherit: c.IsNoInherit, Local: true, Decl: a.decl(loc),
	}
	if e != nil {
		k.Columns = slices.DeleteFunc(columnsOf(e), func(n int) bool { return n <= 0 })
	}
	a.cat.AddConstraint(k)
	if !recurse || c.IsNoInherit {
		return
	}
	a.passCheck(t, k)
}

// foreignSpec is a FOREIGN KEY as written.
type foreignSpec struct {
	attributes
	c       *pg.Constraint
	columns []string
}

// addForeignKey creates a foreign key and those of the table's partitions
// (ATAddForeignKeyConstraint, tablecmds.c).
func (a *applier) addForeignKey(t *catalog.Table, s *foreignSpec) {
	loc := int(s.c.Location)
	ref := a.relation(s.c.Pktable)
	if ref.Kind != catalog.KindTable && ref.Kind != catalog.KindPartitioned {
		a.fail("42809", int(s.c.Pktable.Location), "referenced relation %q is not a table", ref.Name)
	}
	a.notSystem(ref, noLoc)
	switch {
	case ref.Temp && !t.Temp, ref.Unlogged && !t.Unlogged && !t.Temp:
		if !t.Unlogged || ref.Temp {
			word := "permanent"
			if t.Unlogged {
				a.fail("42P16", noLoc, "constraints on unlogged tables may reference only permanent or unlogged tables")
			}
			a.fail("42P16", noLoc, "constraints on %s tables may reference only %s tables", word, word)
		}
	case t.Temp && !ref.Temp:
		a.fail("42P16", noLoc, "constraints on temporary tables may reference only temporary tables")
	}
	k := &catalog.Constraint{
		Name: s.c.Conname, Kind: catalog.ConstraintForeign, Table: t.OID, RefTable: ref.OID,
		OnUpdate: action(s.c.FkUpdAction), OnDelete: action(s.c.FkDelAction), MatchFull: s.c.FkMatchtype == "f",
		Deferrable: s.deferrable, Deferred: s.deferred, Validated: !s.c.SkipValidation || s.c.InitiallyValid,
		NoInherit: true, Decl: a.decl(loc),
	}
	for _, name := range s.columns {
		k.Columns = append(k.Columns, a.foreignColumn(t, name, loc).Number)
	}
	for _, name := range strs(s.c.FkDelSetCols) {
		c := a.foreignColumn(t, name, loc)
		if !slices.Contains(k.Columns, c.Number) {
			a.fail("42P10", noLoc, "column %q referenced in ON DELETE SET action must be part of foreign key", name)
		}
		k.DeleteColumns = append(k.DeleteColumns, c.Number)
	}
	var index *catalog.Index
	if len(s.c.PkAttrs) == 0 {
		pk := primaryKey(ref)
		if pk == nil {
			a.fail("42704", loc, "there is no primary key for referenced table %q", ref.Name)
		}
		index = a.cat.Index(pk.Index)
		k.RefColumns = slices.Clone(pk.Columns)
	} else {
		for _, name := range strs(s.c.PkAttrs) {
			k.RefColumns = append(k.RefColumns, a.foreignColumn(ref, name, loc).Number)
		}
	}
	if index == nil {
		index = a.referencedIndex(ref, k.RefColumns, loc)
	}
	if len(k.RefColumns) != len(k.Columns) {
		a.fail("42830", loc, "number of referencing and referenced columns for foreign key disagree")
	}
	k.Index = index.OID
	if k.Name == "" {
		k.Name = a.chooseConstraintName(t.Name, nameAddition(s.columns), "fkey", t.Schema)
	} else if constraint(t, k.Name) != nil {
		a.fail("42710", loc, "constraint %q for relation %q already exists", k.Name, t.Name)
	}
	a.foreignOperators(t, ref, k, index, loc)
	k.OID = a.cat.NewOID()
	a.cat.AddConstraint(k)
	for _, c := range a.children(t) {
		if t.Kind == catalog.KindPartitioned {
			a.cloneForeignKey(t, k, c)
		}
	}
}

func (a *applier) foreignColumn(t *catalog.Table, name string, loc int) *catalog.Column {
	c := t.Column(name)
	if c == nil {
		for _, s := range catalog.SystemColumns() {
			if s.Name == name {
				a.fail("0A000", loc, "system columns cannot be used in foreign keys")
			}
		}
		a.failMore("42703", loc, "", a.columnHint(t, name),
			"column %q referenced in foreign key constraint does not exist", name)
	}
	return c
}

func action(s string) byte {
	if s == "" {
		return 'a'
	}
	return s[0]
}

// referencedIndex finds the unique index over just the referenced columns
// (transformFkeyCheckAttrs, tablecmds.c).
func (a *applier) referencedIndex(ref *catalog.Table, columns []int, loc int) *catalog.Index {
	for i, c := range columns {
		if slices.Contains(columns[:i], c) {
			a.fail("42830", loc, "foreign key referenced-columns list must not contain duplicates")
		}
	}
	deferrable := false
	for _, x := range ref.Indexes {
		if !x.Unique || !x.Valid || x.Predicate != nil || x.NumKeys != len(columns) {
			continue
		}
		all := true
		for _, k := range x.Keys[:x.NumKeys] {
			all = all && k.Column != 0 && slices.Contains(columns, k.Column)
		}
		if !all {
			continue
		}
		if x.Immediate {
			return x
		}
		deferrable = true
	}
	if deferrable {
		a.fail("55000", loc, "cannot use a deferrable unique constraint for referenced table %q", ref.Name)
	}
	a.fail("42830", loc, "there is no unique constraint matching given keys for referenced table %q", ref.Name)
	return nil
}

// foreignOperators finds the PK = FK operator of each column pair.
func (a *applier) foreignOperators(t, ref *catalog.Table, k *catalog.Constraint, x *catalog.Index, loc int) {
	for i, n := range k.RefColumns {
		pkCol, fkCol := ref.Attr(n), t.Attr(k.Columns[i])
		var key *catalog.IndexKey
		for j := range x.Keys[:x.NumKeys] {
			if x.Keys[j].Column == n {
				key = &x.Keys[j]
			}
		}
		var op pgtype.OID
		if key != nil && key.Family != 0 {
			op = a.foreignOperator(key, pkCol.Type, fkCol.Type)
		}
		if op == 0 {
			detail := fmt.Sprintf("Key columns %q and %q are of incompatible types: %s and %s.",
				fkCol.Name, pkCol.Name, a.typeWord(fkCol.Type), a.typeWord(pkCol.Type))
			if a.cat.Major >= 18 {
				detail = fmt.Sprintf("Key columns %q of the referencing table and %q of the referenced table are of incompatible types: %s and %s.",
					fkCol.Name, pkCol.Name, a.typeWord(fkCol.Type), a.typeWord(pkCol.Type))
			}
			a.failMore("42804", loc, detail, "", "foreign key constraint %q cannot be implemented", k.Name)
		}
		k.EqOps = append(k.EqOps, op)
	}
}

func (a *applier) foreignOperator(key *catalog.IndexKey, pk, fk pgtype.OID) pgtype.OID {
	base := a.cat.BaseType(fk)
	// The operators of a polymorphic class take two of one type; of enums alone
	// no domain is one (check_generic_type_consistency, parse_coerce.c).
	switch key.InType {
	case pgtype.AnyenumOID:
		if pk != fk || base != fk {
			return 0
		}
	case pgtype.AnyarrayOID, pgtype.AnyrangeOID, pgtype.AnymultirangeOID:
		if a.cat.BaseType(pk) != base {
			return 0
		}
	}
	if op := a.cat.OpFamilyMember(key.Family, key.InType, base, catalog.BTEqual); op != 0 {
		return op
	}
	// Fall back on the index's own operator where the column can be cast to it
	// without being asked.
	if a.cat.BinaryCoercible(base, key.InType) {
		return a.cat.OpFamilyMember(key.Family, key.InType, key.InType, catalog.BTEqual)
	}
	if c := a.cat.Cast(base, key.InType); c != nil && c.Context == catalog.CastImplicit {
		return a.cat.OpFamilyMember(key.Family, key.InType, key.InType, catalog.BTEqual)
	}
	return 0
}

// cloneForeignKey gives a partition its parent's foreign key, unless it has the
// same one already (CloneFkReferencing, tablecmds.c).
func (a *applier) cloneForeignKey(parent *catalog.Table, k *catalog.Constraint, t *catalog.Table) {
	if t.Kind == catalog.KindForeign {
		return
	}
	columns := mapNumbers(k.Columns, parent, t)
	for _, o := range t.Constraints {
		if o.Kind == catalog.ConstraintForeign && o.RefTable == k.RefTable && slices.Equal(o.Columns, columns) &&
			slices.Equal(o.RefColumns, k.RefColumns) && o.OnDelete == k.OnDelete && o.OnUpdate == k.OnUpdate &&
			o.Deferrable == k.Deferrable && o.Deferred == k.Deferred && o.MatchFull == k.MatchFull {
			return
		}
	}
	x := *k
	x.OID, x.Table, x.Columns, x.NoInherit = a.cat.NewOID(), t.OID, columns, false
	x.DeleteColumns = mapNumbers(k.DeleteColumns, parent, t)
	if constraint(t, x.Name) != nil {
		var read []string
		for _, n := range columns {
			read = append(read, t.ColumnName(n))
		}
		x.Name = a.chooseConstraintName(t.Name, nameAddition(read), "fkey", t.Schema)
	}
	a.cat.AddConstraint(&x)
	if t.Kind == catalog.KindPartitioned {
		for _, c := range a.children(t) {
			a.cloneForeignKey(t, &x, c)
		}
	}
}
