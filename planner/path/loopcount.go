package path

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/selectivity"
)

// semijoinRows lowers the rows of an outer relation that will be made unique for
// a semijoin before the scan depends on it (adjust_rowcount_for_semijoins,
// indxpath.c).
func semijoinRows(root *rel.PlannerInfo, cur, outer int, rows float64) float64 {
	for _, sj := range root.JoinInfoList {
		if sj.Type != query.JoinSemi || !sj.SynLeft.Has(cur) || !sj.SynRight.Has(outer) {
			continue
		}
		raw := 1.0
		for i := range sj.SynRight.All() {
			if i < len(root.Rels) && root.Rels[i] != nil && !root.Rels[i].Dummy {
				raw *= root.Rels[i].Rows
			}
		}
		rows = min(rows, selectivity.NumGroups(root, sj.SemiRHSExprs, raw))
	}
	return rows
}
