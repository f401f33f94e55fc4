package selectivity

import (
	"strconv"
	"strings"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// toScalar maps a constant and the two bounds of its histogram bin to numbers
// that can be interpolated (convert_to_scalar, selfuncs.c). Strings are taken
// by their bytes, which is the server's way only where the collation is.
func (v *VarData) toScalar(coll pgtype.OID, d, lo, hi pgtype.Datum) (val, low, high float64, ok bool) {
	if isString(v.VarType) && !eval.Bytewise(v.root.Global, coll) {
		v.root.Global.Approximate("strings are compared by their bytes, not by their collation")
	}
	return pgtype.Scalar(d, lo, hi)
}

func isString(typ pgtype.OID) bool {
	switch typ {
	case pgtype.BpcharOID, pgtype.VarcharOID, pgtype.TextOID:
		return true
	}
	return false
}

// parseTID reads (block,offset).
func parseTID(s string) (block, offset float64, ok bool) {
	s = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(s), "("), ")")
	b, o, found := strings.Cut(s, ",")
	x, err := strconv.ParseUint(b, 10, 32)
	y, err2 := strconv.ParseUint(o, 10, 16)
	return float64(x), float64(y), found && err == nil && err2 == nil
}

// indexOn reports whether an index's first column is an expression
// (match_index_to_operand, indxpath.c).
func indexOn(x *rel.IndexOptInfo, e query.Expr) bool {
	if r, ok := e.(*query.RelabelType); ok {
		e = r.Arg
	}
	if len(x.Keys) == 0 {
		return false
	}
	if x.Keys[0] != 0 {
		v, ok := e.(*query.Var)
		return ok && v.LevelsUp == 0 && x.Rel != nil && v.VarNo == x.Rel.Index && v.AttNo == x.Keys[0] && v.NullingRels.IsEmpty()
	}
	if len(x.Exprs) == 0 {
		return false
	}
	key := x.Exprs[0]
	if r, ok := key.(*query.RelabelType); ok {
		key = r.Arg
	}
	return query.Equal(key, e)
}
