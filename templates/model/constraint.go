package model

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/deparse"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/templates/naming"
)

// write is one change that a statement makes to a table.
type write struct {
	table *catalog.Table
	// insert, update and remove say what is done; several for an upsert.
	insert, update, remove bool
	// inserted and updated are the columns that get a value.
	inserted, updated map[int]bool
	// conflict is the ON CONFLICT clause of an INSERT.
	conflict *query.OnConflictExpr
}

// violated returns the constraints that the query at work can violate, in the
// order of their names. Triggers, and rows that a foreign key's action changes
// beyond deleting them, are not followed.
func (b *builder) violated() []*ConstraintError {
	found := map[string]*ConstraintError{}
	q := b.query.Analyzed.Query
	b.writes(q, found)
	for _, c := range q.CTEs {
		if c.Query != nil {
			b.writes(c.Query, found)
		}
	}
	return values(found, func(e *ConstraintError) string { return e.Name })
}

// writes adds what one statement, with its own target relation, can violate.
func (b *builder) writes(q *query.Query, found map[string]*ConstraintError) {
	if q.ResultRelation == 0 || q.ResultRelation > len(q.RangeTable) {
		return
	}
	t := b.in.Catalog.Table(q.RTE(q.ResultRelation).Relation)
	if t == nil {
		return
	}
	w := write{table: t, inserted: map[int]bool{}, updated: map[int]bool{}}
	switch q.Command {
	case query.CmdInsert:
		w.insert, w.conflict = true, q.OnConflict
		assigned(w.inserted, q.TargetList)
		if c := q.OnConflict; c != nil && c.Action == query.OnConflictUpdate {
			w.update = true
			assigned(w.updated, c.Set)
		}
	case query.CmdUpdate:
		w.update = true
		assigned(w.updated, q.TargetList)
	case query.CmdDelete:
		w.remove = true
	case query.CmdMerge:
		for _, a := range q.MergeActions {
			switch a.Command {
			case query.CmdInsert:
				w.insert = true
				assigned(w.inserted, a.TargetList)
			case query.CmdUpdate:
				w.update = true
				assigned(w.updated, a.TargetList)
			case query.CmdDelete:
				w.remove = true
			}
		}
	}
	b.own(&w, found)
	if w.update || w.remove {
		b.referencing(&w, found, map[pgtype.OID]bool{})
	}
}

// assigned notes the columns of a target list.
func assigned(columns map[int]bool, list []*query.TargetEntry) {
	for _, te := range list {
		if !te.Junk {
			columns[te.ResNo] = true
		}
	}
}

// own adds the constraints of the written table itself.
func (b *builder) own(w *write, found map[string]*ConstraintError) {
	if !w.insert && !w.update {
		return
	}
	b.domains(w, found)
	named := map[pgtype.OID]bool{}
	for _, k := range w.table.Constraints {
		switch k.Kind {
		case catalog.ConstraintPrimary, catalog.ConstraintUnique, catalog.ConstraintExclusion:
			named[k.Index] = true
			x := b.in.Catalog.Index(k.Index)
			if b.canRepeat(w, k.Columns, x) && !arbiter(w.conflict, k, x) || w.touches(k.Columns) {
				b.add(found, w.table, k, nil)
			}
		case catalog.ConstraintCheck:
			if w.insert && (len(k.Columns) == 0 || w.gives(k.Columns)) || w.update && (len(k.Columns) == 0 || w.touches(k.Columns)) {
				b.add(found, w.table, k, nil)
			}
		case catalog.ConstraintForeign:
			if w.insert && b.complete(w, k.Columns) && w.gives(k.Columns) || w.touches(k.Columns) {
				b.add(found, w.table, k, nil)
			}
		}
	}
	for _, x := range w.table.Indexes {
		if !x.Unique || named[x.OID] {
			continue
		}
		columns := keyColumns(x)
		if b.canRepeat(w, columns, x) && !arbiter(w.conflict, nil, x) || w.touches(columns) {
			b.add(found, w.table, nil, x)
		}
	}
}

// domains adds the checks of the domains that written columns have.
func (b *builder) domains(w *write, found map[string]*ConstraintError) {
	for _, c := range w.table.Columns {
		if !w.inserted[c.Number] && !w.updated[c.Number] {
			continue
		}
		for t := b.in.Catalog.Type(c.Type); t != nil && t.Kind == 'd'; t = b.in.Catalog.Type(t.Base) {
			for _, k := range t.Checks {
				b.addDomain(found, t, k)
			}
		}
	}
}

// addDomain adds a check of a domain; the server reports no table with it.
func (b *builder) addDomain(found map[string]*ConstraintError, t *catalog.Type, k *catalog.Constraint) {
	key := t.Schema + "\x00\x00" + t.Name + "\x00" + k.Name
	e := b.violations[key]
	if e == nil {
		e = &ConstraintError{Schema: t.Schema, Constraint: k.Name, owner: t.Name}
		e.Name = cmp.Or(b.errNames[key], "Err"+naming.Exported(k.Name))
		e.Doc = fmt.Sprintf("%s matches the violation of the constraint %s of the domain %s", e.Name, k.Name, t.Name)
		if k.Expr != nil {
			e.Definition = deparse.ConstraintDef(b.in.Catalog, k)
		}
		b.violations[key] = e
	}
	found[key] = e
}

// keyColumns are the columns that the keys of an index are made of.
func keyColumns(x *catalog.Index) []int {
	var columns []int
	note := func(e query.Expr) {
		query.Walk(e, func(e query.Expr) bool {
			if v, ok := e.(*query.Var); ok {
				columns = append(columns, v.AttNo)
			}
			return true
		})
	}
	for _, k := range x.Keys[:x.NumKeys] {
		if k.Column != 0 {
			columns = append(columns, k.Column)
		} else {
			note(k.Expr)
		}
	}
	for _, e := range x.Predicate {
		note(e)
	}
	return columns
}

// touches reports whether an UPDATE sets one of the columns.
func (w *write) touches(columns []int) bool {
	return w.update && slices.ContainsFunc(columns, func(n int) bool { return w.updated[n] })
}

// gives reports whether an INSERT gives one of the columns a value.
func (w *write) gives(columns []int) bool {
	return slices.ContainsFunc(columns, func(n int) bool { return w.inserted[n] })
}

// canRepeat reports whether an INSERT can bring a key that is there already: not
// with a column that numbers itself, or that is left NULL.
func (b *builder) canRepeat(w *write, columns []int, x *catalog.Index) bool {
	if !w.insert {
		return false
	}
	for _, n := range columns {
		c := w.table.Attr(n)
		if w.inserted[n] || c == nil {
			continue
		}
		if c.Identity != 0 || b.isSerial(w.table, n) || !c.HasDefault && (x == nil || !x.NullsNotDistinct) {
			return false
		}
	}
	return true
}

// isSerial reports a column that owns a sequence.
func (b *builder) isSerial(t *catalog.Table, n int) bool {
	return slices.ContainsFunc(b.in.Catalog.Tables(), func(s *catalog.Table) bool {
		return s.Kind == catalog.KindSequence && s.OwnerTable == t.OID && s.OwnerColumn == n
	})
}

// complete reports whether all columns of a foreign key may come out not null: a
// NULL in one passes.
func (b *builder) complete(w *write, columns []int) bool {
	for _, n := range columns {
		if c := w.table.Attr(n); c != nil && !w.inserted[n] && !c.HasDefault {
			return false
		}
	}
	return true
}

// arbiter reports whether ON CONFLICT takes care of a key: the one named or
// inferred, or without a target all of them.
func arbiter(c *query.OnConflictExpr, k *catalog.Constraint, x *catalog.Index) bool {
	switch {
	case c == nil:
		return false
	case c.Constraint != 0:
		return k != nil && k.OID == c.Constraint
	case len(c.ArbiterElems) == 0:
		return true
	case x == nil || len(c.ArbiterElems) != x.NumKeys || len(x.Predicate) > 0 && c.ArbiterWhere == nil:
		return false
	}
	for _, key := range x.Keys[:x.NumKeys] {
		if !slices.ContainsFunc(c.ArbiterElems, func(e *query.InferenceElem) bool { return sameKey(e.Arg, key) }) {
			return false
		}
	}
	return true
}

func sameKey(e query.Expr, key catalog.IndexKey) bool {
	if v, ok := e.(*query.Var); ok && key.Column != 0 {
		return v.AttNo == key.Column
	}
	return key.Expr != nil && query.Equal(e, key.Expr)
}

// referencing adds the foreign keys of other tables that stop a change of the
// referenced rows, and follows ON DELETE CASCADE.
func (b *builder) referencing(w *write, found map[string]*ConstraintError, seen map[pgtype.OID]bool) {
	if seen[w.table.OID] {
		return
	}
	seen[w.table.OID] = true
	for _, t := range b.in.Catalog.Tables() {
		if t.IsPartition {
			continue // its keys are those of the partitioned table
		}
		for _, k := range t.Constraints {
			if k.Kind != catalog.ConstraintForeign || k.RefTable != w.table.OID {
				continue
			}
			refuses := func(action byte) bool { return action == 'a' || action == 'r' }
			if w.remove && refuses(k.OnDelete) || w.touches(k.RefColumns) && refuses(k.OnUpdate) {
				b.add(found, t, k, nil)
			}
			if w.remove && k.OnDelete == 'c' {
				b.referencing(&write{table: t, remove: true}, found, seen)
			}
		}
	}
}

// add adds a constraint, or a unique index without one, of a table.
func (b *builder) add(found map[string]*ConstraintError, t *catalog.Table, k *catalog.Constraint, x *catalog.Index) {
	name := ""
	if k != nil {
		name = k.Name
	} else {
		name = x.Name
	}
	key := t.Schema + "\x00" + t.Name + "\x00" + name
	e := b.violations[key]
	if e == nil {
		e = &ConstraintError{Schema: t.Schema, Table: t.Name, Constraint: name, owner: t.Name}
		e.Name = cmp.Or(b.errNames[key], "Err"+naming.Exported(name))
		what := "the unique index " + name + " of " + t.Name
		if k != nil {
			what = fmt.Sprintf("the constraint %s of %s", name, t.Name)
			// An exclusion constraint's operators are not in the catalog.
			if k.Kind != catalog.ConstraintExclusion && (k.Kind != catalog.ConstraintCheck || k.Expr != nil) {
				e.Definition = deparse.ConstraintDef(b.in.Catalog, k)
			}
			x = b.in.Catalog.Index(k.Index)
		}
		if k == nil {
			e.Definition = deparse.IndexDef(b.in.Catalog, x)
		}
		e.Doc = fmt.Sprintf("%s matches the violation of %s", e.Name, what)
		e.Partitions = b.partitions(t, t, k, x, name)
		if k != nil && k.Kind == catalog.ConstraintForeign && !t.IsPartition && t.Kind != catalog.KindPartitioned {
			e.Partitions = b.referencedPartitions(t, k)
		}
		b.violations[key] = e
	}
	found[key] = e
}

// claimErrors names the errors that the first run found. A name that several
// constraints would have, as the checks of different tables can, gets the table
// in front for all of them.
func (b *builder) claimErrors(first *builder) {
	wish := map[string]int{}
	for _, e := range first.violations {
		wish["Err"+naming.Exported(e.Constraint)]++
	}
	for _, key := range slices.Sorted(maps.Keys(first.violations)) {
		e := first.violations[key]
		name := "Err" + naming.Exported(e.Constraint)
		long := "Err" + naming.Exported(e.owner+"_"+e.Constraint)
		if strings.HasPrefix(e.Constraint, e.owner+"_") {
			long = name
		}
		if wish[name] > 1 {
			name = long
		}
		b.errNames[key] = b.scope.Name(name, long)
	}
}
