package ddl

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// partitionKey reads PARTITION BY (transformPartitionSpec and
// ComputePartitionAttrs, tablecmds.c).
func (a *applier) partitionKey(t *catalog.Table, s *pg.PartitionSpec) {
	key := &catalog.PartitionKey{}
	t.PartitionKey = key
	method := "btree"
	switch s.Strategy {
	case pg.PartitionStrategy_PARTITION_STRATEGY_LIST:
		key.Strategy = 'l'
		if len(s.PartParams) != 1 {
			a.fail("42P17", int(s.Location), "cannot use \"list\" partition strategy with more than one column")
		}
	case pg.PartitionStrategy_PARTITION_STRATEGY_HASH:
		key.Strategy, method = 'h', "hash"
	default:
		key.Strategy = 'r'
	}
	am := a.cat.MethodByName(method)
	for _, n := range s.PartParams {
		e := n.GetPartitionElem()
		loc := int(e.Location)
		k := catalog.PartitionKeyCol{Typmod: pgtype.NoTypmod}
		if e.Expr == nil {
			c := t.Column(e.Name)
			if c == nil {
				if slices.ContainsFunc(catalog.SystemColumns(), func(s *catalog.Column) bool { return s.Name == e.Name }) {
					a.fail("42P17", loc, "cannot use system column %q in partition key", e.Name)
				}
				a.failMore("42703", loc, "", a.columnHint(t, e.Name), "column %q named in partition key does not exist", e.Name)
			}
			if c.Generated != 0 {
				a.failMore("42P17", loc, "Column \""+c.Name+"\" is a generated column.", "",
					"cannot use generated column in partition key")
			}
			k.Column, k.Type, k.Typmod, k.Collation = c.Number, c.Type, c.Typmod, c.Collation
		} else {
			x, _ := a.expr(t, e.Expr, analyze.KindPartitionExpression, 0, pgtype.NoTypmod)
			if x == nil {
				// A key that is known in part only would mislead.
				key.Keys = nil
				return
			}
			if c := plainColumn(t, x); c != nil {
				k.Column, k.Type, k.Typmod, k.Collation = c.Number, c.Type, c.Typmod, c.Collation
			} else {
				a.immutable(x, "functions in partition key expression must be marked IMMUTABLE")
				if len(columnsOf(x)) == 0 {
					a.fail("42P17", noLoc, "cannot use constant expression as partition key")
				}
				k.Expr, k.Type, k.Typmod, k.Collation = x, x.ResultType(), x.ResultTypmod(), x.ResultCollation()
			}
		}
		if len(e.Collation) > 0 {
			if kt := a.cat.Type(k.Type); kt != nil && kt.Collation == 0 {
				a.fail("42804", noLoc, "collations are not supported by type %s", a.typeWord(k.Type))
			}
			k.Collation = a.collation(e.Collation, loc)
		}
		if oc := a.operatorClass(am, e.Opclass, k.Type, loc); oc != nil {
			k.OpClass, k.Family, k.InType = oc.OID, oc.Family, oc.InType
		}
		key.Keys = append(key.Keys, k)
	}
}

// partitionBound reads FOR VALUES … or DEFAULT (transformPartitionBound,
// parse_utilcmd.c).
func (a *applier) partitionBound(parent, t *catalog.Table, s *pg.PartitionBoundSpec) *catalog.PartitionBound {
	loc := int(s.Location)
	key := parent.PartitionKey
	if key == nil || len(key.Keys) == 0 {
		// What is wrong with the key has been said.
		return nil
	}
	b := &catalog.PartitionBound{Strategy: key.Strategy, Default: s.IsDefault}
	if s.IsDefault {
		if key.Strategy == 'h' {
			a.fail("42P16", loc, "a hash-partitioned table may not have a default partition")
		}
		for _, c := range a.children(parent) {
			if c != t && c.Bound != nil && c.Bound.Default {
				a.fail("42P17", loc, "partition %q conflicts with existing default partition %q", t.Name, c.Name)
			}
		}
		return b
	}
	word := map[byte]string{'h': "hash", 'l': "list", 'r': "range"}[key.Strategy]
	if s.Strategy != string(key.Strategy) {
		a.fail("42P16", loc, "invalid bound specification for a %s partition", word)
	}
	switch key.Strategy {
	case 'h':
		b.Modulus, b.Remainder = int(s.Modulus), int(s.Remainder)
		switch {
		case b.Modulus <= 0:
			a.fail("42P16", loc, "modulus for hash partition must be an integer value greater than zero")
		case b.Remainder < 0:
			a.fail("42P16", loc, "remainder for hash partition must be an integer value greater than or equal to zero")
		case b.Remainder >= b.Modulus:
			a.fail("42P16", loc, "remainder for hash partition must be less than modulus")
		}
	case 'l':
		for _, n := range s.Listdatums {
			if c := a.boundValue(parent, n, key.Keys[0], loc); c != nil {
				b.List = append(b.List, c)
			} else {
				b.Unread = true
			}
		}
	case 'r':
		if len(s.Lowerdatums) != len(key.Keys) {
			a.fail("42P16", loc, "FROM must specify exactly one value per partitioning column")
		}
		if len(s.Upperdatums) != len(key.Keys) {
			a.fail("42P16", loc, "TO must specify exactly one value per partitioning column")
		}
		b.From = a.rangeDatums(parent, s.Lowerdatums, key, loc)
		b.To = a.rangeDatums(parent, s.Upperdatums, key, loc)
	}
	return b
}

// rangeDatums reads one end of a range bound. What follows an infinite column
// is infinite too (validateInfiniteBounds).
func (a *applier) rangeDatums(t *catalog.Table, list []*pg.Node, key *catalog.PartitionKey, loc int) []catalog.RangeDatum {
	out := make([]catalog.RangeDatum, len(list))
	for i, n := range list {
		if kind, ok := infinite(n); ok {
			out[i].Kind = kind
			continue
		}
		raw := n
		if d := n.GetPartitionRangeDatum(); d != nil {
			raw = d.Value
		}
		c := a.boundValue(t, raw, key.Keys[i], loc)
		if c != nil && c.Null {
			a.fail("42P17", noLoc, "cannot specify NULL in range bound")
		}
		out[i].Value = c
	}
	for i := 1; i < len(out); i++ {
		if prev := out[i-1].Kind; prev != 0 && out[i].Kind != prev {
			word := "MINVALUE"
			if prev > 0 {
				word = "MAXVALUE"
			}
			a.fail("42804", loc, "every bound following %s must also be %s", word, word)
		}
	}
	return out
}

// infinite recognises MINVALUE and MAXVALUE, which the grammar reads as columns.
func infinite(n *pg.Node) (kind int, ok bool) {
	if d := n.GetPartitionRangeDatum(); d != nil {
		switch d.Kind {
		case pg.PartitionRangeDatumKind_PARTITION_RANGE_DATUM_MINVALUE:
			return -1, true
		case pg.PartitionRangeDatumKind_PARTITION_RANGE_DATUM_MAXVALUE:
			return 1, true
		}
		return 0, false
	}
	if r := n.GetColumnRef(); r != nil && len(r.Fields) == 1 {
		switch strings.ToLower(r.Fields[0].GetString_().GetSval()) {
		case "minvalue":
			return -1, true
		case "maxvalue":
			return 1, true
		}
	}
	return 0, false
}

// boundValue reads a value of a bound as a constant of the key's type. A value
// that has to be computed is known through the statistics file only.
func (a *applier) boundValue(t *catalog.Table, n *pg.Node, key catalog.PartitionKeyCol, loc int) *query.Const {
	e, why := a.expr(nil, n, analyze.KindPartitionBound, key.Type, key.Typmod)
	if why != "" || e == nil {
		return nil
	}
	if c := foldCast(e); c != nil {
		return c
	}
	a.unsupported(loc, "a partition bound of %q that is not a literal", t.Name)
	return nil
}

// foldCast takes casts off a literal that do not change its text: those between
// the number types of whole numbers, and those that only rename a type.
func foldCast(e query.Expr) *query.Const {
	switch n := e.(type) {
	case *query.Const:
		return n
	case *query.RelabelType:
		if c := foldCast(n.Arg); c != nil {
			x := *c
			x.Header = n.Header
			return &x
		}
	case *query.CoerceToDomain:
		return foldCast(n.Arg)
	case *query.FuncExpr:
		if n.Form == query.CoerceExplicitCall || len(n.Args) == 0 {
			return nil
		}
		if c := foldCast(n.Args[0]); c != nil && (c.Null || fits(c, n)) {
			x := *c
			x.Header = n.Header
			return &x
		}
		if !wholeNumber(n.Typ) {
			return nil
		}
		if c := foldCast(n.Args[0]); c != nil && wholeNumber(c.Typ) {
			x := *c
			x.Header = n.Header
			if n.Typ == pgtype.Int8OID {
				x.Len, x.ByVal = 8, true
			}
			if n.Typ == pgtype.Int2OID {
				x.Len, x.ByVal = 2, true
			}
			return &x
		}
	}
	return nil
}

// fits tells a text that the cast of varchar(n) to its length leaves as it is.
func fits(c *query.Const, cast *query.FuncExpr) bool {
	return c.Typ == pgtype.VarcharOID && cast.Typ == pgtype.VarcharOID && cast.Mod >= 4 && utf8.RuneCountInString(c.Value) <= int(cast.Mod)-4
}

func wholeNumber(t pgtype.OID) bool {
	return t == pgtype.Int2OID || t == pgtype.Int4OID || t == pgtype.Int8OID
}

// clonePartitionObjects gives a new partition the indexes, keys, row triggers
// and foreign keys of its parent (DefineRelation, tablecmds.c).
func (a *applier) clonePartitionObjects(parent, t *catalog.Table) {
	for _, x := range slices.Clone(parent.Indexes) {
		a.try(func() { a.partitionIndex(parent, x, t) })
	}
	for _, g := range parent.Triggers {
		if g.Row && !slices.ContainsFunc(t.Triggers, func(o *catalog.Trigger) bool { return o.Name == g.Name }) {
			c := *g
			t.Triggers = append(t.Triggers, &c)
		}
	}
	for _, k := range slices.Clone(parent.Constraints) {
		if k.Kind == catalog.ConstraintForeign {
			a.cloneForeignKey(parent, k, t)
		}
	}
}

// attachPartition is ALTER TABLE … ATTACH PARTITION (ATExecAttachPartition,
// tablecmds.c).
func (a *applier) attachPartition(t *catalog.Table, cmd *pg.PartitionCmd) {
	loc := int(cmd.Name.Location)
	c := a.relation(cmd.Name)
	switch {
	case t.Kind != catalog.KindPartitioned && a.cat.Major >= 18:
		a.failMore("42809", noLoc, "This operation is not supported for tables.", "",
			"ALTER action ATTACH PARTITION cannot be performed on relation %q", t.Name)
	case t.Kind != catalog.KindPartitioned:
		a.fail("42P17", noLoc, "table %q is not partitioned", t.Name)
	case c.IsPartition:
		a.fail("42809", loc, "%q is already a partition", c.Name)
	case len(c.Parents) > 0:
		a.fail("42809", loc, "cannot attach inheritance child as partition")
	case len(c.Children) > 0 && c.Kind == catalog.KindTable:
		a.fail("42809", loc, "cannot attach inheritance parent as partition")
	}
	a.noCycle(t, c, loc)
	for _, x := range c.Columns {
		if !x.Dropped && t.Column(x.Name) == nil {
			a.failMore("42804", loc, "The new partition may contain only the columns present in parent.", "",
				"table %q contains column %q not found in parent %q", c.Name, x.Name, t.Name)
		}
	}
	a.mergeIntoChild(t, c, loc)
	b := a.partitionBound(t, c, cmd.Bound)
	c.Parents = append(c.Parents, t.OID)
	t.Children = append(t.Children, c.OID)
	c.IsPartition, c.Bound = true, b
	for _, x := range t.Columns {
		// A partition has its parent's identity since PostgreSQL 17.
		if y := c.Column(x.Name); y != nil && a.cat.Major >= 17 && !x.Dropped {
			y.Identity = x.Identity
		}
	}
	a.clonePartitionObjects(t, c)
}

// noCycle fails where a table would become its own ancestor.
func (a *applier) noCycle(parent, child *catalog.Table, loc int) {
	if slices.Contains(a.family(child), parent) {
		a.failMore("42P07", loc, fmt.Sprintf("%q is already a child of %q.", parent.Name, child.Name), "",
			"circular inheritance not allowed")
	}
}

// detachPartition is ALTER TABLE … DETACH PARTITION: the partition keeps what
// it has, on its own.
func (a *applier) detachPartition(t *catalog.Table, cmd *pg.PartitionCmd) {
	if t.Kind != catalog.KindPartitioned {
		if a.cat.Major >= 18 {
			a.failMore("42809", noLoc, notSupportedFor(t.Kind), "",
				"ALTER action DETACH PARTITION cannot be performed on relation %q", t.Name)
		}
		a.fail("42P17", noLoc, "table %q is not partitioned", t.Name)
	}
	c := a.relation(cmd.Name)
	if cmd.Concurrent {
		for _, o := range a.children(t) {
			if o.Bound != nil && o.Bound.Default {
				a.fail("55000", noLoc, "cannot detach partitions concurrently when a default partition exists")
			}
		}
	}
	if !slices.Contains(c.Parents, t.OID) {
		a.fail("42P01", int(cmd.Name.Location), "relation %q is not a partition of relation %q", c.Name, t.Name)
	}
	a.leaveParent(t, c)
	c.IsPartition, c.Bound = false, nil
	for _, f := range a.family(c) {
		for _, x := range f.Columns {
			x.Identity = 0
		}
	}
	for _, x := range c.Indexes {
		x.Parent = 0
	}
}

// attachIndex is ALTER INDEX … ATTACH PARTITION (ATExecAttachPartitionIdx,
// tablecmds.c).
func (a *applier) attachIndex(x *catalog.Index, r *pg.RangeVar) {
	child := a.cat.IndexByName(r.Schemaname, r.Relname)
	if child == nil {
		if t := a.cat.TableByName(r.Schemaname, r.Relname); t != nil {
			a.fail("42809", int(r.Location), "%q is not an index", t.Name)
		}
		a.fail("42P01", int(r.Location), "relation %q does not exist", shown(r.Schemaname, r.Relname))
	}
	if child.Parent == x.OID {
		return
	}
	t, c := a.cat.Table(x.Table), a.cat.Table(child.Table)
	refuse := func(detail string) {
		a.failMore("42P17", noLoc, detail, "", "cannot attach index %q as a partition of index %q", child.Name, x.Name)
	}
	switch {
	case child.Parent != 0:
		a.failMore("55000", noLoc, fmt.Sprintf("Index %q is already attached to another index.", child.Name), "",
			"cannot attach index %q as a partition of index %q", child.Name, x.Name)
	case !slices.Contains(t.Children, c.OID):
		a.failMore("55000", noLoc, fmt.Sprintf("Index %q is not an index on any partition of table %q.", child.Name, t.Name), "",
			"cannot attach index %q as a partition of index %q", child.Name, x.Name)
	case !sameIndex(child, x, mapKeys(x.Keys, t, c), mapList(x.Predicate, t, c)):
		refuse("The index definitions do not match.")
	}
	if pk := a.indexConstraint(x); pk != nil {
		k := a.indexConstraint(child)
		if k == nil {
			refuse(fmt.Sprintf("The index %q belongs to a constraint in table %q but no constraint exists for index %q.",
				x.Name, t.Name, child.Name))
		} else {
			k.NoInherit = false
		}
	}
	child.Parent = x.OID
}
