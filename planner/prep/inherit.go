package prep

import (
	"slices"
	"strconv"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// System columns that tell the rows of an inheritance tree apart
// (access/sysattr.h).
const (
	ctidColumn     = -1
	tableoidColumn = -6
)

// AddOtherRels expands tables with children into those that the query's
// constants leave (add_other_rels_to_query, initsplan.c).
func AddOtherRels(root *rel.PlannerInfo) {
	for i := 1; i < len(root.Rels); i++ {
		rl := root.Rels[i]
		if rl == nil || rl.Kind != rel.BaseRel || !root.RTEs[i].Inherit {
			continue
		}
		switch root.RTEs[i].Kind {
		case query.RTERelation:
			expandTable(root, rl)
			identifyRows(root, rl)
		case query.RTESubquery:
			expandAppendRel(root, rl)
		}
	}
}

// identifyRows makes a table with children pass on the columns by which UPDATE,
// DELETE and row locks find the rows in it: what
// distribute_row_identity_vars (appendinfo.c) and the end of
// expand_inherited_rtentry (inherit.c) add. The server's row identity variables
// belong to no relation; here they are the parent's system columns, which each
// child has, too.
func identifyRows(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	add := func(attno int, typ pgtype.OID, name string) {
		v := &query.Var{
			Header: query.Header{Typ: typ, Mod: pgtype.NoTypmod},
			VarNo:  rl.Index, AttNo: attno, SynNo: rl.Index, SynAttNo: attno,
		}
		root.ProcessedTargetList = append(root.ProcessedTargetList, &query.TargetEntry{
			Expr: v, ResNo: len(root.ProcessedTargetList) + 1, Name: name, Junk: true,
		})
		AddVarsToTarget(root, []query.Expr{v}, finalOutput)
	}
	if root.Parse.ResultRelation == rl.Index && root.Parse.Command != query.CmdInsert {
		if !root.LeafResultRels.IsEmpty() {
			add(tableoidColumn, pgtype.OidOID, "tableoid")
		}
		add(ctidColumn, pgtype.TidOID, "ctid")
	}
	for i, m := range root.RowMarks {
		if m.Index == rl.Index {
			m.IsParent = true
			add(tableoidColumn, pgtype.OidOID, "tableoid"+strconv.Itoa(i+1))
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
				expandTable(root, child)
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

// expandTable makes the child relations of a table with children
// (expand_inherited_rtentry, inherit.c).
func expandTable(root *rel.PlannerInfo, parent *rel.RelOptInfo) {
	if parent.Table.Kind == catalog.KindPartitioned {
		expandPartitions(root, parent)
		return
	}
	for _, t := range inheritors(root.Global.Catalog, parent.Table) {
		if t.Kind == catalog.KindPartitioned {
			root.Global.NotSupported("the partitioned table " + t.Name + " in an inheritance tree")
		}
		index := addChild(root, parent, t)
		BuildSimpleRel(root, index, parent)
	}
}

// inheritors lists a table and everything that inherits from it, level by level
// and each level by OID (find_all_inheritors, pg_inherits.c).
func inheritors(cat *catalog.Catalog, t *catalog.Table) []*catalog.Table {
	out := []*catalog.Table{t}
	for i := 0; i < len(out); i++ {
		children := slices.Clone(out[i].Children)
		slices.Sort(children)
		for _, oid := range children {
			if c := cat.Table(oid); c != nil && !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// expandPartitions makes the child relations of a partitioned table
// (expand_partitioned_rtentry, inherit.c).
func expandPartitions(root *rel.PlannerInfo, parent *rel.RelOptInfo) {
	g := root.Global
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
		index := addChild(root, parent, parts[i])
		crel := BuildSimpleRel(root, index, parent)
		parent.PartRels[i] = crel
		if root.RTEs[index].Inherit && !crel.Dummy {
			expandPartitions(root, crel)
		}
	}
}

// addChild makes the range table entry of a child and its tie to the parent,
// and returns its index (expand_single_inheritance_child, inherit.c).
func addChild(root *rel.PlannerInfo, parent *rel.RelOptInfo, t *catalog.Table) int {
	rte := root.RTEs[parent.Index]
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
	if root.AllResultRels.Has(parent.Index) {
		root.AllResultRels = root.AllResultRels.Add(index)
		if !child.Inherit {
			root.LeafResultRels = root.LeafResultRels.Add(index)
		}
	}
	return index
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
