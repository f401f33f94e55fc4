package deparse

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// DefaultOrdering returns the < and > operators of a type's default btree
// operator class, 0 for a type that cannot be sorted (lookup_type_cache with
// TYPECACHE_LT_OPR and TYPECACHE_GT_OPR, typcache.c).
func DefaultOrdering(cat *catalog.Catalog, typ pgtype.OID) (less, greater pgtype.OID) {
	method := cat.MethodByName("btree")
	if method == nil {
		return 0, 0
	}
	class := cat.DefaultOpClass(typ, method.OID)
	if class == nil {
		return 0, 0
	}
	return cat.OpFamilyMember(class.Family, class.InType, class.InType, catalog.BTLess),
		cat.OpFamilyMember(class.Family, class.InType, class.InType, catalog.BTGreater)
}
