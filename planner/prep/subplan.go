package prep

import (
	"fmt"
	"strings"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// processSubLinks replaces the sublinks of an expression by subplans, or by the
// parameters that init plans set (SS_process_sublinks, subselect.c). topQual
// says that the expression is a qual, where unknown is as good as false.
func processSubLinks(root *rel.PlannerInfo, e query.Expr, topQual bool) query.Expr {
	return query.Transform(e, func(x query.Expr) (query.Expr, bool) {
		switch n := x.(type) {
		case *query.SubLink:
			var test query.Expr
			if n.Test != nil {
				test = processSubLinks(root, n.Test, false)
			}
			return makeSubPlan(root, n, test, topQual && n == e), true
		case *query.PlaceHolderVar:
			if n.LevelsUp > 0 {
				return n, true
			}
		case *query.Aggref:
			if n.LevelsUp > 0 {
				return n, true
			}
		case *query.GroupingFunc:
			if n.LevelsUp > 0 {
				return n, true
			}
		case *query.BoolExpr:
			if n.Op == query.NotExpr {
				break
			}
			var list []query.Expr
			for _, a := range n.Args {
				list = append(list, processSubLinks(root, a, topQual && query.Expr(n) == e))
			}
			c := *n
			c.Args = flatten(list, n.Op)
			return &c, true
		}
		return nil, false
	})
}

// makeSubPlan plans a sublink's query. EXISTS that is correlated by equality
// gets a second plan, hashed over all rows (make_subplan).
func makeSubPlan(root *rel.PlannerInfo, s *query.SubLink, test query.Expr, topQual bool) query.Expr {
	sub := s.Subselect.Clone()
	simple := false
	fraction := 0.0
	switch s.Kind {
	case query.ExistsSubLink:
		simple = simplifyExists(root, sub)
		fraction = 1 // one row will do
	case query.AllSubLink, query.AnySubLink:
		fraction = 0.5
	case query.MultiExprSubLink:
		root.Global.NotSupported("UPDATE … SET (…) = (SELECT …)")
	}
	subroot := root.Subplan(root, sub, false, fraction)
	params := root.PlanParams
	root.PlanParams = nil
	best := root.CheapestFractional(FetchUpperRel(subroot, rel.UpperFinal, query.Relids{}), fraction)
	takeCreationParams(root.Global, best)
	result := buildSubPlan(root, subPlanInput{
		root: subroot, path: best, params: params, kind: s.Kind, test: test, unknownEqFalse: topQual, typ: s.Typ,
	})
	plan, isPlan := result.(*query.SubPlan)
	if !simple || !isPlan {
		return result
	}
	again := s.Subselect.Clone()
	simplifyExists(root, again)
	anyTest, ids := existsToAny(root, again)
	if anyTest == nil {
		return result
	}
	subroot = root.Subplan(root, again, false, 0)
	params = root.PlanParams
	root.PlanParams = nil
	best = FetchUpperRel(subroot, rel.UpperFinal, query.Relids{}).CheapestTotal
	if !hashable(root, best) {
		return result
	}
	takeCreationParams(root.Global, best)
	hashed := buildSubPlan(root, subPlanInput{
		root: subroot, path: best, params: params, kind: query.AnySubLink, test: anyTest, testParams: ids, unknownEqFalse: true, typ: s.Typ,
	})
	root.HasAlternatives = true
	return &query.AlternativeSubPlan{Header: plan.Header, Plans: []query.Expr{plan, hashed}}
}

type subPlanInput struct {
	root           *rel.PlannerInfo
	path           rel.Path
	params         []*rel.PlannerParam
	kind           query.SubLinkType
	test           query.Expr
	testParams     []int
	unknownEqFalse bool
	typ            pgtype.OID
}

// outputs are the non-junk output columns of a planned query.
func outputs(root *rel.PlannerInfo) []*query.TargetEntry {
	var out []*query.TargetEntry
	for _, te := range root.ProcessedTargetList {
		if !te.Junk {
			out = append(out, te)
		}
	}
	return out
}

// buildSubPlan decides whether a planned subquery is run once, as an init plan,
// or for each row, hashed or not (build_subplan).
func buildSubPlan(root *rel.PlannerInfo, in subPlanInput) query.Expr {
	g := root.Global
	sp := &query.SubPlan{
		Header: query.Header{Typ: pgtype.BoolOID, Mod: pgtype.NoTypmod}, Kind: in.kind,
		UnknownEqFalse: in.unknownEqFalse, ParallelSafe: in.path.Base().ParallelSafe,
	}
	cols := outputs(in.root)
	if len(cols) > 0 {
		sp.FirstColType = cols[0].Expr.ResultType()
	}
	if in.kind == query.ExprSubLink || in.kind == query.ArraySubLink {
		sp.Typ = in.typ
		if in.kind == query.ExprSubLink {
			sp.Mod, sp.Coll = cols[0].Expr.ResultTypmod(), cols[0].Expr.ResultCollation()
		}
	}
	for _, p := range in.params {
		arg := p.Item
		switch arg.(type) {
		case *query.PlaceHolderVar, *query.Aggref, *query.GroupingFunc:
			arg = processSubLinks(root, arg, false)
		}
		sp.ParParams = append(sp.ParParams, p.ParamID)
		sp.Args = append(sp.Args, arg)
	}
	path := in.path
	uncorrelated := len(sp.ParParams) == 0
	var result query.Expr
	initPlan := true
	switch {
	case uncorrelated && in.kind == query.ExistsSubLink:
		result = NewExecParam(root, pgtype.BoolOID, pgtype.NoTypmod, 0)
	case uncorrelated && in.kind == query.ExprSubLink:
		e := cols[0].Expr
		result = NewExecParam(root, e.ResultType(), e.ResultTypmod(), e.ResultCollation())
	case uncorrelated && in.kind == query.ArraySubLink:
		e := cols[0].Expr
		result = NewExecParam(root, in.typ, e.ResultTypmod(), e.ResultCollation())
	case uncorrelated && in.kind == query.RowCompareSubLink:
		params, ids := columnParams(root, cols)
		sp.ParamIDs, sp.SetParams = ids, ids
		result = convertTest(in.test, params)
	default:
		initPlan = false
		result = sp
		sp.Test, sp.ParamIDs = in.test, in.testParams
		if in.test != nil && in.testParams == nil {
			var params []query.Expr
			params, sp.ParamIDs = columnParams(root, cols)
			sp.Test = convertTest(in.test, params)
		}
		switch {
		case in.kind == query.AnySubLink && uncorrelated && hashable(root, path) && testHashable(root, sp.Test, sp.ParamIDs):
			sp.UseHash = true
		case uncorrelated && g.Settings.EnableMaterial && !materializes(path):
			path = materialize(g, path)
		}
	}
	if p, ok := result.(*query.Param); ok {
		sp.SetParams = []int{p.Number}
	}
	g.Subplans = append(g.Subplans, &rel.Subplan{Root: in.root, Path: path})
	sp.PlanID = len(g.Subplans)
	word := "SubPlan"
	if initPlan {
		word = "InitPlan"
		root.InitPlans = append(root.InitPlans, sp)
	}
	sp.Name = SubPlanName(g, word, sp)
	g.Subplans[sp.PlanID-1].Name = sp.Name
	costSubPlan(root, sp, path)
	return result
}

// SubPlanName is what EXPLAIN calls a subplan: until 16 an init plan's name
// tells the parameters that it sets.
func SubPlanName(g *rel.Global, word string, sp *query.SubPlan) string {
	name := fmt.Sprintf("%s %d", word, sp.PlanID)
	if word != "InitPlan" || g.Version(17) || len(sp.SetParams) == 0 {
		return name
	}
	var ids []string
	for _, id := range sp.SetParams {
		ids = append(ids, fmt.Sprintf("$%d", id))
	}
	return name + " (returns " + strings.Join(ids, ",") + ")"
}

// MakeInitPlan makes an init plan of a planned query that sets a parameter
// (SS_make_initplan_from_plan).
func MakeInitPlan(root, subroot *rel.PlannerInfo, path rel.Path, param *query.Param) {
	g := root.Global
	g.Subplans = append(g.Subplans, &rel.Subplan{Root: subroot, Path: path})
	sp := &query.SubPlan{
		Header: param.Header, Kind: query.ExprSubLink, PlanID: len(g.Subplans), SetParams: []int{param.Number},
		FirstColType: param.Typ, ParallelSafe: path.Base().ParallelSafe,
	}
	sp.Name = SubPlanName(g, "InitPlan", sp)
	g.Subplans[sp.PlanID-1].Name = sp.Name
	root.InitPlans = append(root.InitPlans, sp)
	costSubPlan(root, sp, path)
}

func columnParams(root *rel.PlannerInfo, cols []*query.TargetEntry) (params []query.Expr, ids []int) {
	for _, te := range cols {
		p := NewExecParam(root, te.Expr.ResultType(), te.Expr.ResultTypmod(), te.Expr.ResultCollation())
		params, ids = append(params, p), append(ids, p.Number)
	}
	return params, ids
}

// hashable reports whether a subquery's result fits hash memory
// (subplan_is_hashable, subpath_is_hashable).
func hashable(root *rel.PlannerInfo, p rel.Path) bool {
	b := p.Base()
	align := func(n int) float64 { return float64((n + 7) &^ 7) }
	const tupleHeader = 23 // SizeofHeapTupleHeader
	size := b.Rows * (align(b.Target.Width) + align(tupleHeader))
	s := root.Global.Settings
	return size <= float64(s.WorkMem)*1024*s.HashMemMultiplier
}

// testHashable reports whether a subplan's test can be answered by a hash table
// (testexpr_is_hashable).
func testHashable(root *rel.PlannerInfo, test query.Expr, ids []int) bool {
	if test == nil {
		return false
	}
	for _, e := range conditions(test) {
		op, ok := e.(*query.OpExpr)
		if !ok || !hashOK(root, op) || containsParams(op.Args[0], ids) || eval.ContainVarClause(op.Args[1]) {
			return false
		}
	}
	return true
}

// hashOK is hash_ok_operator.
func hashOK(root *rel.PlannerInfo, op *query.OpExpr) bool {
	cat := root.Global.Catalog
	o := cat.Operator(op.Op)
	if o == nil || len(op.Args) != 2 {
		return false
	}
	f := cat.Func(o.Func)
	if f != nil && (f.Source == "array_eq" || f.Source == "record_eq" || f.Source == "range_eq" || f.Source == "multirange_eq") {
		return cat.CanHashJoin(op.Op, op.Args[0].ResultType())
	}
	return o.CanHash && f != nil && f.Strict
}

func containsParams(e query.Expr, ids []int) bool {
	found := false
	query.Walk(e, func(x query.Expr) bool {
		if p, ok := x.(*query.Param); ok && p.Kind == query.ParamExec {
			for _, id := range ids {
				found = found || id == p.Number
			}
		}
		return !found
	})
	return found
}

// materializes reports whether a plan keeps its rows by itself
// (ExecMaterializesOutput, execAmi.c).
func materializes(p rel.Path) bool {
	switch p.(type) {
	case *rel.MaterialPath, *rel.FunctionScanPath, *rel.TableFuncScanPath, *rel.CteScanPath, *rel.WorkTableScanPath, *rel.SortPath:
		return true
	}
	return false
}

// materialize puts a Materialize node on a finished subplan
// (materialize_finished_plan, createplan.c).
func materialize(g *rel.Global, p rel.Path) rel.Path {
	b := p.Base()
	m := &rel.MaterialPath{PathBase: *b, Sub: p}
	m.ParallelAware = false
	cost.Material(cost.ParamsOf(g), cost.EstimateOf(p), b.Rows, b.Target.Width).Set(&m.PathBase)
	return m
}

// costSubPlan is cost_subplan (costsize.c).
func costSubPlan(root *rel.PlannerInfo, sp *query.SubPlan, path rel.Path) {
	g := root.Global
	op := g.Settings.CPUOperatorCost
	b := path.Base()
	var c rel.QualCost
	if sp.Test != nil {
		c = cost.QualEvalExprs(g, conditions(sp.Test))
	}
	if sp.UseHash {
		c.Startup += b.Total + float64(op*b.Rows)
	} else {
		run := b.Total - b.Startup
		switch sp.Kind {
		case query.ExistsSubLink:
			c.PerTuple += run / cost.ClampRows(b.Rows)
		case query.AllSubLink, query.AnySubLink:
			c.PerTuple += float64(0.50 * run)
			c.PerTuple += float64(0.50 * b.Rows * op)
		default:
			c.PerTuple += run
		}
		if len(sp.ParParams) == 0 && materializes(path) {
			c.Startup += b.Startup
		} else {
			c.PerTuple += b.Startup
		}
	}
	sp.StartupCost, sp.PerCallCost = c.Startup, c.PerTuple
}

// ChargeForInitPlans adds the cost of a level's init plans to its final paths
// (SS_charge_for_initplans).
func ChargeForInitPlans(root *rel.PlannerInfo, final *rel.RelOptInfo) {
	if len(root.InitPlans) == 0 {
		return
	}
	total, unsafe := InitPlanCost(root.InitPlans)
	charge := func(list []rel.Path) {
		for _, p := range list {
			b := p.Base()
			b.Startup += total
			b.Total += total
			if unsafe {
				b.ParallelSafe = false
			}
		}
	}
	charge(final.Paths)
	if unsafe {
		final.PartialPaths, final.ConsiderParallel = nil, false
	} else {
		charge(final.PartialPaths)
	}
}

// InitPlanCost is SS_compute_initplan_cost (in 15 and 16 part of
// SS_charge_for_initplans, where any init plan is unsafe for parallel workers).
func InitPlanCost(list []*query.SubPlan) (total float64, unsafe bool) {
	for _, sp := range list {
		total += sp.StartupCost + sp.PerCallCost
		unsafe = unsafe || !sp.ParallelSafe
	}
	return total, unsafe
}

// existsToAny rewrites "EXISTS (… WHERE outer = inner …)" as a test against all
// inner values; a nil test means that it cannot be (convert_EXISTS_to_ANY). The
// query is changed in place.
func existsToAny(root *rel.PlannerInfo, q *query.Query) (query.Expr, []int) {
	g := root.Global
	where := q.JoinTree.Quals
	q.JoinTree.Quals = nil
	if eval.ContainVarsOfLevelQuery(q, 1) || where == nil || eval.ContainVolatile(g.Catalog, where) {
		return nil, nil
	}
	where = canonicalizeQual(eval.Fold(g, where))
	var lefts, rights, rest []query.Expr
	var ops []*query.OpExpr
	for _, e := range conditions(where) {
		op, ok := e.(*query.OpExpr)
		if ok && hashOK(root, op) {
			if eval.ContainVarsOfLevel(op.Args[0], 1) {
				lefts, rights, ops = append(lefts, op.Args[0]), append(rights, op.Args[1]), append(ops, op)
				continue
			}
			if eval.ContainVarsOfLevel(op.Args[1], 1) {
				c := eval.Commute(g.Catalog, op)
				if c == nil || !hashOK(root, c) {
					return nil, nil
				}
				lefts, rights, ops = append(lefts, c.Args[0]), append(rights, c.Args[1]), append(ops, c)
				continue
			}
		}
		rest = append(rest, e)
	}
	if len(lefts) == 0 {
		return nil, nil
	}
	for _, e := range append(append([]query.Expr(nil), rest...), rights...) {
		if eval.ContainVarsOfLevel(e, 1) || containsOuterAgg(e) {
			return nil, nil
		}
	}
	for _, e := range lefts {
		if eval.ContainVarsOfLevel(e, 0) || eval.ContainSubPlans(e) {
			return nil, nil
		}
	}
	if len(rest) > 0 {
		q.JoinTree.Quals = eval.MakeAnd(rest)
	}
	var tests []query.Expr
	var ids []int
	for i, r := range rights {
		p := NewExecParam(root, r.ResultType(), r.ResultTypmod(), r.ResultCollation())
		ids = append(ids, p.Number)
		q.TargetList = append(q.TargetList, &query.TargetEntry{Expr: r, ResNo: i + 1})
		tests = append(tests, MakeOpClause(root, ops[i].Op, eval.IncrementLevels(lefts[i], -1, 1), p, ops[i].InputColl))
	}
	return eval.MakeAnd(tests), ids
}

func containsOuterAgg(e query.Expr) bool {
	found := false
	query.WalkLevels(e, func(x query.Expr, depth int) bool {
		if a, ok := x.(*query.Aggref); ok && a.LevelsUp == depth+1 {
			found = true
		}
		return !found
	})
	return found
}
