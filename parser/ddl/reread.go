package ddl

import (
	"fmt"
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/deparse"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// retyping collects the expressions over columns whose types one ALTER TABLE
// changes. Their texts are taken before the change and read again after it, as
// the server does (RememberAllDependentForRebuilding and ATPostAlterTypeParse,
// tablecmds.c).
type retyping struct {
	columns map[*catalog.Column]bool
	seen    map[any]bool
	texts   []rereadText
	foreign []*catalog.Constraint
	// rewrite is set where the rows are written anew, which the server does not
	// do to rows inside other rows.
	rewrite bool
}

// rereadText is one expression of a table as the server prints it.
type rereadText struct {
	t    *catalog.Table
	text string
	kind analyze.ExprKind
	// typ is what the value must be, 0 for any type.
	typ pgtype.OID
	set func(query.Expr)
}

// once fails for a column whose type one statement changes twice.
func (r *retyping) once(c *catalog.Column) bool {
	if r.columns == nil {
		r.columns = map[*catalog.Column]bool{}
	}
	again := r.columns[c]
	r.columns[c] = true
	return !again
}

// rememberExprs takes the texts of what reads a column.
func (a *applier) rememberExprs(t *catalog.Table, number int) {
	r := a.retyping
	if r.seen == nil {
		r.seen = map[any]bool{}
	}
	add := func(key any, e query.Expr, kind analyze.ExprKind, typ pgtype.OID, set func(query.Expr)) {
		if e == nil || r.seen[key] || !uses(e, number) {
			return
		}
		r.seen[key] = true
		r.texts = append(r.texts, rereadText{t, deparse.Expr(e, deparse.TableContext(a.cat, t)), kind, typ, set})
	}
	for _, k := range t.Constraints {
		add(k, k.Expr, analyze.KindCheck, pgtype.BoolOID, func(e query.Expr) { k.Expr = e })
	}
	for _, x := range t.Indexes {
		for i := range x.Keys {
			key := &x.Keys[i]
			add(key, key.Expr, analyze.KindIndexExpression, 0, func(e query.Expr) {
				key.Expr, key.Type, key.Collation = e, e.ResultType(), e.ResultCollation()
				a.rekey(x, i)
			})
		}
		if len(x.Predicate) > 0 {
			whole := x.Predicate[0]
			if len(x.Predicate) > 1 {
				whole = &query.BoolExpr{Header: query.Header{Typ: pgtype.BoolOID, Mod: pgtype.NoTypmod}, Op: query.AndExpr, Args: x.Predicate}
			}
			add(x, whole, analyze.KindIndexPredicate, pgtype.BoolOID, func(e query.Expr) { x.Predicate = implicitAnd(e) })
		}
	}
	for _, k := range slices.Concat(t.Constraints, a.cat.References(t.OID)) {
		if k.Kind == catalog.ConstraintForeign && !slices.Contains(r.foreign, k) &&
			(k.Table == t.OID && slices.Contains(k.Columns, number) || k.RefTable == t.OID && slices.Contains(k.RefColumns, number)) {
			r.foreign = append(r.foreign, k)
		}
	}
}

// reread analyses the remembered texts over the new types.
func (a *applier) reread() {
	r := a.retyping
	for _, x := range r.texts {
		a.try(func() {
			if e := a.readText(x); e != nil {
				x.set(e)
			}
		})
	}
	for _, k := range r.foreign {
		t, ref := a.cat.Table(k.Table), a.cat.Table(k.RefTable)
		index := a.cat.Index(k.Index)
		if t == nil || ref == nil || index == nil {
			continue
		}
		a.try(func() {
			k.EqOps = nil
			a.foreignOperators(t, ref, k, index, noLoc)
		})
	}
	r.texts, r.foreign = nil, nil
}

func (a *applier) readText(x rereadText) query.Expr {
	text := "SELECT " + x.text
	tree, err := pg.Parse(text)
	if err != nil {
		return nil
	}
	node := tree.Stmts[0].Stmt.GetSelectStmt().GetTargetList()[0].GetResTarget().GetVal()
	e, bad := analyze.TableExpr(a.cat, x.t, text, node, x.kind, x.typ, pgtype.NoTypmod)
	if bad != nil {
		// Its place is in the text of the catalog, not in the statement's.
		if bad.SQLState != "" {
			a.failMore(bad.SQLState, noLoc, bad.Detail, bad.Hint, "%s", bad.Message)
		}
		a.unsupported(noLoc, "%s", bad.Message)
		return nil
	}
	return e
}

// rekey gives a key of an index the operator class for its new type.
func (a *applier) rekey(x *catalog.Index, i int) {
	k := &x.Keys[i]
	if i >= x.NumKeys {
		return
	}
	am := a.cat.Method(x.Method)
	old := a.cat.OpClass(k.OpClass)
	if oc := a.cat.DefaultOpClass(k.Type, am.OID); oc != nil && (old == nil || old.Default) {
		a.setClass(k, am, oc)
		return
	}
	if old == nil || old.Default {
		a.failMore("42704", noLoc, "",
			"You must specify an operator class for the index or define a default operator class for the data type.",
			"data type %s has no default operator class for access method %q", a.typeWord(k.Type), am.Name)
	}
	if !a.cat.BinaryCoercible(k.Type, old.InType) {
		a.fail("42804", noLoc, "operator class %q does not accept data type %s", old.Name, a.typeWord(k.Type))
	}
	a.setClass(k, am, old)
}

// sameMeaning compares two expressions, wherever they stand.
func sameMeaning(x, y query.Expr) bool { return query.Equal(x, y) }

// fold is a keyword in lower case.
func fold(s string) string { return strings.ToLower(s) }

// generatedFrom is the first of a table's generated columns that reads a column.
func (a *applier) generatedFrom(t *catalog.Table, c *catalog.Column) *catalog.Column {
	for _, o := range t.Columns {
		if o != c && !o.Dropped && o.Generated != 0 && o.Default != nil && uses(o.Default, c.Number) {
			return o
		}
	}
	return nil
}

// alterColumnType is ALTER COLUMN … TYPE (ATPrepAlterColumnType and
// ATExecAlterColumnType, tablecmds.c).
func (a *applier) alterColumnType(t *catalog.Table, c *pg.AlterTableCmd, recurse bool) {
	d := c.Def.GetColumnDef()
	at := noLoc
	if a.cat.Major >= 18 {
		at = int(d.Location)
	}
	if t.OfType != 0 {
		a.fail("42809", at, "cannot alter column type of typed table")
	}
	x := a.ownColumnAt(t, c.Name, "alter", at)
	switch {
	case x.Generated != 0 && d.RawDefault != nil && a.cat.Major >= 17:
		a.failMore("42611", noLoc, fmt.Sprintf("Column %q is a generated column.", x.Name), "",
			"cannot specify USING when altering type of generated column")
	case x.InhCount > 0:
		a.fail("42P16", at, "cannot alter inherited column %q", x.Name)
	}
	a.partitionColumn(t, x, "alter", at)
	oid, mod := a.declaredType(d.TypeName)
	a.usable(x.Name, oid, int(d.TypeName.Location))
	y := *x
	y.Type = oid
	coll := a.columnCollation(&y, d.CollClause)
	a.usingValue(t, x, d, oid, mod)
	a.retyping.rewrite = true
	if !recurse && len(t.Children) > 0 {
		a.fail("42P16", noLoc, "type of inherited column %q must be changed in child tables too", x.Name)
	}
	a.notRead(t, x, int(d.TypeName.Location))
	def := a.recastDefault(x, oid, mod)
	if !a.retyping.once(x) {
		a.fail("0A000", noLoc, "cannot alter type of column %q twice", x.Name)
	}
	if x.Identity != 0 {
		switch a.cat.BaseType(oid) {
		case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID:
		default:
			a.fail("22023", noLoc, "identity column type must be smallint, integer, or bigint")
		}
	}
	for _, f := range a.family(t) {
		y := f.Column(c.Name)
		if y == nil {
			continue
		}
		a.rememberExprs(f, y.Number)
		if f == t {
			y.Default = def
		} else {
			y.Default = a.recastDefault(y, oid, mod)
		}
		y.Type, y.Typmod, y.Dims, y.Collation = oid, mod, len(d.TypeName.ArrayBounds), coll
		a.noteType(oid)
		for _, ix := range f.Indexes {
			for i := range ix.Keys {
				if k := &ix.Keys[i]; k.Column == y.Number {
					k.Type = y.Type
					if i < ix.NumKeys {
						k.Collation = y.Collation
					}
					a.rekey(ix, i)
				}
			}
		}
	}
}

// usingValue checks that the rows can be led over to the new type: by USING, else
// by an assignment cast. What the value is changes rows, not the schema.
func (a *applier) usingValue(t *catalog.Table, x *catalog.Column, d *pg.ColumnDef, oid pgtype.OID, mod pgtype.Typmod) {
	if d.RawDefault == nil {
		v := &query.Var{Header: query.Header{Typ: x.Type, Mod: x.Typmod, Coll: x.Collation}, VarNo: 1, AttNo: x.Number}
		if analyze.Assign(a.cat, v, oid, mod) == nil {
			a.failMore("42804", noLoc, "", fmt.Sprintf("You might need to specify \"USING %s::%s\".",
				a.cat.QuoteIdent(x.Name), a.cat.TypeName(oid, mod)),
				"column %q cannot be cast automatically to type %s", x.Name, a.typeWord(oid))
		}
		return
	}
	_, err := analyze.TableExpr(a.cat, t, a.stmt.Text, d.RawDefault, analyze.KindAlterColTransform, oid, mod)
	if err != nil && err.SQLState != "" {
		if rest, ok := strings.CutPrefix(err.Message, "result of USING clause cannot"); ok {
			named := *err
			named.Message = fmt.Sprintf("result of USING clause for column %q cannot%s", x.Name, rest)
			err = &named
		}
		a.check(err, noLoc)
	}
}

// notRead fails where a view, a generated column, a policy or a trigger reads a
// column.
func (a *applier) notRead(t *catalog.Table, x *catalog.Column, loc int) {
	for _, v := range a.readers(t.OID) {
		if a.reads(v.View).column(t, x.Number) {
			a.failMore("0A000", loc, fmt.Sprintf("rule _RETURN on %s depends on column %q", a.describe(v), x.Name), "",
				"cannot alter type of a column used by a view or rule")
		}
	}
	if o := a.generatedFrom(t, x); o != nil {
		a.failMore("0A000", noLoc, fmt.Sprintf("Column %q is used by generated column %q.", x.Name, o.Name), "",
			"cannot alter type of a column used by a generated column")
	}
	for _, p := range t.Policies {
		if p.Using != nil && uses(p.Using, x.Number) || p.Check != nil && uses(p.Check, x.Number) {
			a.failMore("0A000", noLoc, fmt.Sprintf("policy %s on %s depends on column %q", p.Name, a.describe(t), x.Name), "",
				"cannot alter type of a column used in a policy definition")
		}
	}
}

// recastDefault is a column's default as a value of another type; casts that the
// server put there by itself are taken off first (strip_implicit_coercions,
// parse_coerce.c).
func (a *applier) recastDefault(c *catalog.Column, oid pgtype.OID, mod pgtype.Typmod) query.Expr {
	if c.Default == nil {
		return nil
	}
	e := analyze.Assign(a.cat, c.Default, oid, mod)
	if e == nil {
		if c.Generated != 0 {
			a.fail("42804", noLoc, "generation expression for column %q cannot be cast automatically to type %s", c.Name, a.typeWord(oid))
		}
		a.fail("42804", noLoc, "default for column %q cannot be cast automatically to type %s", c.Name, a.typeWord(oid))
	}
	return e
}
