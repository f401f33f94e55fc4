package ddl

import (
	"fmt"
	"slices"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// indexDef is an index before it has a name and an OID.
type indexDef struct {
	attributes
	table            *catalog.Table
	name             string
	method           string
	keys             []catalog.IndexKey
	numKeys          int
	unique, primary  bool
	nullsNotDistinct bool
	// constraint is the kind of the constraint behind it, 0 for none.
	constraint    byte
	predicate     []query.Expr
	fillFactor    int
	pagesPerRange int
	parent        *catalog.Index
	valid         bool
	only          bool
	loc           int
	inherited     bool
	// exclOps are the operators of an exclusion constraint.
	exclOps []pgtype.OID
}

// include adds a column behind the key.
func (d *indexDef) include(c *catalog.Column) {
	d.keys = append(d.keys, catalog.IndexKey{
		Name: uniqueColumn(c.Name, d.keys), Column: c.Number, Type: c.Type, Collation: 0,
	})
}

func (a *applier) createIndexStmt(s *pg.IndexStmt) {
	if x := a.cat.IndexByName(s.Relation.Schemaname, s.Relation.Relname); x != nil &&
		a.cat.TableByName(s.Relation.Schemaname, s.Relation.Relname) == nil {
		if a.cat.Major < 16 {
			a.fail("42809", noLoc, "%q is an index", x.Name)
		}
		a.failMore("42809", noLoc, notSupportedFor(a.indexKind(x)), "", "cannot open relation %q", x.Name)
	}
	t := a.relation(s.Relation)
	a.notSystem(t, noLoc)
	loc := int(s.Relation.Location)
	switch t.Kind {
	case catalog.KindTable, catalog.KindMatView, catalog.KindPartitioned:
	case catalog.KindForeign:
		a.failMore("42809", loc, "This operation is not supported for foreign tables.", "",
			"cannot create index on relation %q", t.Name)
	default:
		detail := "This operation is not supported for views."
		switch t.Kind {
		case catalog.KindSequence:
			detail = "This operation is not supported for sequences."
		case catalog.KindComposite:
			detail = "This operation is not supported for composite types."
		}
		a.failMore("42809", loc, detail, "", "cannot create index on relation %q", t.Name)
	}
	if s.Idxname != "" && a.relationTaken(t.Schema, s.Idxname) {
		if s.IfNotExists {
			return
		}
		a.fail("42P07", noLoc, "relation %q already exists", s.Idxname)
	}
	d := &indexDef{
		table: t, name: s.Idxname, method: s.AccessMethod, unique: s.Unique, nullsNotDistinct: s.NullsNotDistinct,
		valid: true, only: !s.Relation.Inh, loc: noLoc,
	}
	if d.method == "" {
		d.method = "btree"
	}
	am := a.method(d)
	a.able(am, d, len(s.IndexParams), len(s.IndexIncludingParams))
	for _, n := range s.IndexParams {
		d.keys = append(d.keys, a.indexElem(d, am, n.GetIndexElem()))
	}
	d.numKeys = len(d.keys)
	for _, n := range s.IndexIncludingParams {
		e := n.GetIndexElem()
		if e.Expr != nil {
			a.fail("0A000", noLoc, "expressions are not supported in included columns")
		}
		d.include(a.indexColumn(t, e.Name))
	}
	if s.WhereClause != nil {
		p, why := a.expr(t, s.WhereClause, analyze.KindIndexPredicate, pgtype.BoolOID, pgtype.NoTypmod)
		if why != "" {
			d.valid = false
		} else {
			a.immutable(p, "functions in index predicate must be marked IMMUTABLE")
			d.predicate = implicitAnd(p)
		}
	}
	a.checkOptions(kindIndex, d.method, s.Options)
	a.indexOptions(d, s.Options)
	a.addIndex(d)
}

// method returns an index's access method, after the checks of DefineIndex
// (indexcmds.c).
func (a *applier) method(d *indexDef) *catalog.AccessMethod {
	am := a.cat.MethodByName(d.method)
	if am == nil || am.Kind != 'i' {
		a.fail("42704", d.loc, "access method %q does not exist", d.method)
	}
	return am
}

// able fails where an access method cannot do what an index asks of it.
func (a *applier) able(am *catalog.AccessMethod, d *indexDef, keys, included int) {
	switch {
	case d.unique && !am.CanUnique:
		a.fail("0A000", d.loc, "access method %q does not support unique indexes", d.method)
	case included > 0 && !am.CanInclude:
		a.fail("0A000", d.loc, "access method %q does not support included columns", am.Name)
	case keys > 1 && !am.CanMultiCol:
		a.fail("0A000", d.loc, "access method %q does not support multicolumn indexes", am.Name)
	}
}

// indexOptions reads the storage parameters that planning knows.
func (a *applier) indexOptions(d *indexDef, options []*pg.Node) {
	for _, n := range options {
		o := n.GetDefElem()
		switch o.Defname {
		case "fillfactor":
			d.fillFactor = defInt(o)
		case "pages_per_range":
			d.pagesPerRange = defInt(o)
		}
	}
}

func (a *applier) indexColumn(t *catalog.Table, name string) *catalog.Column {
	c := t.Column(name)
	if c == nil {
		for _, s := range catalog.SystemColumns() {
			if s.Name == name {
				a.fail("0A000", noLoc, "index creation on system columns is not supported")
			}
		}
		a.failMore("42703", noLoc, "", a.columnHint(t, name), "column %q does not exist", name)
	}
	return c
}

// indexElem resolves one element of an index's key (ComputeIndexAttrs,
// indexcmds.c).
func (a *applier) indexElem(d *indexDef, am *catalog.AccessMethod, e *pg.IndexElem) catalog.IndexKey {
	var k catalog.IndexKey
	var collatable string
	switch {
	case e.Expr == nil:
		c := a.indexColumn(d.table, e.Name)
		k = catalog.IndexKey{Name: c.Name, Column: c.Number, Type: c.Type, Collation: c.Collation}
	default:
		x, why := a.expr(d.table, e.Expr, analyze.KindIndexExpression, 0, pgtype.NoTypmod)
		name := analyze.FigureIndexColname(e.Expr)
		if name == "" {
			name = "expr"
		}
		k = catalog.IndexKey{Name: name}
		if why != "" || x == nil {
			d.valid = false
			k.Name = uniqueColumn(k.Name, d.keys)
			return k
		}
		if c := plainColumn(d.table, x); c != nil {
			k = catalog.IndexKey{Name: c.Name, Column: c.Number, Type: c.Type, Collation: c.Collation}
			break
		}
		a.immutable(x, "functions in index expression must be marked IMMUTABLE")
		k.Expr, k.Type, k.Collation = x, x.ResultType(), x.ResultCollation()
		a.usable(k.Name, k.Type, noLoc)
	}
	collatable = a.typeWord(k.Type)
	k.Name = uniqueColumn(k.Name, d.keys)
	if len(e.Collation) > 0 {
		k.Collation = a.collation(e.Collation, noLoc)
	}
	if t := a.cat.Type(k.Type); t != nil && t.Collation == 0 && len(e.Collation) > 0 {
		a.fail("42804", noLoc, "collations are not supported by type %s", collatable)
	}
	k.Desc = e.Ordering == pg.SortByDir_SORTBY_DESC
	k.NullsFirst = k.Desc
	switch e.NullsOrdering {
	case pg.SortByNulls_SORTBY_NULLS_FIRST:
		k.NullsFirst = true
	case pg.SortByNulls_SORTBY_NULLS_LAST:
		k.NullsFirst = false
	}
	if !am.CanOrder {
		if e.Ordering != pg.SortByDir_SORTBY_DEFAULT && e.Ordering != 0 {
			a.fail("0A000", noLoc, "access method %q does not support ASC/DESC options", am.Name)
		}
		if e.NullsOrdering != pg.SortByNulls_SORTBY_NULLS_DEFAULT && e.NullsOrdering != 0 {
			a.fail("0A000", noLoc, "access method %q does not support NULLS FIRST/LAST options", am.Name)
		}
	}
	if oc := a.operatorClass(am, e.Opclass, k.Type, noLoc); oc != nil {
		a.setClass(&k, am, oc)
	} else {
		d.valid = false
	}
	return k
}

// plainColumn is the column that an expression in parentheses is, nil for any
// other expression.
func plainColumn(t *catalog.Table, e query.Expr) *catalog.Column {
	if v, ok := e.(*query.Var); ok && v.AttNo > 0 {
		return t.Attr(v.AttNo)
	}
	return nil
}

// columnKey is a key on a column with the default operator class, or with the
// given one.
func (a *applier) columnKey(d *indexDef, c *catalog.Column, class []*pg.Node, coll pgtype.OID) catalog.IndexKey {
	k := catalog.IndexKey{Name: uniqueColumn(c.Name, d.keys), Column: c.Number, Type: c.Type, Collation: c.Collation}
	if coll != 0 {
		k.Collation = coll
	}
	am := a.method(d)
	if oc := a.operatorClass(am, class, c.Type, d.loc); oc != nil {
		a.setClass(&k, am, oc)
	} else {
		d.valid = false
	}
	return k
}

// setClass gives a key its operator class and the type that is stored
// (ConstructTupleDescriptor, index.c).
func (a *applier) setClass(k *catalog.IndexKey, am *catalog.AccessMethod, oc *catalog.OpClass) {
	k.OpClass, k.Family, k.InType = oc.OID, oc.Family, oc.InType
	stored := oc.KeyType
	if stored == 0 && am.Name == "hash" {
		// The handler's amkeytype: a hash index stores hash codes.
		stored = pgtype.Int4OID
	}
	if stored == pgtype.AnyelementOID && oc.InType == pgtype.AnyarrayOID {
		if t := a.cat.Type(a.cat.BaseType(k.Type)); t != nil && t.IsArray() {
			stored = t.Element
		}
	}
	if stored != 0 && stored != k.Type {
		k.Type = stored
	}
}

// operatorClass returns the named or default operator class for a type
// (ResolveOpClass, indexcmds.c). It warns and returns nil for a name that is not
// known where there is an extension whose objects are not: it may be one's.
func (a *applier) operatorClass(am *catalog.AccessMethod, parts []*pg.Node, typ pgtype.OID, loc int) *catalog.OpClass {
	if len(parts) == 0 {
		oc := a.cat.DefaultOpClass(typ, am.OID)
		if oc == nil {
			a.failMore("42704", loc, "",
				"You must specify an operator class for the index or define a default operator class for the data type.",
				"data type %s has no default operator class for access method %q", a.typeWord(typ), am.Name)
		}
		return oc
	}
	schema, name := split(parts)
	oc := a.cat.OpClassByName(am.OID, schema, name)
	if oc == nil && len(a.cat.UnknownExtensions()) == 0 {
		a.fail("42704", loc, "operator class %q does not exist for access method %q", shown(schema, name), am.Name)
	}
	if oc == nil {
		a.diags.Add(diag.Diagnostic{
			Severity: diag.Warning, Code: "unsupported", File: a.stmt.File, Span: a.place(loc),
			Message: fmt.Sprintf("not supported yet: operator class %q for access method %q; the index is not planned with",
				shown(schema, name), am.Name),
		})
		return nil
	}
	if !a.cat.BinaryCoercible(typ, oc.InType) {
		a.fail("42804", loc, "operator class %q does not accept data type %s", shown(schema, name), a.typeWord(typ))
	}
	return oc
}

// immutable fails where an expression calls what is not immutable
// (CheckMutability, indexcmds.c). Calls of simple SQL functions count as what is
// planned in their place.
func (a *applier) immutable(e query.Expr, message string) {
	a.immutableAt(e, message, 0)
}

// inlineDepth bounds how deep functions that call functions are looked into.
const inlineDepth = 20

func (a *applier) immutableAt(e query.Expr, message string, depth int) {
	query.Walk(e, func(x query.Expr) bool {
		var f pgtype.OID
		switch n := x.(type) {
		case *query.FuncExpr:
			f = n.Func
		case *query.OpExpr:
			f = n.Func
		case *query.DistinctExpr:
			f = n.Func
		case *query.NullIfExpr:
			f = n.Func
		case *query.ScalarArrayOpExpr:
			f = n.Func
		case *query.CoerceViaIO:
			if t := a.cat.Type(n.Typ); t != nil {
				f = t.Input
			}
			if fn := a.cat.Func(f); fn != nil && fn.Volatile == 'i' {
				if t := a.cat.Type(n.Arg.ResultType()); t != nil {
					f = t.Output
				}
			}
		case *query.SQLValueFunction, *query.NextValueExpr:
			a.fail("42P17", noLoc, "%s", message)
		}
		if fn := a.cat.Func(f); fn != nil && fn.Volatile != 'i' {
			body := a.inlined(fn)
			if body == nil || depth == inlineDepth {
				a.fail("42P17", noLoc, "%s", message)
			}
			a.immutableAt(body, message, depth+1)
		}
		return true
	})
}

// implicitAnd is the list of conditions of a top-level AND
// (make_ands_implicit, makefuncs.c).
func implicitAnd(e query.Expr) []query.Expr {
	switch n := e.(type) {
	case nil:
		return nil
	case *query.BoolExpr:
		if n.Op == query.AndExpr {
			return n.Args
		}
	case *query.Const:
		if !n.Null && n.Value == "t" {
			return nil
		}
	}
	return []query.Expr{e}
}

// addIndex enters an index, the constraint that stands on it, and the indexes of
// the table's partitions (DefineIndex, indexcmds.c).
func (a *applier) addIndex(d *indexDef) *catalog.Index {
	t := d.table
	am := a.method(d)
	if t.Kind == catalog.KindPartitioned && d.unique {
		a.coversPartitionKey(d)
	}
	x := &catalog.Index{
		Name: d.name, Schema: t.Schema, Table: t.OID, Method: am.OID, Keys: d.keys, NumKeys: d.numKeys,
		Unique: d.unique, Primary: d.primary, Immediate: !d.deferrable, NullsNotDistinct: d.nullsNotDistinct,
		Valid: d.valid, Predicate: d.predicate, FillFactor: d.fillFactor, PagesPerRange: d.pagesPerRange,
		Decl: a.decl(d.loc),
	}
	if x.Name == "" {
		var columns []string
		for _, k := range d.keys {
			columns = append(columns, k.Name)
		}
		x.Name = a.chooseIndexName(t, columns, d.constraint)
	}
	if a.relationTaken(t.Schema, x.Name) {
		a.fail("42P07", d.loc, "relation %q already exists", x.Name)
	}
	if d.constraint != 0 && constraint(t, x.Name) != nil {
		a.fail("42710", d.loc, "constraint %q for relation %q already exists", x.Name, t.Name)
	}
	if d.parent != nil {
		x.Parent = d.parent.OID
	}
	x.OID = a.cat.NewOID()
	a.cat.AddIndex(x)
	if d.constraint != 0 {
		k := &catalog.Constraint{
			OID: a.cat.NewOID(), Name: x.Name, Kind: d.constraint, Table: t.OID, Index: x.OID, Validated: true,
			Deferrable: d.deferrable, Deferred: d.deferred, NoInherit: !d.inherited, ExclOps: d.exclOps, Decl: a.decl(d.loc),
		}
		for _, key := range d.keys[:d.numKeys] {
			k.Columns = append(k.Columns, key.Column)
		}
		a.cat.AddConstraint(k)
	}
	if t.Kind == catalog.KindPartitioned && !d.only {
		for _, c := range a.children(t) {
			a.partitionIndex(t, x, c)
		}
	}
	return x
}

// coversPartitionKey refuses a unique index that lacks a column of the
// partition key.
func (a *applier) coversPartitionKey(d *indexDef) {
	word := map[byte]string{
		catalog.ConstraintPrimary: "PRIMARY KEY", catalog.ConstraintUnique: "UNIQUE",
		catalog.ConstraintExclusion: "EXCLUDE",
	}[d.constraint]
	if word == "" {
		word = "UNIQUE"
	}
	if d.table.PartitionKey == nil {
		return
	}
	for _, k := range d.table.PartitionKey.Keys {
		if k.Column == 0 {
			a.failMore("0A000", d.loc,
				fmt.Sprintf("%s constraints cannot be used when partition keys include expressions.", word), "",
				"unsupported %s constraint with partition key definition", word)
		}
		if !slices.ContainsFunc(d.keys[:d.numKeys], func(x catalog.IndexKey) bool { return x.Column == k.Column }) {
			a.failMore("0A000", d.loc,
				fmt.Sprintf("%s constraint on table %q lacks column %q which is part of the partition key.",
					word, d.table.Name, d.table.ColumnName(k.Column)), "",
				"unique constraint on partitioned table must include all partitioning columns")
		}
	}
}

// partitionIndex gives a partition the index that its parent has: one that is
// there already if it is the same, else a new one.
func (a *applier) partitionIndex(parent *catalog.Table, px *catalog.Index, t *catalog.Table) {
	if t.Kind == catalog.KindForeign {
		return
	}
	pk := a.indexConstraint(px)
	want := mapKeys(px.Keys, parent, t)
	predicate := mapList(px.Predicate, parent, t)
	for _, x := range t.Indexes {
		k := a.indexConstraint(x)
		if x.Parent != 0 || !sameIndex(x, px, want, predicate) || pk != nil && (k == nil || k.Kind != pk.Kind) {
			continue
		}
		x.Parent = px.OID
		if k != nil && pk != nil {
			k.NoInherit = false
		}
		if t.Kind == catalog.KindPartitioned {
			for _, c := range a.children(t) {
				a.partitionIndex(t, x, c)
			}
		}
		return
	}
	d := &indexDef{
		table: t, method: a.cat.Method(px.Method).Name, keys: want, numKeys: px.NumKeys, unique: px.Unique,
		primary: px.Primary, nullsNotDistinct: px.NullsNotDistinct, predicate: predicate, parent: px,
		fillFactor: px.FillFactor, pagesPerRange: px.PagesPerRange, valid: px.Valid, loc: noLoc, inherited: true,
	}
	if pk != nil {
		d.constraint, d.deferrable, d.deferred, d.exclOps = pk.Kind, pk.Deferrable, pk.Deferred, pk.ExclOps
		if pk.Kind == catalog.ConstraintPrimary {
			for _, k := range want[:px.NumKeys] {
				if c := t.Attr(k.Column); c != nil {
					c.NotNull = true
				}
			}
			a.notNullConstraints(t)
		}
	}
	a.addIndex(d)
}

func mapKeys(keys []catalog.IndexKey, from, to *catalog.Table) []catalog.IndexKey {
	out := slices.Clone(keys)
	for i := range out {
		if out[i].Column != 0 {
			out[i].Column = mapColumn(out[i].Column, from, to)
		}
		out[i].Expr = mapColumns(out[i].Expr, from, to)
	}
	return out
}

func mapList(list []query.Expr, from, to *catalog.Table) []query.Expr {
	var out []query.Expr
	for _, e := range list {
		out = append(out, mapColumns(e, from, to))
	}
	return out
}

// sameIndex reports whether x is what a partition's index must be
// (CompareIndexInfo, index.c).
func sameIndex(x, parent *catalog.Index, keys []catalog.IndexKey, predicate []query.Expr) bool {
	if x.Method != parent.Method || x.Unique != parent.Unique || x.NumKeys != parent.NumKeys ||
		len(x.Keys) != len(keys) || len(x.Predicate) != len(predicate) ||
		x.NullsNotDistinct != parent.NullsNotDistinct {
		return false
	}
	for i, k := range keys {
		y := x.Keys[i]
		if y.Column != k.Column || i < x.NumKeys && (y.Collation != k.Collation || y.Family != k.Family) ||
			!query.Equal(y.Expr, k.Expr) {
			return false
		}
	}
	for i, p := range predicate {
		if !query.Equal(x.Predicate[i], p) {
			return false
		}
	}
	return true
}

// addExclusion creates an EXCLUDE constraint.
func (a *applier) addExclusion(t *catalog.Table, s *keySpec) {
	d := &indexDef{
		table: t, name: s.name, method: s.c.AccessMethod, constraint: s.kind, attributes: s.attributes,
		valid: true, loc: int(s.c.Location),
	}
	if d.method == "" {
		d.method = "btree"
	}
	am := a.method(d)
	a.able(am, d, len(s.c.Exclusions), len(s.include))
	if !am.HasGetTuple {
		a.fail("0A000", d.loc, "access method %q does not support exclusion constraints", am.Name)
	}
	for _, n := range s.c.Exclusions {
		pair := n.GetList().GetItems()
		if len(pair) == 0 {
			continue
		}
		e := pair[0].GetIndexElem()
		if e.Expr == nil {
			a.keyColumn(t, e.Name, d.loc)
		}
		k := a.indexElem(d, am, e)
		d.keys = append(d.keys, k)
		d.exclOps = append(d.exclOps, a.exclusionOperator(t, &k, strs(pair[1].GetList().GetItems())))
	}
	d.numKeys = len(d.keys)
	for _, name := range s.include {
		d.include(a.keyColumn(t, name, d.loc))
	}
	if s.c.WhereClause != nil {
		p, why := a.expr(t, s.c.WhereClause, analyze.KindIndexPredicate, pgtype.BoolOID, pgtype.NoTypmod)
		d.valid = d.valid && why == ""
		d.predicate = implicitAnd(p)
	}
	a.indexOptions(d, s.c.Options)
	a.addIndex(d)
}
