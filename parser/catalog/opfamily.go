package catalog

import (
	"github.com/dbgen/dbgen/parser/pgtype"
)

// Access methods that PostgreSQL pins (catalog/pg_am.dat).
const (
	BTreeMethod  pgtype.OID = 403
	HashMethod   pgtype.OID = 405
	GistMethod   pgtype.OID = 783
	GinMethod    pgtype.OID = 2742
	SPGistMethod pgtype.OID = 4000
	BrinMethod   pgtype.OID = 3580
)

// OrderingOp says which btree family, input type and strategy an ordering
// operator belongs to (get_ordering_op_properties, lsyscache.c); ok is false
// for an operator that orders nothing.
func (c *Catalog) OrderingOp(op pgtype.OID) (family, inType pgtype.OID, strategy int, ok bool) {
	for _, a := range c.AmOpsOf(op) {
		if a.Method != BTreeMethod || a.Purpose != 's' {
			continue
		}
		if (a.Strategy == BTLess || a.Strategy == BTGreater) && a.Left == a.Right {
			return a.Family, a.Left, a.Strategy, true
		}
	}
	return 0, 0, 0, false
}

// MergeJoinFamilies returns the btree families in which an operator is
// equality (get_mergejoin_opfamilies, lsyscache.c), in catalog order.
func (c *Catalog) MergeJoinFamilies(op pgtype.OID) []pgtype.OID {
	var out []pgtype.OID
	for _, a := range c.AmOpsOf(op) {
		if a.Method == BTreeMethod && a.Strategy == BTEqual && a.Purpose == 's' {
			out = append(out, a.Family)
		}
	}
	return out
}

// CanMergeJoin reports whether an equality operator can be merged on for the
// given left input type (op_mergejoinable, lsyscache.c). For arrays and records
// that depends on what they hold.
func (c *Catalog) CanMergeJoin(op, left pgtype.OID) bool {
	o := c.Operator(op)
	if o == nil {
		return false
	}
	if f := c.Func(o.Func); f != nil && (f.Source == "array_eq" || f.Source == "record_eq") {
		return c.holdsComparable(left, BTreeMethod)
	}
	return o.CanMerge
}

// CanHashJoin reports whether an equality operator can be hashed on for the
// given left input type (op_hashjoinable, lsyscache.c).
func (c *Catalog) CanHashJoin(op, left pgtype.OID) bool {
	o := c.Operator(op)
	if o == nil {
		return false
	}
	if f := c.Func(o.Func); f != nil && (f.Source == "array_eq" || f.Source == "record_eq") {
		return c.holdsComparable(left, HashMethod)
	}
	return o.CanHash
}

// holdsComparable reports whether the elements of an array, or all columns of a
// composite, have a default operator class of a method. An anonymous record is
// taken to have, as the server does for sorting, but not for hashing.
func (c *Catalog) holdsComparable(typ, method pgtype.OID) bool {
	t := c.Type(c.BaseType(typ))
	switch {
	case t == nil:
		return false
	case t.IsArray():
		return c.DefaultOpClass(t.Element, method) != nil && c.holdsElements(t.Element, method)
	case t.Kind == 'c':
		r := c.Table(t.Relation)
		if r == nil {
			return false
		}
		for _, col := range r.Columns {
			if !col.Dropped && (c.DefaultOpClass(col.Type, method) == nil || !c.holdsElements(col.Type, method)) {
				return false
			}
		}
		return true
	case typ == pgtype.RecordOID:
		return method == BTreeMethod
	}
	return true
}

// holdsElements is [Catalog.holdsComparable] for containers, true for scalars.
func (c *Catalog) holdsElements(typ, method pgtype.OID) bool {
	t := c.Type(c.BaseType(typ))
	if t != nil && (t.IsArray() || t.Kind == 'c') {
		return c.holdsComparable(t.OID, method)
	}
	return true
}

// EqualityOp returns the equality operator of a type's default btree class, or
// else of its hash class (lookup_type_cache with TYPECACHE_EQ_OPR, typcache.c);
// 0 if it has none.
func (c *Catalog) EqualityOp(typ pgtype.OID) pgtype.OID {
	base := c.BaseType(typ)
	if oc := c.DefaultOpClass(base, BTreeMethod); oc != nil {
		if op := c.OpFamilyMember(oc.Family, oc.InType, oc.InType, BTEqual); op != 0 {
			return c.arrayChecked(op, base, BTreeMethod)
		}
	}
	if oc := c.DefaultOpClass(base, HashMethod); oc != nil {
		return c.arrayChecked(c.OpFamilyMember(oc.Family, oc.InType, oc.InType, 1), base, HashMethod)
	}
	return 0
}

func (c *Catalog) arrayChecked(op, typ, method pgtype.OID) pgtype.OID {
	if !c.holdsElements(typ, method) {
		return 0
	}
	return op
}

// HasHash reports whether a type has a hash function by its default hash class.
func (c *Catalog) HasHash(typ pgtype.OID) bool {
	base := c.BaseType(typ)
	return c.DefaultOpClass(base, HashMethod) != nil && c.holdsElements(base, HashMethod)
}

// SortOps returns the < and > operators of a type's default btree class, 0 if
// it cannot be sorted.
func (c *Catalog) SortOps(typ pgtype.OID) (lt, gt pgtype.OID) {
	base := c.BaseType(typ)
	oc := c.DefaultOpClass(base, BTreeMethod)
	if oc == nil || !c.holdsElements(base, BTreeMethod) {
		return 0, 0
	}
	return c.OpFamilyMember(oc.Family, oc.InType, oc.InType, BTLess), c.OpFamilyMember(oc.Family, oc.InType, oc.InType, BTGreater)
}
