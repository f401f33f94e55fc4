package prep

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// Preprocess is the first half of subquery_planner (planner.c): it brings the
// query level into the form that the rest of planning expects. root.Parse is
// changed in place; it must be the planner's own copy.
func Preprocess(root *rel.PlannerInfo) {
	parse := root.Parse
	if root.HasRecursion {
		root.WTParamID = SpecialExecParam(root)
	}
	if len(parse.CTEs) > 0 {
		processCTEs(root)
	}
	mergeToJoin(root)
	replaceEmptyJoinTree(parse)
	if parse.HasSubLinks {
		pullUpSubLinks(root)
	}
	foldFunctionRTEs(root)
	pullUpSubqueries(root)
	if parse.SetOperations != nil {
		flattenUnionAll(root)
	}
	outer, results := surveyRangeTable(root)
	rowMarks(root)
	root.HasHavingQual = parse.Having != nil
	preprocessExprs(root)
	if root.HasJoinRTEs {
		for _, rte := range parse.RangeTable {
			rte.JoinAliasVars = nil
		}
	}
	moveHaving(root)
	if outer {
		reduceOuterJoins(root)
	}
	if results || outer {
		removeUselessResults(root)
	}
}

func surveyRangeTable(root *rel.PlannerInfo) (outer, results bool) {
	for _, rte := range root.Parse.RangeTable {
		switch rte.Kind {
		case query.RTERelation:
			rte.Inherit = HasChildren(root.Global.Catalog, rte)
		case query.RTEJoin:
			root.HasJoinRTEs = true
			outer = outer || rte.JoinType.IsOuter()
		case query.RTEResult:
			results = true
		case query.RTETableFunc, query.RTENamedTuplestore:
			root.Global.NotSupported("XMLTABLE, JSON_TABLE and transition tables")
		}
		root.HasLateralRTEs = root.HasLateralRTEs || rte.Lateral
		root.QualSecurityLevel = max(root.QualSecurityLevel, len(rte.SecurityQuals))
	}
	root.AllResultRels = query.Relids{}
	if r := root.Parse.ResultRelation; r != 0 {
		root.AllResultRels = query.MakeRelids(r)
		if !root.Parse.RTE(r).Inherit {
			root.LeafResultRels = query.MakeRelids(r)
		}
	}
	// Joins that pull-up made have no range table entry of their own; outer
	// joins among them are found in the tree.
	var walk func(query.JoinNode)
	walk = func(n query.JoinNode) {
		switch n := n.(type) {
		case *query.FromExpr:
			for _, c := range n.List {
				walk(c)
			}
		case *query.JoinExpr:
			if n.Index != 0 {
				outer = outer || n.Type.IsOuter()
			}
			walk(n.Left)
			walk(n.Right)
		}
	}
	walk(root.Parse.JoinTree)
	return outer, results
}

// rowMarks lists what FOR UPDATE and its kin lock, and in a statement that
// locks or changes something also what may have to be fetched again
// (preprocess_rowmarks, planner.c).
func rowMarks(root *rel.PlannerInfo) {
	parse := root.Parse
	if len(parse.RowMarks) == 0 && parse.Command != query.CmdUpdate && parse.Command != query.CmdDelete && parse.Command != query.CmdMerge {
		return
	}
	rels := JoinTreeRelids(parse.JoinTree, false, false).Remove(max(parse.ResultRelation, 0))
	for _, m := range parse.RowMarks {
		rte := parse.RTE(m.Index)
		if rte.Kind != query.RTERelation {
			continue
		}
		rels = rels.Remove(m.Index)
		root.RowMarks = append(root.RowMarks, &rel.RowMark{Index: m.Index, Strength: m.Strength, Wait: m.Wait, Locks: true})
	}
	for i := range parse.RangeTable {
		if rels.Has(i + 1) {
			root.RowMarks = append(root.RowMarks, &rel.RowMark{Index: i + 1})
		}
	}
}

// exprKind says where an expression stands (EXPRKIND_*, planner.c).
type exprKind int

const (
	kindQual exprKind = iota
	kindTarget
	kindFunction
	kindFunctionLateral
	kindValues
	kindValuesLateral
	kindOther
	kindSample
)

// preprocessExpr is preprocess_expression (planner.c).
func preprocessExpr(root *rel.PlannerInfo, e query.Expr, kind exprKind) query.Expr {
	if e == nil {
		return nil
	}
	if root.HasJoinRTEs {
		switch kind {
		case kindFunction, kindValues, kindSample:
		default:
			e = flattenJoinAliases(root, e)
		}
	}
	if kind != kindFunction {
		e = eval.Fold(root.Global, e)
	}
	if kind == kindQual {
		e = canonicalizeQual(e)
	}
	if root.Parse.HasSubLinks {
		e = processSubLinks(root, e, kind == kindQual)
	}
	if root.Level > 1 {
		e = replaceCorrelation(root, e)
	}
	return e
}

func preprocessExprs(root *rel.PlannerInfo) {
	parse := root.Parse
	targets := func(list []*query.TargetEntry) {
		for _, te := range list {
			te.Expr = preprocessExpr(root, te.Expr, kindTarget)
		}
	}
	targets(parse.TargetList)
	if parse.HasTargetSRFs {
		parse.HasTargetSRFs = false
		for _, te := range parse.TargetList {
			parse.HasTargetSRFs = parse.HasTargetSRFs || eval.ContainSRF(te.Expr)
		}
	}
	targets(parse.Returning)
	preprocessTree(root, parse.JoinTree)
	parse.Having = preprocessExpr(root, parse.Having, kindQual)
	for _, w := range parse.WindowClause {
		w.StartOffset = preprocessExpr(root, w.StartOffset, kindOther)
		w.EndOffset = preprocessExpr(root, w.EndOffset, kindOther)
	}
	parse.LimitOffset = preprocessExpr(root, parse.LimitOffset, kindOther)
	parse.LimitCount = preprocessExpr(root, parse.LimitCount, kindOther)
	if c := parse.OnConflict; c != nil {
		for _, el := range c.ArbiterElems {
			el.Arg = preprocessExpr(root, el.Arg, kindOther)
		}
		c.ArbiterWhere = preprocessExpr(root, c.ArbiterWhere, kindQual)
		targets(c.Set)
		c.Where = preprocessExpr(root, c.Where, kindQual)
	}
	for _, a := range parse.MergeActions {
		targets(a.TargetList)
		a.Qual = preprocessExpr(root, a.Qual, kindQual)
	}
	for _, a := range root.AppendRels {
		for i, v := range a.Vars {
			a.Vars[i] = preprocessExpr(root, v, kindOther)
		}
	}
	for _, rte := range parse.RangeTable {
		preprocessRTE(root, rte)
	}
}

func preprocessRTE(root *rel.PlannerInfo, rte *query.RangeTblEntry) {
	switch rte.Kind {
	case query.RTERelation:
		if rte.Sample != nil {
			for i, e := range rte.Sample.Args {
				rte.Sample.Args[i] = preprocessExpr(root, e, kindSample)
			}
			rte.Sample.Repeatable = preprocessExpr(root, rte.Sample.Repeatable, kindSample)
		}
	case query.RTESubquery:
		if rte.Lateral && root.HasJoinRTEs && rte.Subquery != nil {
			rte.Subquery = flattenJoinAliasesBelow(root, rte.Subquery)
		}
	case query.RTEFunction:
		kind := kindFunction
		if rte.Lateral {
			kind = kindFunctionLateral
		}
		for _, f := range rte.Functions {
			f.Expr = preprocessExpr(root, f.Expr, kind)
		}
	case query.RTEValues:
		kind := kindValues
		if rte.Lateral {
			kind = kindValuesLateral
		}
		for _, row := range rte.Values {
			for i, e := range row {
				row[i] = preprocessExpr(root, e, kind)
			}
		}
	}
	for i, q := range rte.SecurityQuals {
		rte.SecurityQuals[i] = preprocessExpr(root, q, kindQual)
	}
}

// flattenJoinAliasesBelow does so for the references that a LATERAL subquery
// makes to this level.
func flattenJoinAliasesBelow(root *rel.PlannerInfo, q *query.Query) *query.Query {
	for i, rte := range root.Parse.RangeTable {
		if rte.Kind != query.RTEJoin {
			continue
		}
		q = eval.ReplaceOuterVars(q, i+1, func(v *query.Var) query.Expr { return flattenJoinAliases(root, v) })
	}
	return q
}

// preprocessTree is preprocess_qual_conditions.
func preprocessTree(root *rel.PlannerInfo, n query.JoinNode) {
	switch n := n.(type) {
	case *query.FromExpr:
		for _, c := range n.List {
			preprocessTree(root, c)
		}
		n.Quals = preprocessExpr(root, n.Quals, kindQual)
	case *query.JoinExpr:
		preprocessTree(root, n.Left)
		preprocessTree(root, n.Right)
		n.Quals = preprocessExpr(root, n.Quals, kindQual)
	}
}

// moveHaving moves what it can of HAVING to WHERE, where it is checked earlier.
func moveHaving(root *rel.PlannerInfo) {
	parse := root.Parse
	cat := root.Global.Catalog
	var keep []query.Expr
	for _, e := range splitAnd(parse.Having) {
		grouped := len(parse.GroupClause) > 0
		switch {
		case grouped && len(parse.GroupingSets) > 0, eval.ContainAggs(e), eval.ContainVolatile(cat, e), eval.ContainSubPlans(e):
			keep = append(keep, e)
			continue
		case !grouped:
			// Degenerate grouping still gives a row unless HAVING is checked
			// there as well.
			keep = append(keep, e)
		}
		parse.JoinTree.Quals = eval.MakeAnd(append(splitAnd(parse.JoinTree.Quals), e))
	}
	parse.Having = nil
	if len(keep) > 0 {
		parse.Having = eval.MakeAnd(keep)
	}
}
