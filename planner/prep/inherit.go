package prep

import (
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// AddOtherRels expands partitioned tables into the partitions that the query's
// constants leave (add_other_rels_to_query, initsplan.c).
func AddOtherRels(root *rel.PlannerInfo) {
	for i := 1; i < len(root.Rels); i++ {
		rl := root.Rels[i]
		if rl == nil || rl.Kind != rel.BaseRel || !root.RTEs[i].Inherit {
			continue
		}
		switch root.RTEs[i].Kind {
		case query.RTERelation:
			expandPartitions(root, rl)
		case query.RTESubquery:
			expandAppendRel(root, rl)
		}
	}
}

// expandAppendRel makes the child relations of a pulled-up UNION ALL
// (expand_appendrel_subquery, inherit.c).
func expandAppendRel(root *rel.PlannerInfo, parent *rel.RelOptInfo) {
	for _, info := range root.AppendRels {
		if info.Parent != parent.Index {
			continue
		}
		child := BuildSimpleRel(root, info.Child, parent)
		if root.RTEs[info.Child].Inherit && !child.Dummy {
			if root.RTEs[info.Child].Kind == query.RTERelation {
				expandPartitions(root, child)
			} else {
				expandAppendRel(root, child)
			}
		}
	}
}

// HasChildren reports whether scanning a table includes other tables.
func HasChildren(cat *catalog.Catalog, rte *query.RangeTblEntry) bool {
	t := cat.Table(rte.Relation)
	return rte.Inherit && t != nil && (len(t.Children) > 0 || t.Kind == catalog.KindPartitioned)
}

// expandPartitions makes the child relations of a partitioned table
// (expand_partitioned_rtentry, inherit.c).
func expandPartitions(root *rel.PlannerInfo, parent *rel.RelOptInfo) {
	g := root.Global
	rte := root.RTEs[parent.Index]
	if parent.Table.Kind != catalog.KindPartitioned {
		g.NotSupported("table inheritance: " + parent.Table.Name + " has children")
		return
	}
	if slices.ContainsFunc(root.RowMarks, func(m *rel.RowMark) bool { return m.Index == parent.Index }) {
		g.NotSupported("row locks on the partitioned table " + parent.Table.Name)
	}
	if root.Parse.ResultRelation == parent.Index && root.Parse.Command != query.CmdInsert {
		g.NotSupported("UPDATE, DELETE or MERGE of the partitioned table " + parent.Table.Name)
	}
	parts := orderedPartitions(g, parent.Table)
	if parts == nil && len(parent.Table.Children) > 0 {
		g.NotSupported("partition bounds of " + parent.Table.Name)
		return
	}
	parent.Partitioned = true
	parent.NParts = len(parts)
	parent.PartScheme = &rel.PartitionScheme{Key: parent.Table.PartitionKey}
	parent.PartRels = make([]*rel.RelOptInfo, len(parts))
	for _, t := range parts {
		parent.PartScheme.Bounds = append(parent.PartScheme.Bounds, t.Bound)
	}
	parent.LiveParts = prunePartitions(root, parent, parts)
	for _, i := range parent.LiveParts {
		t := parts[i]
		index := len(root.Rels)
		child := *rte
		child.Relation, child.RelKind = t.OID, t.Kind
		child.Inherit = t.Kind == catalog.KindPartitioned
		child.SecurityQuals = nil
		child.ERef = &query.Alias{Name: rte.ERef.Name}
		for _, c := range t.Columns {
			name := c.Name
			if c.Dropped {
				name = ""
			}
			child.ERef.Columns = append(child.ERef.Columns, name)
		}
		child.Alias = child.ERef
		root.Parse.RangeTable = append(root.Parse.RangeTable, &child)
		info := makeAppendRelInfo(parent.Table, t, parent.Index, index)
		root.AppendRels = append(root.AppendRels, info)
		root.Rels = append(root.Rels, nil)
		root.RTEs = append(root.RTEs, &child)
		root.Append = append(root.Append, info)
		crel := BuildSimpleRel(root, index, parent)
		parent.PartRels[i] = crel
		if child.Inherit && !crel.Dummy {
			expandPartitions(root, crel)
		}
	}
}

// applyChildBaseQuals gives a child its parent's restrictions in its own terms,
// and reports false if one of them is never true (apply_child_basequals,
// inherit.c).
func applyChildBaseQuals(root *rel.PlannerInfo, parent, child *rel.RelOptInfo, info *rel.AppendRelInfo) bool {
	for _, r := range parent.BaseRestrict {
		e := eval.Fold(root.Global, AdjustAppendRelAttrs(root, r.Clause, info))
		if c, ok := e.(*query.Const); ok {
			if c.Null || c.Value == "f" {
				return false
			}
			continue
		}
		for _, q := range splitAnd(e) {
			pseudo := false
			if !eval.ContainVarsOfLevel(q, 0) && !eval.ContainVolatile(root.Global.Catalog, q) {
				pseudo = true
				root.HasPseudoConstQuals = true
			}
			cr := MakeRestrictInfo(root, q, ClauseInfo{
				PushedDown: r.PushedDown, HasClone: r.HasClone, IsClone: r.IsClone, PseudoConstant: pseudo,
				SecurityLevel: r.SecurityLevel,
			})
			if root.Global.Version(17) {
				if alwaysTrue(root, cr) {
					continue
				}
				if alwaysFalse(root, cr) {
					return false
				}
			}
			child.BaseRestrict = append(child.BaseRestrict, cr)
			child.BaseMinSecurity = min(child.BaseMinSecurity, r.SecurityLevel)
		}
	}
	return true
}
