package ddl

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
)

// Options of LIKE (TableLikeOption, parsenodes.h).
const (
	likeComments    = 1 << 0
	likeConstraints = 1 << 2
	likeDefaults    = 1 << 3
	likeGenerated   = 1 << 4
	likeIdentity    = 1 << 5
	likeIndexes     = 1 << 6
)

// like copies the columns of another relation (transformTableLikeClause,
// parse_utilcmd.c). Constraints and indexes wait until the table is there.
func (a *applier) like(b *tableBuild, l *pg.TableLikeClause) {
	from := a.relation(l.Relation)
	switch from.Kind {
	case catalog.KindSequence:
		a.failMore("42809", int(l.Relation.Location), "This operation is not supported for sequences.", "",
			"relation %q is invalid in LIKE clause", from.Name)
	}
	has := func(o uint32) bool { return l.Options&o != 0 }
	for _, c := range from.Columns {
		if c.Dropped {
			continue
		}
		x := &catalog.Column{
			Name: c.Name, Type: c.Type, Typmod: c.Typmod, Collation: c.Collation, NotNull: c.NotNull, Dims: c.Dims,
			Decl: a.decl(int(l.Relation.Location)),
		}
		if has(likeComments) {
			x.Comment = c.Comment
		}
		a.addColumn(b.t, x, "column")
		if has(likeIdentity) && c.Identity != 0 {
			x.Identity = c.Identity
			a.ownSequence(b, x)
		}
	}
	b.likes = append(b.likes, l)
}

// finishLike copies defaults, CHECKs and indexes (expandTableLikeClause,
// parse_utilcmd.c).
func (a *applier) finishLike(t *catalog.Table, l *pg.TableLikeClause) {
	from := a.relation(l.Relation)
	has := func(o uint32) bool { return l.Options&o != 0 }
	for _, c := range from.Columns {
		x := t.Column(c.Name)
		if c.Dropped || x == nil || !c.HasDefault {
			continue
		}
		if c.Generated != 0 && has(likeGenerated) || c.Generated == 0 && has(likeDefaults) {
			x.HasDefault, x.Generated = true, c.Generated
			x.Default = mapColumns(c.Default, from, t)
		}
	}
	if has(likeConstraints) {
		for _, k := range from.Constraints {
			if k.Kind != catalog.ConstraintCheck {
				continue
			}
			if constraint(t, k.Name) != nil {
				a.fail("42710", int(l.Relation.Location), "constraint %q for relation %q already exists", k.Name, t.Name)
			}
			x := *k
			x.OID, x.Table = a.cat.NewOID(), t.OID
			x.Columns, x.Expr = mapNumbers(k.Columns, from, t), mapColumns(k.Expr, from, t)
			a.cat.AddConstraint(&x)
		}
	}
	if has(likeIndexes) && from.Kind != catalog.KindForeign {
		for _, x := range slices.Clone(from.Indexes) {
			a.likeIndex(from, x, t)
		}
	}
}

// likeNotNull copies NOT NULL constraints, which PostgreSQL 18 keeps, with their
// names.
func (a *applier) likeNotNull(from, t *catalog.Table) {
	for _, k := range from.Constraints {
		if k.Kind != catalog.ConstraintNotNull || constraint(t, k.Name) != nil {
			continue
		}
		x := *k
		x.Columns = mapNumbers(k.Columns, from, t)
		if hasNotNull(t, x.Columns[0]) {
			continue
		}
		x.OID, x.Table = a.cat.NewOID(), t.OID
		a.cat.AddConstraint(&x)
	}
}

func (a *applier) likeIndex(from *catalog.Table, x *catalog.Index, t *catalog.Table) {
	d := &indexDef{
		table: t, method: a.cat.Method(x.Method).Name, keys: mapKeys(x.Keys, from, t), numKeys: x.NumKeys,
		unique: x.Unique, primary: x.Primary, nullsNotDistinct: x.NullsNotDistinct,
		predicate: mapList(x.Predicate, from, t), fillFactor: x.FillFactor, pagesPerRange: x.PagesPerRange,
		valid: x.Valid, loc: noLoc,
	}
	if k := a.indexConstraint(x); k != nil {
		d.constraint, d.deferrable, d.deferred, d.exclOps = k.Kind, k.Deferrable, k.Deferred, k.ExclOps
	}
	if d.primary {
		if primaryKey(t) != nil {
			a.fail("42P16", noLoc, "multiple primary keys for table %q are not allowed", t.Name)
		}
		for _, k := range d.keys[:d.numKeys] {
			a.setNotNull(t, t.Attr(k.Column))
		}
	}
	a.addIndex(d)
}
