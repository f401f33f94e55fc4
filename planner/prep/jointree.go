package prep

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// replaceEmptyJoinTree gives a query without FROM a relation of one empty row
// (replace_empty_jointree, prepjointree.c).
func replaceEmptyJoinTree(q *query.Query) {
	if len(q.JoinTree.List) > 0 || q.SetOperations != nil {
		return
	}
	q.RangeTable = append(q.RangeTable, &query.RangeTblEntry{Kind: query.RTEResult, ERef: &query.Alias{Name: "*RESULT*"}})
	q.JoinTree.List = []query.JoinNode{&query.RangeTblRef{Index: len(q.RangeTable)}}
}

// JoinTreeRelids collects the relations of a join tree, and on demand the
// indexes of its joins (get_relids_in_jointree).
func JoinTreeRelids(n query.JoinNode, outerJoins, innerJoins bool) query.Relids {
	var out query.Relids
	switch n := n.(type) {
	case *query.RangeTblRef:
		out = query.MakeRelids(n.Index)
	case *query.FromExpr:
		for _, c := range n.List {
			out = out.Union(JoinTreeRelids(c, outerJoins, innerJoins))
		}
	case *query.JoinExpr:
		out = JoinTreeRelids(n.Left, outerJoins, innerJoins).Union(JoinTreeRelids(n.Right, outerJoins, innerJoins))
		if n.Index != 0 && (n.Type == query.JoinInner && innerJoins || n.Type != query.JoinInner && outerJoins) {
			out = out.Add(n.Index)
		}
	}
	return out
}

// pullUpSubLinks turns EXISTS and = ANY conditions at the top of WHERE and ON
// into semi and anti joins (pull_up_sublinks).
func pullUpSubLinks(root *rel.PlannerInfo) {
	p := &subLinkPuller{root: root}
	n, _ := p.tree(root.Parse.JoinTree)
	from, ok := n.(*query.FromExpr)
	if !ok {
		from = &query.FromExpr{List: []query.JoinNode{n}}
	}
	root.Parse.JoinTree = from
}

type subLinkPuller struct{ root *rel.PlannerInfo }

// attach is a place in the join tree where a join can be put on top, with the
// relations below it.
type attach struct {
	node   *query.JoinNode
	relids query.Relids
}

func (p *subLinkPuller) tree(n query.JoinNode) (query.JoinNode, query.Relids) {
	switch n := n.(type) {
	case *query.RangeTblRef:
		return n, query.MakeRelids(n.Index)
	case *query.FromExpr:
		from := &query.FromExpr{}
		var relids query.Relids
		for _, c := range n.List {
			child, r := p.tree(c)
			from.List = append(from.List, child)
			relids = relids.Union(r)
		}
		var top query.JoinNode = from
		from.Quals = p.qual(n.Quals, attach{&top, relids}, nil)
		return top, relids
	case *query.JoinExpr:
		j := *n
		var left, right query.Relids
		j.Left, left = p.tree(n.Left)
		j.Right, right = p.tree(n.Right)
		var top query.JoinNode = &j
		switch j.Type {
		case query.JoinInner:
			j.Quals = p.qual(j.Quals, attach{&top, left.Union(right)}, nil)
		case query.JoinLeft:
			j.Quals = p.qual(j.Quals, attach{&j.Right, right}, nil)
		case query.JoinRight:
			j.Quals = p.qual(j.Quals, attach{&j.Left, left}, nil)
		}
		relids := left.Union(right)
		if j.Index != 0 {
			relids = relids.Add(j.Index)
		}
		return top, relids
	}
	panic("prep: unknown join tree node")
}

// qual pulls what it can out of one qual and returns the rest, nil for none
// (pull_up_sublinks_qual_recurse).
func (p *subLinkPuller) qual(e query.Expr, first attach, second *attach) query.Expr {
	switch n := e.(type) {
	case *query.SubLink:
		convert := p.convertAny
		switch n.Kind {
		case query.AnySubLink:
		case query.ExistsSubLink:
			convert = func(s *query.SubLink, r query.Relids) *query.JoinExpr { return p.convertExists(s, false, r) }
		default:
			return e
		}
		for _, at := range places(first, second) {
			if j := convert(n, at.relids); j != nil {
				j.Left = *at.node
				*at.node = j
				var child query.Relids
				j.Right, child = p.tree(j.Right)
				j.Quals = p.qual(j.Quals, attach{&j.Left, at.relids}, &attach{&j.Right, child})
				return nil
			}
		}
	case *query.BoolExpr:
		switch n.Op {
		case query.NotExpr:
			s, ok := n.Args[0].(*query.SubLink)
			if !ok || s.Kind != query.ExistsSubLink {
				return e
			}
			for _, at := range places(first, second) {
				if j := p.convertExists(s, true, at.relids); j != nil {
					j.Left = *at.node
					*at.node = j
					var child query.Relids
					j.Right, child = p.tree(j.Right)
					// Below an anti join only its inner side is a place.
					j.Quals = p.qual(j.Quals, attach{&j.Right, child}, nil)
					return nil
				}
			}
		case query.AndExpr:
			var rest []query.Expr
			for _, a := range n.Args {
				if r := p.qual(a, first, second); r != nil {
					rest = append(rest, r)
				}
			}
			if len(rest) == 0 {
				return nil
			}
			return eval.MakeAnd(rest)
		}
	}
	return e
}

func places(first attach, second *attach) []attach {
	if second == nil {
		return []attach{first}
	}
	return []attach{first, *second}
}

// convertAny makes a semijoin of "x op ANY (SELECT …)"; nil if it cannot be one
// over the given relations (convert_ANY_sublink_to_join, subselect.c).
func (p *subLinkPuller) convertAny(s *query.SubLink, available query.Relids) *query.JoinExpr {
	root := p.root
	outer := eval.PullVarNosQuery(root, s.Subselect, 1)
	if !outer.IsEmpty() && !root.Global.Version(17) || !outer.IsSubset(available) {
		return nil
	}
	upper := eval.PullVarNos(root, s.Test)
	if upper.IsEmpty() || !upper.IsSubset(available) || eval.ContainVolatile(root.Global.Catalog, s.Test) {
		return nil
	}
	eref := &query.Alias{Name: "ANY_subquery"}
	var vars []query.Expr
	index := len(root.Parse.RangeTable) + 1
	for _, te := range s.Subselect.TargetList {
		if te.Junk {
			continue
		}
		eref.Columns = append(eref.Columns, te.Name)
		vars = append(vars, targetVar(index, te))
	}
	root.Parse.RangeTable = append(root.Parse.RangeTable, &query.RangeTblEntry{
		Kind: query.RTESubquery, Alias: &query.Alias{Name: "ANY_subquery"}, ERef: eref,
		Subquery: s.Subselect, Lateral: !outer.IsEmpty(), InFrom: true,
	})
	return &query.JoinExpr{Type: query.JoinSemi, Right: &query.RangeTblRef{Index: index}, Quals: convertTest(s.Test, vars)}
}

// targetVar is a Var of a subquery's output column (makeVarFromTargetEntry).
func targetVar(varno int, te *query.TargetEntry) *query.Var {
	return &query.Var{
		Header: query.Header{Typ: te.Expr.ResultType(), Mod: te.Expr.ResultTypmod(), Coll: te.Expr.ResultCollation()},
		VarNo:  varno, AttNo: te.ResNo, SynNo: varno, SynAttNo: te.ResNo,
	}
}

// convertTest puts expressions in the place of a test's sublink parameters
// (convert_testexpr).
func convertTest(test query.Expr, subst []query.Expr) query.Expr {
	return query.Transform(test, func(e query.Expr) (query.Expr, bool) {
		switch n := e.(type) {
		case *query.Param:
			if n.Kind == query.ParamSublink {
				return subst[n.Number-1], true
			}
		case *query.SubLink:
			return n, true
		}
		return nil, false
	})
}

// convertExists makes a semi or anti join of [NOT] EXISTS; nil if it cannot be
// one over the given relations (convert_EXISTS_sublink_to_join, subselect.c).
func (p *subLinkPuller) convertExists(s *query.SubLink, not bool, available query.Relids) *query.JoinExpr {
	root := p.root
	cat := root.Global.Catalog
	if len(s.Subselect.CTEs) > 0 {
		return nil
	}
	sub := s.Subselect.Clone()
	if !simplifyExists(root, sub) {
		return nil
	}
	where := sub.JoinTree.Quals
	sub.JoinTree.Quals = nil
	if eval.ContainVarsOfLevelQuery(sub, 1) || where == nil || !eval.ContainVarsOfLevel(where, 1) ||
		eval.ContainVolatile(cat, where) {
		return nil
	}
	replaceEmptyJoinTree(sub)
	offset := len(root.Parse.RangeTable)
	sub = eval.OffsetVarNos(sub, offset)
	where = eval.OffsetVarNosExpr(where, offset)
	sub = eval.IncrementLevelsQuery(sub, -1, 1)
	where = eval.IncrementLevels(where, -1, 1)
	for v := range eval.PullVarNos(root, where).All() {
		if v <= offset && !available.Has(v) {
			return nil
		}
	}
	root.Parse.RangeTable = append(root.Parse.RangeTable, sub.RangeTable...)
	j := &query.JoinExpr{Type: query.JoinSemi, Right: sub.JoinTree, Quals: where}
	if not {
		j.Type = query.JoinAnti
	}
	if len(sub.JoinTree.List) == 1 {
		j.Right = sub.JoinTree.List[0]
	}
	return j
}

// simplifyExists strips a query of what does not matter to whether it has rows;
// false if it cannot be (simplify_EXISTS_query).
func simplifyExists(root *rel.PlannerInfo, q *query.Query) bool {
	if q.Command != query.CmdSelect || q.SetOperations != nil || q.HasAggs || len(q.GroupingSets) > 0 ||
		q.HasWindowFuncs || q.HasTargetSRFs || q.HasModifyingCTE || q.Having != nil ||
		q.LimitOffset != nil || len(q.RowMarks) > 0 {
		return false
	}
	if q.LimitCount != nil {
		c, ok := eval.Fold(root.Global, q.LimitCount).(*query.Const)
		if !ok {
			return false
		}
		if v, known := eval.Value(root.Global, c); !c.Null && (!known || v.Int() <= 0) {
			return false
		}
		q.LimitCount = nil
	}
	q.TargetList, q.GroupClause, q.WindowClause, q.Distinct, q.SortClause = nil, nil, nil, nil, nil
	q.HasDistinctOn = false
	return true
}
