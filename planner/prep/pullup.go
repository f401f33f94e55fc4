package prep

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// pullUpSubqueries merges simple subqueries of FROM into the query
// (pull_up_subqueries, prepjointree.c).
func pullUpSubqueries(root *rel.PlannerInfo) {
	root.Parse.JoinTree = pullUpTree(root, root.Parse.JoinTree, nil, nil).(*query.FromExpr)
}

func pullUpTree(root *rel.PlannerInfo, n query.JoinNode, outer *query.JoinExpr, member *rel.AppendRelInfo) query.JoinNode {
	switch n := n.(type) {
	case *query.RangeTblRef:
		rte := root.Parse.RTE(n.Index)
		switch {
		case rte.Kind == query.RTESubquery && isSimpleSubquery(root, rte.Subquery, rte, outer) &&
			(member == nil || isSafeAppendMember(rte.Subquery)):
			return pullUpSimple(root, n, rte, outer, member)
		case rte.Kind == query.RTESubquery && isSimpleUnionAll(rte.Subquery):
			return pullUpUnionAll(root, n, rte)
		case rte.Kind == query.RTEValues && outer == nil && member == nil && isSimpleValues(root, rte):
			return pullUpValues(root, n, rte)
		case rte.Kind == query.RTEFunction:
			return pullUpConstantFunction(root, n, rte, member)
		}
	case *query.FromExpr:
		for i, c := range n.List {
			n.List[i] = pullUpTree(root, c, outer, nil)
		}
	case *query.JoinExpr:
		below := outer
		if n.Type != query.JoinInner {
			below = n
		}
		n.Left = pullUpTree(root, n.Left, below, nil)
		n.Right = pullUpTree(root, n.Right, below, nil)
	}
	return n
}

func isSimpleSubquery(root *rel.PlannerInfo, q *query.Query, rte *query.RangeTblEntry, outer *query.JoinExpr) bool {
	if q.Command != query.CmdSelect || q.SetOperations != nil || q.HasAggs || q.HasWindowFuncs || q.HasTargetSRFs ||
		len(q.GroupClause) > 0 || len(q.GroupingSets) > 0 || q.Having != nil || len(q.SortClause) > 0 ||
		len(q.Distinct) > 0 || q.LimitOffset != nil || q.LimitCount != nil || q.HasForUpdate || len(q.CTEs) > 0 ||
		rte.SecurityBarrier {
		return false
	}
	if rte.Lateral {
		var safe query.Relids
		if outer != nil {
			safe = JoinTreeRelids(outer, true, true)
		}
		if lateralOuterRefs(root, q.JoinTree, outer != nil, safe) {
			return false
		}
		if outer != nil {
			for _, te := range q.TargetList {
				if !eval.PullVarNosOfLevel(root, te.Expr, 1).IsSubset(safe) {
					return false
				}
			}
		}
	}
	for _, te := range q.TargetList {
		if eval.ContainVolatile(root.Global.Catalog, te.Expr) {
			return false
		}
	}
	return true
}

// lateralOuterRefs reports quals that a pull-up would carry out of an outer join
// (jointree_contains_lateral_outer_refs).
func lateralOuterRefs(root *rel.PlannerInfo, n query.JoinNode, restricted bool, safe query.Relids) bool {
	unsafe := func(e query.Expr) bool {
		return restricted && e != nil && !eval.PullVarNosOfLevel(root, e, 1).IsSubset(safe)
	}
	switch n := n.(type) {
	case *query.FromExpr:
		for _, c := range n.List {
			if lateralOuterRefs(root, c, restricted, safe) {
				return true
			}
		}
		return unsafe(n.Quals)
	case *query.JoinExpr:
		if n.Type != query.JoinInner {
			restricted, safe = true, query.Relids{}
		}
		return lateralOuterRefs(root, n.Left, restricted, safe) || lateralOuterRefs(root, n.Right, restricted, safe) || unsafe(n.Quals)
	}
	return false
}

// isSafeAppendMember reports whether an arm of UNION ALL is a plain relation
// with a target list (is_safe_append_member).
func isSafeAppendMember(q *query.Query) bool {
	var n query.JoinNode = q.JoinTree
	if len(q.JoinTree.List) == 0 && q.JoinTree.Quals == nil {
		return true
	}
	for {
		f, ok := n.(*query.FromExpr)
		if !ok {
			break
		}
		if f.Quals != nil || len(f.List) != 1 {
			return false
		}
		n = f.List[0]
	}
	_, ok := n.(*query.RangeTblRef)
	return ok
}

// pullUpSimple puts a subquery's join tree in its place and its expressions in
// the place of its columns (pull_up_simple_subquery).
func pullUpSimple(root *rel.PlannerInfo, ref *query.RangeTblRef, rte *query.RangeTblEntry, outer *query.JoinExpr, member *rel.AppendRelInfo) query.JoinNode {
	parse := root.Parse
	varno := ref.Index
	sub := rte.Subquery.Clone()
	subroot := &rel.PlannerInfo{Parse: sub, Global: root.Global, Level: root.Level, Parent: root.Parent, Subplan: root.Subplan, WTParamID: -1}
	replaceEmptyJoinTree(sub)
	if sub.HasSubLinks {
		pullUpSubLinks(subroot)
	}
	foldFunctionRTEs(subroot)
	pullUpSubqueries(subroot)
	sub = subroot.Parse
	// What went on below may have changed the answer.
	if !isSimpleSubquery(root, sub, rte, outer) || member != nil && !isSafeAppendMember(sub) {
		return ref
	}
	for _, te := range sub.TargetList {
		te.Expr = flattenJoinAliases(subroot, te.Expr)
	}
	offset := len(parse.RangeTable)
	sub = eval.OffsetVarNos(sub, offset)
	sub = eval.IncrementLevelsQuery(sub, -1, 1)
	for _, a := range subroot.AppendRels {
		a.Parent += offset
		a.Child += offset
		for i, v := range a.Vars {
			if v != nil {
				a.Vars[i] = eval.IncrementLevels(eval.OffsetVarNosExpr(v, offset), -1, 1)
			}
		}
	}
	r := &varReplacer{
		root: root, varno: varno, rte: rte, targets: sub.TargetList, cache: map[int]*query.PlaceHolderVar{},
		wrapAll: member != nil || len(parse.GroupingSets) > 0,
	}
	if rte.Lateral {
		r.relids = JoinTreeRelids(sub.JoinTree, true, true)
		r.nulling = nullingRelsOf(parse)
	}
	r.replaceAll(member)
	if rte.Lateral {
		for _, c := range sub.RangeTable {
			switch c.Kind {
			case query.RTERelation:
				c.Lateral = c.Lateral || c.Sample != nil
			case query.RTESubquery, query.RTEFunction, query.RTEValues, query.RTETableFunc:
				c.Lateral = true
			}
		}
	}
	parse.RangeTable = append(parse.RangeTable, sub.RangeTable...)
	parse.RowMarks = append(parse.RowMarks, sub.RowMarks...)
	if root.Global.LastPHID != 0 || len(root.AppendRels) > 0 {
		inside := JoinTreeRelids(sub.JoinTree, true, false)
		substitutePlaceHolderRelids(root, varno, inside)
		for _, a := range root.AppendRels {
			if a.Child == varno {
				a.Child, _ = inside.Single()
			}
		}
	}
	root.AppendRels = append(root.AppendRels, subroot.AppendRels...)
	rte.Subquery = sub // kept: what the entry was; nothing refers to it any more
	parse.HasSubLinks = parse.HasSubLinks || sub.HasSubLinks
	if sub.JoinTree.Quals == nil && len(sub.JoinTree.List) == 1 {
		return sub.JoinTree.List[0]
	}
	return sub.JoinTree
}

// substitutePlaceHolderRelids lets placeholders that were computed at a
// relation be computed at those that took its place (substitute_phv_relids).
func substitutePlaceHolderRelids(root *rel.PlannerInfo, varno int, with query.Relids) {
	if root.Global.LastPHID == 0 {
		return
	}
	var change func(e query.Expr, depth int) (query.Expr, bool)
	change = func(e query.Expr, depth int) (query.Expr, bool) {
		ph, ok := e.(*query.PlaceHolderVar)
		if !ok || ph.LevelsUp != depth || !ph.Rels.Has(varno) {
			return nil, false
		}
		c := *ph
		c.Rels = ph.Rels.Union(with).Remove(varno)
		c.Arg = query.TransformLevels(ph.Arg, func(x query.Expr, d int) (query.Expr, bool) { return change(x, d+depth) })
		return &c, true
	}
	transformParse(root, change)
}

// transformParse replaces expressions all over the query level being planned,
// and in the append relations' translations. The nodes that hold them stay the
// same: whoever is walking the join tree goes on walking the query's own.
func transformParse(root *rel.PlannerInfo, fn func(e query.Expr, depth int) (query.Expr, bool)) {
	root.Parse.EachExpr(func(e *query.Expr) { *e = query.TransformLevels(*e, fn) })
	below := func(q *query.Query) *query.Query {
		return q.TransformLevels(func(e query.Expr, depth int) (query.Expr, bool) { return fn(e, depth+1) })
	}
	for _, c := range root.Parse.CTEs {
		c.Query = below(c.Query)
	}
	for _, r := range root.Parse.RangeTable {
		if r.Subquery != nil {
			r.Subquery = below(r.Subquery)
		}
	}
	for _, a := range root.AppendRels {
		for i, v := range a.Vars {
			if v != nil {
				a.Vars[i] = query.TransformLevels(v, fn)
			}
		}
	}
}

// isSimpleUnionAll tells a subquery that is nothing but UNION ALL of arms with
// the same column types (is_simple_union_all).
func isSimpleUnionAll(q *query.Query) bool {
	top, ok := q.SetOperations.(*query.SetOperationStmt)
	if !ok || len(q.SortClause) > 0 || q.LimitOffset != nil || q.LimitCount != nil || len(q.RowMarks) > 0 || len(q.CTEs) > 0 {
		return false
	}
	return unionAllOfTypes(q, top, top)
}

func unionAllOfTypes(q *query.Query, n query.SetOpNode, top *query.SetOperationStmt) bool {
	switch n := n.(type) {
	case *query.RangeTblRef:
		i := 0
		for _, te := range q.RTE(n.Index).Subquery.TargetList {
			if te.Junk {
				continue
			}
			if i >= len(top.ColTypes) || te.Expr.ResultType() != top.ColTypes[i] {
				return false
			}
			i++
		}
		return i == len(top.ColTypes)
	case *query.SetOperationStmt:
		return n.Op == query.SetOpUnion && n.All && unionAllOfTypes(q, n.Left, top) && unionAllOfTypes(q, n.Right, top)
	}
	return false
}

// pullUpUnionAll makes an append relation of a UNION ALL subquery
// (pull_up_simple_union_all).
func pullUpUnionAll(root *rel.PlannerInfo, ref *query.RangeTblRef, rte *query.RangeTblEntry) query.JoinNode {
	sub := eval.IncrementLevelsQuery(rte.Subquery.Clone(), -1, 1)
	offset := len(root.Parse.RangeTable)
	for _, c := range sub.RangeTable {
		c.Lateral = c.Lateral || rte.Lateral
	}
	root.Parse.RangeTable = append(root.Parse.RangeTable, sub.RangeTable...)
	pullUpUnionLeaves(root, sub.SetOperations, ref.Index, rte.Subquery, offset)
	rte.Inherit = true
	return ref
}

func pullUpUnionLeaves(root *rel.PlannerInfo, n query.SetOpNode, parent int, q *query.Query, offset int) {
	switch n := n.(type) {
	case *query.RangeTblRef:
		info := &rel.AppendRelInfo{Parent: parent, Child: offset + n.Index}
		for _, te := range q.TargetList {
			if !te.Junk {
				info.Vars = append(info.Vars, targetVar(info.Child, te))
			}
		}
		root.AppendRels = append(root.AppendRels, info)
		pullUpTree(root, &query.RangeTblRef{Index: info.Child}, nil, info)
	case *query.SetOperationStmt:
		pullUpUnionLeaves(root, n.Left, parent, q, offset)
		pullUpUnionLeaves(root, n.Right, parent, q, offset)
	}
}

// flattenUnionAll makes an append relation of a query that is UNION ALL at its
// top (flatten_simple_union_all).
func flattenUnionAll(root *rel.PlannerInfo) {
	parse := root.Parse
	top := parse.SetOperations.(*query.SetOperationStmt)
	if root.HasRecursion || !unionAllOfTypes(parse, top, top) {
		return
	}
	left := query.SetOpNode(top)
	for {
		op, ok := left.(*query.SetOperationStmt)
		if !ok {
			break
		}
		left = op.Left
	}
	leaf := left.(*query.RangeTblRef)
	parent := leaf.Index
	first := parse.RTE(parent)
	child := *first
	parse.RangeTable = append(parse.RangeTable, &child)
	parse.SetOperations = replaceLeaf(top, leaf, &query.RangeTblRef{Index: len(parse.RangeTable)})
	first.Inherit = true
	parse.JoinTree.List = []query.JoinNode{&query.RangeTblRef{Index: parent}}
	tree := parse.SetOperations
	parse.SetOperations = nil
	pullUpUnionLeaves(root, tree, parent, parse, 0)
}

func replaceLeaf(n query.SetOpNode, old, with *query.RangeTblRef) query.SetOpNode {
	if n == query.SetOpNode(old) {
		return with
	}
	if op, ok := n.(*query.SetOperationStmt); ok {
		c := *op
		c.Left, c.Right = replaceLeaf(op.Left, old, with), replaceLeaf(op.Right, old, with)
		return &c
	}
	return n
}
