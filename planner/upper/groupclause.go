package upper

import (
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// prepareGroupClause orders GROUP BY and drops what is useless in it; in 15 the
// other way round.
func prepareGroupClause(root *rel.PlannerInfo) {
	root.GroupClause = root.Parse.GroupClause
	if root.Global.Version(16) {
		root.GroupClause = orderGroupClause(root)
		removeUselessGroupColumns(root)
		return
	}
	removeUselessGroupColumns(root)
	root.Parse.GroupClause = root.GroupClause
	root.GroupClause = orderGroupClause(root)
}

// orderGroupClause puts GROUP BY in the order of ORDER BY as far as it goes, so
// that one sort does for both (preprocess_groupclause, planner.c). Until 16 that
// is done only where one of the lists then begins with the whole other.
func orderGroupClause(root *rel.PlannerInfo) []*query.SortGroupClause {
	q := root.Parse
	var out []*query.SortGroupClause
	partly := false
	for _, s := range q.SortClause {
		i := slices.IndexFunc(q.GroupClause, func(c *query.SortGroupClause) bool { return *c == *s })
		if i < 0 {
			partly = !root.Global.Version(17)
			break
		}
		out = append(out, q.GroupClause[i])
	}
	if len(out) == 0 {
		return slices.Clone(q.GroupClause)
	}
	for _, c := range q.GroupClause {
		if slices.Contains(out, c) {
			continue
		}
		if partly || c.SortOp == 0 {
			return slices.Clone(q.GroupClause)
		}
		out = append(out, c)
	}
	return out
}

// removeUselessGroupColumns drops the columns of GROUP BY that a primary key
// among them determines (remove_useless_groupby_columns; since 18 any unique
// index over columns that cannot be NULL).
func removeUselessGroupColumns(root *rel.PlannerInfo) {
	q := root.Parse
	if len(root.GroupClause) < 2 || len(q.GroupingSets) > 0 {
		return
	}
	byRel := map[int]query.Relids{}
	for _, c := range root.GroupClause {
		if v, ok := prep.SortClauseExpr(c, q.TargetList).(*query.Var); ok && v.LevelsUp == 0 && v.AttNo > 0 {
			byRel[v.VarNo] = byRel[v.VarNo].Add(v.AttNo)
		}
	}
	surplus := map[int]query.Relids{}
	for i, rte := range q.RangeTable {
		columns := byRel[i+1]
		if rte.Kind != query.RTERelation || columns.Len() < 2 || rte.Inherit && rte.RelKind != catalog.KindPartitioned {
			continue
		}
		t := root.Global.Catalog.Table(rte.Relation)
		if t == nil {
			continue
		}
		if key := groupKey(root, t, columns); !key.IsEmpty() {
			surplus[i+1] = columns.Minus(key)
		}
	}
	if len(surplus) == 0 {
		return
	}
	root.GroupClause = slices.DeleteFunc(slices.Clone(root.GroupClause), func(c *query.SortGroupClause) bool {
		v, ok := prep.SortClauseExpr(c, q.TargetList).(*query.Var)
		return ok && v.LevelsUp == 0 && surplus[v.VarNo].Has(max(v.AttNo, 0))
	})
}

// groupKey returns the columns of a key that are a proper part of the given
// ones; of several the smallest. A key whose check can be deferred is none.
func groupKey(root *rel.PlannerInfo, t *catalog.Table, columns query.Relids) query.Relids {
	proper := func(key query.Relids) bool { return key.IsSubset(columns) && key != columns }
	if !root.Global.Version(18) {
		for _, c := range t.Constraints {
			if c.Kind != catalog.ConstraintPrimary || c.Deferrable {
				continue
			}
			if key := query.MakeRelids(c.Columns...); proper(key) {
				return key
			}
		}
		return query.Relids{}
	}
	var best query.Relids
	for _, x := range t.Indexes {
		if !x.Unique || !x.Immediate || !x.Valid || len(x.Predicate) > 0 {
			continue
		}
		key, ok := query.Relids{}, true
		for _, k := range x.Keys[:x.NumKeys] {
			if k.Column <= 0 {
				ok = false
				break
			}
			if col := t.Attr(k.Column); col == nil || !col.NotNull && !x.NullsNotDistinct {
				ok = false
				break
			}
			key = key.Add(k.Column)
		}
		if ok && proper(key) && (best.IsEmpty() || key.Len() < best.Len()) {
			best = key
		}
	}
	return best
}
