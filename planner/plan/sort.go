package plan

import (
	"fmt"
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/path"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// sortColumns finds the columns of a node's output that pathkeys mean, adding
// those it lacks (prepare_sort_from_pathkeys). want gives the columns that they
// must be at, nil for any. inPlace says that the node's list may grow even if
// it does not project.
func (c *creator) sortColumns(sub *Node, pathKeys []*rel.PathKey, relids query.Relids, want []sortKey, inPlace bool) (*Node, []sortKey) {
	list := sub.tlist
	keys := make([]sortKey, 0, len(pathKeys))
	for _, pk := range pathKeys {
		ec := prep.Merged(pk.EC)
		var te *query.TargetEntry
		var typ pgOID
		switch {
		case ec.HasVolatile:
			if i := slices.IndexFunc(list, func(t *query.TargetEntry) bool { return t.SortGroupRef == ec.SortRef }); i >= 0 {
				te, typ = list[i], ec.Members[0].DataType
			}
		case want != nil:
			if at := want[len(keys)].col; at <= len(list) {
				if m := prep.FindECMemberMatchingExpr(ec, list[at-1].Expr, relids); m != nil {
					te, typ = list[at-1], m.DataType
				}
			}
		default:
			for _, t := range list {
				if m := prep.FindECMemberMatchingExpr(ec, t.Expr, relids); m != nil {
					te, typ = t, m.DataType
					break
				}
			}
		}
		if te == nil {
			exprs := make([]query.Expr, len(list))
			for i, t := range list {
				exprs[i] = t.Expr
			}
			m := prep.FindComputableECMember(sub.Root, ec, exprs, relids, false)
			if m == nil {
				c.g.NotSupported(fmt.Sprintf("a sort key that the %s below it does not supply", sub.Kind))
				return sub, keys
			}
			typ = m.DataType
			list = slices.Clone(list)
			if !inPlace && !sub.projects() {
				sub = c.inject(sub, list)
			}
			inPlace = true
			te = &query.TargetEntry{Expr: m.Expr, ResNo: len(list) + 1, Junk: true}
			list = append(list, te)
			sub.tlist = list
		}
		keys = append(keys, sortKey{
			col: te.ResNo, op: c.g.Catalog.OpFamilyMember(pk.Family, typ, typ, pk.Strategy),
			coll: ec.Collation, nullsFirst: pk.NullsFirst,
		})
	}
	return sub, keys
}

// makeSort puts a Sort above a node that no path asked for
// (make_sort_from_pathkeys; the caller sets its cost).
func (c *creator) makeSort(kind Kind, sub *Node, pathKeys []*rel.PathKey, relids query.Relids) *Node {
	sub, keys := c.sortColumns(sub, pathKeys, relids, nil, false)
	return c.sortAbove(kind, sub, keys)
}

func (c *creator) sortAbove(kind Kind, sub *Node, keys []sortKey) *Node {
	n := c.node(kind, sub.Root, nil)
	n.Path = sub.Path
	n.outer, n.tlist, n.keys = sub, sub.tlist, keys
	return n
}

// sortPlan makes the plan of a sort path (create_sort_plan,
// create_incrementalsort_plan).
func (c *creator) sortPlan(kind Kind, root *rel.PlannerInfo, p, sub rel.Path, keys []*rel.PathKey, want demand) *Node {
	below := c.recurse(root, sub, want|smallList)
	var relids query.Relids
	if isOther(sub.Base().Parent) {
		relids = p.Base().Parent.Relids
	}
	n := c.makeSort(kind, below, keys, relids)
	n.Path = p
	n.copyPath(p)
	return n
}

func isOther(rl *rel.RelOptInfo) bool {
	return rl.Kind == rel.OtherMemberRel || rl.Kind == rel.OtherJoinRel || rl.Kind == rel.OtherUpperRel
}

// costSort gives a Sort the cost that a path would have had
// (label_sort_with_costsize).
func (c *creator) costSort(n *Node, limit float64) {
	o := n.outer
	e := cost.Sort(cost.ParamsOf(c.g), cost.SortInput{
		Input:  cost.Estimate{Startup: o.Startup, Total: o.Total, Rows: o.Rows, Disabled: o.disabledNodes},
		Tuples: o.Rows, Width: o.Width, LimitTuples: limit,
	})
	n.Startup, n.Total, n.disabledNodes = e.Startup, e.Total, e.Disabled
	n.Rows, n.Width = o.Rows, o.Width
}

// costIncrementalSort is [creator.costSort] of an Incremental Sort
// (label_incrementalsort_with_costsize, since 18).
func (c *creator) costIncrementalSort(n *Node, pathKeys []*rel.PathKey, limit float64) {
	o := n.outer
	groups := path.PresortedGroups(n.Root, pathKeys, n.presorted, o.Rows)
	e := cost.IncrementalSort(cost.ParamsOf(c.g), cost.SortInput{
		Input:  cost.Estimate{Startup: o.Startup, Total: o.Total, Rows: o.Rows, Disabled: o.disabledNodes},
		Tuples: o.Rows, Width: o.Width, LimitTuples: limit,
	}, groups)
	n.Startup, n.Total, n.disabledNodes = e.Startup, e.Total, e.Disabled
	n.Rows, n.Width = o.Rows, o.Width
}

// groupColumns are the columns of a list that grouping clauses mean
// (extract_grouping_cols, tlist.c).
func groupColumns(clauses []*query.SortGroupClause, list []*query.TargetEntry) []sortKey {
	var out []sortKey
	for _, g := range clauses {
		if col := refColumn(g.Ref, list); col > 0 {
			out = append(out, sortKey{col: col})
		}
	}
	return out
}

func refColumn(ref int, list []*query.TargetEntry) int {
	for _, t := range list {
		if t.SortGroupRef == ref {
			return t.ResNo
		}
	}
	return 0
}
