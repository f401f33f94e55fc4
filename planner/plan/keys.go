package plan

import (
	"strings"

	"github.com/dbgen/dbgen/parser/deparse"
	"github.com/dbgen/dbgen/parser/query"
)

// below is a writer for the node's input, whose columns grouping keys are.
func (w writer) below() writer {
	if w.at.outer == nil {
		return w
	}
	return w.c.writer(w.at.outer)
}

// keyText prints a column of the writer's node as a key, with any cast at its
// top shown.
func (w writer) keyText(col int) string {
	if col < 1 || col > len(w.at.tlist) {
		return "?"
	}
	return deparse.ExprWithCasts(w.at.tlist[col-1].Expr, w.context(w.usePrefix()))
}

// keyDetail adds sort or group keys, which are columns of the writer's node, to
// a node (show_sort_group_keys, explain.c).
func (w writer) keyDetail(n *Node, label string, keys []sortKey, ordered bool, presorted int) {
	if len(keys) == 0 {
		return
	}
	list, done := w.keyList(keys, ordered, presorted)
	n.add(Detail{Name: label, Value: list})
	if len(done) > 0 {
		n.add(Detail{Name: "Presorted Key", Value: done})
	}
}

func (w writer) keyList(keys []sortKey, ordered bool, presorted int) (list, done []string) {
	for i, k := range keys {
		text := w.keyText(k.col)
		if i < presorted {
			done = append(done, text)
		}
		if ordered && k.col >= 1 && k.col <= len(w.at.tlist) {
			text += w.sortOptions(w.at.tlist[k.col-1].Expr, k)
		}
		list = append(list, text)
	}
	return list, done
}

// sortOptions is what differs from the usual order of a type
// (show_sortorder_options, explain.c).
func (w writer) sortOptions(e query.Expr, k sortKey) string {
	cat := w.c.g.Catalog
	var b strings.Builder
	typ := e.ResultType()
	if t := cat.Type(typ); k.coll != 0 && t != nil && k.coll != t.Collation {
		if co := cat.Collation(k.coll); co != nil {
			b.WriteString(" COLLATE " + cat.QuoteIdent(co.Name))
		}
	}
	lt, gt := deparse.DefaultOrdering(cat, typ)
	reverse := false
	switch {
	case k.op == gt && gt != 0:
		b.WriteString(" DESC")
		reverse = true
	case k.op != lt:
		if o := cat.Operator(k.op); o != nil {
			b.WriteString(" USING " + o.Name)
		}
		if _, _, strategy, ok := cat.OrderingOp(k.op); ok {
			reverse = strategy != btreeLess
		}
	}
	switch {
	case k.nullsFirst && !reverse:
		b.WriteString(" NULLS FIRST")
	case !k.nullsFirst && reverse:
		b.WriteString(" NULLS LAST")
	}
	return b.String()
}

// aggKeys adds the keys of an aggregation (show_agg_keys, explain.c).
func (w writer) aggKeys() {
	n := w.at
	if len(n.sets) == 0 {
		w.below().keyDetail(n, "Group Key", n.keys, false, 0)
		return
	}
	b := w.below()
	out := make([]GroupingSet, 0, len(n.sets))
	for _, s := range n.sets {
		g := GroupingSet{Hashed: s.hashed}
		if len(s.sort) > 0 {
			g.SortKey, _ = b.keyList(s.sort, true, 0)
		}
		for _, cols := range s.sets {
			keys := []string{}
			for _, col := range cols {
				keys = append(keys, b.keyText(col))
			}
			g.Keys = append(g.Keys, keys)
		}
		out = append(out, g)
	}
	n.add(Detail{Name: "Grouping Sets", Value: out})
}

// windowDefinition adds the window of a WindowAgg (show_window_def, explain.c of
// 18).
func (w writer) windowDefinition() {
	n := w.at
	if n.window == nil {
		return
	}
	b := w.below()
	var parts []string
	// Of ORDER BY, too, the server prints the columns alone.
	keys := func(clauses []*query.SortGroupClause) string {
		list, _ := b.keyList(groupColumns(clauses, b.at.tlist), false, 0)
		return strings.Join(list, ", ")
	}
	if len(n.window.PartitionBy) > 0 {
		parts = append(parts, "PARTITION BY "+keys(n.window.PartitionBy))
	}
	if len(n.window.OrderBy) > 0 {
		parts = append(parts, "ORDER BY "+keys(n.window.OrderBy))
	}
	if f := w.frame(n.window); f != "" {
		parts = append(parts, f)
	}
	n.add(Detail{Name: "Window", Value: w.c.g.Catalog.QuoteIdent(n.window.Name) + " AS (" + strings.Join(parts, " ") + ")"})
}

// frame prints a window's frame if it is not the default one
// (get_window_frame_options, ruleutils.c).
func (w writer) frame(c *query.WindowClause) string {
	o := c.FrameOptions
	if o&query.FrameNonDefault == 0 {
		return ""
	}
	var b strings.Builder
	switch {
	case o&query.FrameRange != 0:
		b.WriteString("RANGE ")
	case o&query.FrameRows != 0:
		b.WriteString("ROWS ")
	case o&query.FrameGroups != 0:
		b.WriteString("GROUPS ")
	}
	offset := func(e query.Expr) string { return deparse.Expr(e, w.context(w.usePrefix())) }
	if o&query.FrameBetween != 0 {
		b.WriteString("BETWEEN ")
	}
	switch {
	case o&query.FrameStartUnboundedPreceding != 0:
		b.WriteString("UNBOUNDED PRECEDING")
	case o&query.FrameStartCurrentRow != 0:
		b.WriteString("CURRENT ROW")
	case o&query.FrameStartOffsetPreceding != 0:
		b.WriteString(offset(c.StartOffset) + " PRECEDING")
	case o&query.FrameStartOffsetFollowing != 0:
		b.WriteString(offset(c.StartOffset) + " FOLLOWING")
	}
	if o&query.FrameBetween != 0 {
		b.WriteString(" AND ")
		switch {
		case o&query.FrameEndUnboundedFollowing != 0:
			b.WriteString("UNBOUNDED FOLLOWING")
		case o&query.FrameEndCurrentRow != 0:
			b.WriteString("CURRENT ROW")
		case o&query.FrameEndOffsetPreceding != 0:
			b.WriteString(offset(c.EndOffset) + " PRECEDING")
		case o&query.FrameEndOffsetFollowing != 0:
			b.WriteString(offset(c.EndOffset) + " FOLLOWING")
		}
	}
	switch {
	case o&query.FrameExcludeCurrentRow != 0:
		b.WriteString(" EXCLUDE CURRENT ROW")
	case o&query.FrameExcludeGroup != 0:
		b.WriteString(" EXCLUDE GROUP")
	case o&query.FrameExcludeTies != 0:
		b.WriteString(" EXCLUDE TIES")
	}
	return b.String()
}
