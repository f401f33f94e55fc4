package prep

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// JoinList is the shape that the join search works on: a leaf is one relation,
// anything else a group of lists to be joined among themselves first.
type JoinList struct {
	// Rel is the range table index of a leaf, 0 for a group.
	Rel  int
	Subs []*JoinList
}

// joinItem is a node of the join tree with what its quals may refer to
// (JoinTreeItem, initsplan.c).
type joinItem struct {
	node    query.JoinNode
	parent  *joinItem
	domain  *rel.JoinDomain
	scope   query.Relids // qualscope
	inner   query.Relids // inner_join_rels
	left    query.Relids
	right   query.Relids
	nonnull query.Relids // nonnullable_rels
	sj      *rel.SpecialJoinInfo
	ojQuals []query.Expr // postponed join quals of an outer join
	lateral []query.Expr
}

type deconstructor struct {
	root  *rel.PlannerInfo
	items []*joinItem
}

// deconstructJoinTree takes the join tree apart: quals go to the relations,
// equalities to the classes, outer joins become SpecialJoinInfos. The result
// says what is to be joined (deconstruct_jointree, initsplan.c).
func deconstructJoinTree(root *rel.PlannerInfo) *JoinList {
	root.PlaceHoldersFrozen = true
	top := root.JoinDomains[0]
	top.Relids = query.Relids{}
	root.AllBaseRels, root.OuterJoins = query.Relids{}, query.Relids{}
	d := &deconstructor{root: root}
	list := d.recurse(root.Parse.JoinTree, top, nil)
	root.AllQueryRels = root.AllBaseRels.Union(root.OuterJoins)
	for _, it := range d.items {
		d.distribute(it)
	}
	if len(root.JoinInfoList) > 0 {
		for _, it := range d.items {
			if len(it.ojQuals) > 0 {
				d.distributeOuterJoinQuals(it)
			}
		}
	}
	return &JoinList{Subs: list}
}

func (d *deconstructor) last() *joinItem { return d.items[len(d.items)-1] }

// group makes one list of several, unless it is a single one.
func group(list []*JoinList) *JoinList {
	if len(list) == 1 {
		return list[0]
	}
	return &JoinList{Subs: list}
}

func (d *deconstructor) recurse(n query.JoinNode, parentDomain *rel.JoinDomain, parent *joinItem) []*JoinList {
	root := d.root
	it := &joinItem{node: n, parent: parent, domain: parentDomain}
	var list []*JoinList
	switch n := n.(type) {
	case *query.RangeTblRef:
		root.AllBaseRels = root.AllBaseRels.Add(n.Index)
		parentDomain.Relids = parentDomain.Relids.Add(n.Index)
		it.scope = query.MakeRelids(n.Index)
		list = []*JoinList{{Rel: n.Index}}
	case *query.FromExpr:
		remaining := len(n.List)
		for _, c := range n.List {
			sub := d.recurse(c, parentDomain, it)
			subItem := d.last()
			it.scope = it.scope.Union(subItem.scope)
			it.inner = subItem.inner
			remaining--
			if len(sub) <= 1 || len(list)+len(sub)+remaining <= root.Global.Settings.FromCollapseLimit {
				list = append(list, sub...)
			} else {
				list = append(list, &JoinList{Subs: sub})
			}
		}
		if len(n.List) > 1 {
			it.inner = it.scope
		}
	case *query.JoinExpr:
		list = d.join(n, parentDomain, it)
	}
	d.items = append(d.items, it)
	return list
}

func (d *deconstructor) newDomain() *rel.JoinDomain {
	dom := &rel.JoinDomain{}
	d.root.JoinDomains = append(d.root.JoinDomains, dom)
	return dom
}

// addOuterJoin enters an outer join's own index above the relations it nulls.
func (d *deconstructor) addOuterJoin(index int, above *rel.JoinDomain, it *joinItem, nulled ...query.Relids) {
	root := d.root
	above.Relids = above.Relids.Add(index)
	it.scope = it.scope.Add(index)
	root.OuterJoins = root.OuterJoins.Add(index)
	for _, side := range nulled {
		for i := range side.All() {
			if rl := root.Rels[i]; rl != nil {
				rl.NullingRels = rl.NullingRels.Add(index)
			}
		}
	}
}

func (d *deconstructor) join(j *query.JoinExpr, parentDomain *rel.JoinDomain, it *joinItem) []*JoinList {
	var left, right []*JoinList
	var li, ri *joinItem
	descend := func(ld, rd *rel.JoinDomain) {
		left = d.recurse(j.Left, ld, it)
		li = d.last()
		right = d.recurse(j.Right, rd, it)
		ri = d.last()
		it.scope = li.scope.Union(ri.scope)
		it.left, it.right = li.scope, ri.scope
	}
	switch j.Type {
	case query.JoinInner:
		descend(parentDomain, parentDomain)
		it.inner = it.scope
	case query.JoinSemi:
		descend(parentDomain, parentDomain)
		it.inner = li.inner.Union(ri.inner)
	case query.JoinLeft, query.JoinAnti:
		child := d.newDomain()
		it.domain = child
		descend(parentDomain, child)
		parentDomain.Relids = parentDomain.Relids.Union(child.Relids)
		if j.Index != 0 {
			d.addOuterJoin(j.Index, parentDomain, it, ri.scope)
		}
		it.inner = li.inner.Union(ri.inner)
		it.nonnull = li.scope
	case query.JoinFull:
		full := d.newDomain()
		it.domain = full
		ld := d.newDomain()
		left = d.recurse(j.Left, ld, it)
		li = d.last()
		full.Relids = ld.Relids
		rd := d.newDomain()
		right = d.recurse(j.Right, rd, it)
		ri = d.last()
		full.Relids = full.Relids.Union(rd.Relids)
		parentDomain.Relids = parentDomain.Relids.Union(full.Relids)
		it.scope = li.scope.Union(ri.scope)
		it.left, it.right = li.scope, ri.scope
		d.addOuterJoin(j.Index, parentDomain, it, li.scope, ri.scope)
		it.inner = li.inner.Union(ri.inner)
		it.nonnull = it.scope
	default:
		panic("prep: join type in join tree")
	}
	switch {
	case j.Type == query.JoinFull:
		return []*JoinList{{Subs: []*JoinList{group(left), group(right)}}}
	case len(left)+len(right) <= d.root.Global.Settings.JoinCollapseLimit:
		return append(left, right...)
	}
	return []*JoinList{group(left), group(right)}
}

// distribute hands the quals of one join tree node to the relations
// (deconstruct_distribute).
func (d *deconstructor) distribute(it *joinItem) {
	root := d.root
	switch n := it.node.(type) {
	case *query.RangeTblRef:
		for level, q := range root.RTEs[n.Index].SecurityQuals {
			d.quals(splitAnd(q), it, qualContext{level: level, scope: it.scope, ojScope: it.scope, allowEC: true})
		}
	case *query.FromExpr:
		ctx := qualContext{level: root.QualSecurityLevel, scope: it.scope, allowEC: true}
		d.quals(it.lateral, it, ctx)
		d.quals(splitAnd(n.Quals), it, ctx)
	case *query.JoinExpr:
		quals := append(it.lateral, splitAnd(n.Quals)...)
		ctx := qualContext{level: root.QualSecurityLevel, scope: it.scope, nonnull: it.nonnull, allowEC: true}
		if n.Type != query.JoinInner {
			it.sj = d.makeOuterJoinInfo(it, n.Type, n.Index, quals)
			ctx.sj = it.sj
			if n.Type != query.JoinSemi {
				ctx.ojScope = it.sj.MinLeft.Union(it.sj.MinRight)
			}
			if n.Type == query.JoinLeft && it.sj.LHSStrict {
				ctx.postpone = &it.ojQuals
				ctx.ojScope = ctx.ojScope.Union(it.sj.CommuteBelowL).Union(it.sj.CommuteBelowR)
			}
		}
		d.quals(quals, it, ctx)
		if it.sj != nil {
			root.JoinInfoList = append(root.JoinInfoList, it.sj)
		}
	}
}

// splitAnd lists the arms of a canonical qual, nil for none.
func splitAnd(e query.Expr) []query.Expr {
	if e == nil {
		return nil
	}
	if b, ok := e.(*query.BoolExpr); ok && b.Op == query.AndExpr {
		return append([]query.Expr(nil), b.Args...)
	}
	if isTrue(e) {
		return nil
	}
	return []query.Expr{e}
}
