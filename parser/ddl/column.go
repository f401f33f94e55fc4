package ddl

import (
	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// columnDef reads a column of CREATE TABLE or ADD COLUMN
// (transformColumnDefinition, parse_utilcmd.c). In a table with parents it may
// name an inherited column once more.
func (a *applier) columnDef(b *tableBuild, d *pg.ColumnDef) *catalog.Column {
	c := &catalog.Column{Name: d.Colname, Decl: a.decl(int(d.Location)), Typmod: pgtype.NoTypmod, Local: true}
	old := b.t.Column(d.Colname)
	switch {
	case d.TypeName == nil && old == nil:
		a.failMore("42703", int(d.Location), "", a.columnHint(b.t, d.Colname), "column %q does not exist", d.Colname)
	case d.TypeName == nil:
		c = old
	default:
		serial := serialType(d.TypeName)
		if serial != 0 {
			if len(d.TypeName.ArrayBounds) > 0 {
				a.fail("0A000", int(d.TypeName.Location), "array of serial is not implemented")
			}
			c.Type = serial
		} else {
			c.Type, c.Typmod = a.declaredType(d.TypeName)
			a.usable(c.Name, c.Type, int(d.TypeName.Location))
		}
		c.Dims = len(d.TypeName.ArrayBounds)
		c.Collation = a.columnCollation(c, d.CollClause)
		if old != nil && b.merged[c.Name] {
			a.sameType("column", old, c)
			delete(b.merged, c.Name)
			c, old = old, nil
			c.Local = true
			a.mergedGeneration(c, d)
		} else {
			a.addColumn(b.t, c, "column")
		}
		if serial != 0 {
			a.serial(b, c)
		}
	}
	a.columnConstraints(b, c, d)
	return c
}

// mergedGeneration refuses a column that is generated in the parent and not here,
// or the other way round (MergeAttributes, tablecmds.c).
func (a *applier) mergedGeneration(c *catalog.Column, d *pg.ColumnDef) {
	for _, n := range d.Constraints {
		switch k := n.GetConstraint().GetContype(); {
		case c.Generated != 0 && k == pg.ConstrType_CONSTR_DEFAULT:
			a.fail("42611", noLoc, "column %q inherits from generated column but specifies default", c.Name)
		case c.Generated != 0 && k == pg.ConstrType_CONSTR_IDENTITY:
			a.fail("42611", noLoc, "column %q inherits from generated column but specifies identity", c.Name)
		case c.Generated == 0 && k == pg.ConstrType_CONSTR_GENERATED:
			a.failMore("42611", noLoc, "", "A child table column cannot be generated unless its parent column is.",
				"child column %q specifies generation expression", c.Name)
		}
	}
}

// serialType is the type behind serial and its kin, 0 for any other name.
func serialType(n *pg.TypeName) pgtype.OID {
	if len(n.Names) != 1 || n.PctType {
		return 0
	}
	switch n.Names[0].GetString_().GetSval() {
	case "smallserial", "serial2":
		return pgtype.Int2OID
	case "serial", "serial4":
		return pgtype.Int4OID
	case "bigserial", "serial8":
		return pgtype.Int8OID
	}
	return 0
}

// serial gives a column its sequence, default and NOT NULL
// (transformColumnDefinition).
func (a *applier) serial(b *tableBuild, c *catalog.Column) {
	q := a.ownSequence(b, c)
	name := a.cat.QuoteIdent(q.Schema) + "." + a.cat.QuoteIdent(q.Name)
	cast := &pg.Node{Node: &pg.Node_TypeCast{TypeCast: &pg.TypeCast{
		Arg:      pg.MakeAConstStrNode(name, noLoc),
		TypeName: &pg.TypeName{Names: names("pg_catalog", "regclass"), Typemod: -1, Location: noLoc},
		Location: noLoc,
	}}}
	b.defaults = append(b.defaults, pendingDefault{column: c, kind: analyze.KindColumnDefault, raw: &pg.Node{
		Node: &pg.Node_FuncCall{FuncCall: &pg.FuncCall{
			Funcname: names("pg_catalog", "nextval"), Args: []*pg.Node{cast}, Location: noLoc,
			Funcformat: pg.CoercionForm_COERCE_EXPLICIT_CALL,
		}},
	}})
	c.HasDefault, c.NotNull = true, true
}

func names(parts ...string) []*pg.Node {
	out := make([]*pg.Node, len(parts))
	for i, p := range parts {
		out[i] = pg.MakeStrNode(p)
	}
	return out
}

// ownSequence creates the sequence of a serial or identity column, named as
// generateSerialExtraStmts (parse_utilcmd.c) does.
func (a *applier) ownSequence(b *tableBuild, c *catalog.Column) *catalog.Table {
	return a.ownSequenceNamed(b, c, nil)
}

// ownSequenceNamed is ownSequence with the name that SEQUENCE NAME gives, nil for
// none.
func (a *applier) ownSequenceNamed(b *tableBuild, c *catalog.Column, given []*pg.Node) *catalog.Table {
	schema, name := split(given)
	if schema == "" {
		schema = b.t.Schema
	}
	if name == "" {
		name = a.chooseRelationName(b.t.Name, c.Name, "seq", schema, false)
	} else {
		a.newRelation(schema, name, noLoc)
	}
	q := a.addSequence(schema, name, c.Decl)
	b.sequences = append(b.sequences, q)
	b.seqColumn = append(b.seqColumn, c.Name)
	return q
}

// columnConstraints reads what stands behind a column's type.
func (a *applier) columnConstraints(b *tableBuild, c *catalog.Column, d *pg.ColumnDef) {
	serial := c.HasDefault && d.TypeName != nil && serialType(d.TypeName) != 0
	sawNull, sawDefault, sawIdentity, sawGenerated := false, serial, false, false
	where := func() (string, string) { return c.Name, b.t.Name }
	var deferrable *attributes
	for _, n := range d.Constraints {
		k := n.GetConstraint()
		loc := int(k.Location)
		col, tab := where()
		switch k.Contype {
		case pg.ConstrType_CONSTR_NULL:
			if c.NotNull && c.InhCount == 0 {
				a.fail("42601", loc, "conflicting NULL/NOT NULL declarations for column %q of table %q", col, tab)
			}
			sawNull = true
		case pg.ConstrType_CONSTR_NOTNULL:
			if sawNull {
				a.fail("42601", loc, "conflicting NULL/NOT NULL declarations for column %q of table %q", col, tab)
			}
			c.NotNull = true
			if k.Conname != "" {
				if a.notNull == nil {
					a.notNull = map[*catalog.Column]string{}
				}
				a.notNull[c] = k.Conname
			}
		case pg.ConstrType_CONSTR_DEFAULT:
			if sawDefault {
				a.fail("42601", loc, "multiple default values specified for column %q of table %q", col, tab)
			}
			sawDefault, c.HasDefault = true, true
			b.defaults = append(b.defaults, pendingDefault{c, k.RawExpr, analyze.KindColumnDefault})
		case pg.ConstrType_CONSTR_IDENTITY:
			if sawIdentity {
				a.fail("42601", loc, "multiple identity specifications for column %q of table %q", col, tab)
			}
			if sawNull {
				a.fail("42601", loc, "conflicting NULL/NOT NULL declarations for column %q of table %q", col, tab)
			}
			sawIdentity = true
			a.identity(b, c, k)
		case pg.ConstrType_CONSTR_GENERATED:
			if sawGenerated {
				a.fail("42601", loc, "multiple generation clauses specified for column %q of table %q", col, tab)
			}
			sawGenerated = true
			c.Generated, c.HasDefault = 's', true
			b.defaults = append(b.defaults, pendingDefault{c, k.RawExpr, analyze.KindGenerated})
		case pg.ConstrType_CONSTR_CHECK:
			b.checks = append(b.checks, pendingCheck{k, c.Name})
		case pg.ConstrType_CONSTR_PRIMARY, pg.ConstrType_CONSTR_UNIQUE:
			spec := a.keySpec(k)
			spec.columns = []string{c.Name}
			b.keys = append(b.keys, spec)
			deferrable = &spec.attributes
		case pg.ConstrType_CONSTR_FOREIGN:
			spec := &foreignSpec{c: k, columns: []string{c.Name}, attributes: attributesOf(k)}
			b.foreign = append(b.foreign, spec)
			deferrable = &spec.attributes
		default:
			a.constraintAttribute(k, deferrable)
		}
		switch {
		case sawDefault && sawIdentity:
			a.fail("42601", loc, "both default and identity specified for column %q of table %q", col, tab)
		case sawDefault && sawGenerated:
			a.fail("42601", loc, "both default and generation expression specified for column %q of table %q", col, tab)
		case sawIdentity && sawGenerated:
			a.fail("42601", loc, "both identity and generation expression specified for column %q of table %q", col, tab)
		}
	}
}

// identity makes a column an identity.
func (a *applier) identity(b *tableBuild, c *catalog.Column, k *pg.Constraint) {
	switch a.cat.BaseType(c.Type) {
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID:
	default:
		a.fail("22023", int(k.Location), "identity column type must be smallint, integer, or bigint")
	}
	a.checkSequence(k.Options)
	var given []*pg.Node
	for _, n := range k.Options {
		if d := n.GetDefElem(); d.GetDefname() == "sequence_name" {
			given = nameParts(d.Arg)
		}
	}
	a.ownSequenceNamed(b, c, given)
	c.Identity = 'd'
	if k.GeneratedWhen == "a" {
		c.Identity = 'a'
	}
	c.NotNull = true
}

// attributes are the DEFERRABLE clauses of a constraint.
type attributes struct {
	deferrable, deferred bool
	// Which of the two clauses has been seen, of a column's constraint.
	sawDeferrable, sawInitially bool
}

func attributesOf(k *pg.Constraint) attributes {
	return attributes{deferrable: k.Deferrable, deferred: k.Initdeferred}
}

// constraintAttribute applies a DEFERRABLE clause to the constraint before it
// (transformConstraintAttrs, parse_utilcmd.c).
func (a *applier) constraintAttribute(k *pg.Constraint, to *attributes) {
	loc := int(k.Location)
	word := map[pg.ConstrType]string{
		pg.ConstrType_CONSTR_ATTR_DEFERRABLE:     "DEFERRABLE",
		pg.ConstrType_CONSTR_ATTR_NOT_DEFERRABLE: "NOT DEFERRABLE",
		pg.ConstrType_CONSTR_ATTR_DEFERRED:       "INITIALLY DEFERRED",
		pg.ConstrType_CONSTR_ATTR_IMMEDIATE:      "INITIALLY IMMEDIATE",
	}[k.Contype]
	if word == "" {
		return
	}
	if to == nil {
		a.fail("42601", loc, "misplaced %s clause", word)
	}
	switch k.Contype {
	case pg.ConstrType_CONSTR_ATTR_DEFERRABLE, pg.ConstrType_CONSTR_ATTR_NOT_DEFERRABLE:
		if to.sawDeferrable {
			a.fail("42601", loc, "multiple DEFERRABLE/NOT DEFERRABLE clauses not allowed")
		}
		to.sawDeferrable = true
	default:
		if to.sawInitially {
			a.fail("42601", loc, "multiple INITIALLY IMMEDIATE/DEFERRED clauses not allowed")
		}
		to.sawInitially = true
	}
	switch k.Contype {
	case pg.ConstrType_CONSTR_ATTR_DEFERRABLE:
		to.deferrable = true
	case pg.ConstrType_CONSTR_ATTR_NOT_DEFERRABLE:
		if to.deferred {
			a.fail("42601", loc, "constraint declared INITIALLY DEFERRED must be DEFERRABLE")
		}
		to.deferrable = false
	case pg.ConstrType_CONSTR_ATTR_DEFERRED:
		if to.sawDeferrable && !to.deferrable {
			a.fail("42601", loc, "constraint declared INITIALLY DEFERRED must be DEFERRABLE")
		}
		to.deferred, to.deferrable = true, true
	}
}

// typeModWord is a column's type with its modifier, as messages have it.
func (a *applier) typeModWord(c *catalog.Column) string {
	return a.cat.TypeName(c.Type, c.Typmod)
}
