package selectivity

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/stats"
)

// columnStats returns a column's statistics, nil where the server has none. A
// fact that was derived makes the plan approximate.
func columnStats(v *VarData, root *rel.PlannerInfo, rte *query.RangeTblEntry, attno int) *stats.Column {
	if root.Global.Stats == nil || attno <= 0 {
		return nil
	}
	return v.facts(root.Global.Stats.Column(rte.Relation, attno, rte.Inherit && hasTree(root, rte)))
}

// hasTree reports whether a reference reads children too, so that the
// statistics over the tree apply. rte.Inherit is set for every table not under
// ONLY; the server clears it for a table without children
// (expand_inherited_rtentry, inherit.c).
func hasTree(root *rel.PlannerInfo, rte *query.RangeTblEntry) bool {
	t := root.Global.Stats.Catalog.Table(rte.Relation)
	return t != nil && (len(t.Children) > 0 || t.Kind == 'p')
}

// indexStats returns the statistics of an index's expression, by its position
// from 0.
func indexStats(v *VarData, x *rel.IndexOptInfo, pos int) *stats.Column {
	if v.root.Global.Stats == nil || x.Index == nil {
		return nil
	}
	return v.facts(v.root.Global.Stats.IndexColumn(x.Index, pos+1))
}

func (v *VarData) facts(f *stats.ColumnFacts) *stats.Column {
	for _, why := range f.Derived {
		v.root.Global.Approximate(why)
	}
	v.noValues = f.NoValues
	return f.Column
}
