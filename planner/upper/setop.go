package upper

import (
	"math/bits"
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/path"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/selectivity"
)

// setOps plans the set operations of one query level (prepunion.c).
type setOps struct {
	root *rel.PlannerInfo
	// names are the columns of the leftmost arm, which name the output.
	names []*query.TargetEntry
}

// arm is a planned arm of a set operation.
type arm struct {
	rl   *rel.RelOptInfo
	list []*query.TargetEntry
	// groups estimates the distinct rows, where that was asked for.
	groups float64
}

// planSetOperations plans a tree of set operations and leaves its target list
// in root (plan_set_operations, prepunion.c).
func planSetOperations(root *rel.PlannerInfo) *rel.RelOptInfo {
	top := root.Parse.SetOperations.(*query.SetOperationStmt)
	root.ECMergingDone = true
	prep.SetupArrays(root)
	n := query.SetOpNode(top)
	for {
		op, ok := n.(*query.SetOperationStmt)
		if !ok {
			break
		}
		n = op.Left
	}
	s := &setOps{root: root}
	for _, te := range root.RTEs[n.(*query.RangeTblRef).Index].Subquery.TargetList {
		if !te.Junk {
			s.names = append(s.names, te)
		}
	}
	var a arm
	if root.HasRecursion {
		a = s.recursive(top)
	} else {
		a = s.plan(top, top, true, -1, false)
	}
	root.ProcessedTargetList = a.list
	return a.rl
}

// plan plans one node for the columns of the operation above it. flag is the
// constant of an extra column that tells the arms of INTERSECT and EXCEPT apart,
// -1 for none; count asks for the number of distinct rows
// (recurse_set_operations).
func (s *setOps) plan(n query.SetOpNode, parent *query.SetOperationStmt, junkOK bool, flag int, count bool) arm {
	switch n := n.(type) {
	case *query.RangeTblRef:
		return s.leaf(n.Index, parent, flag, count)
	case *query.SetOperationStmt:
		var a arm
		if n.Op == query.SetOpUnion {
			a = s.union(n)
		} else {
			a = s.nonUnion(n)
		}
		a.groups = a.rl.Rows
		if flag >= 0 || !sameColumns(a.list, parent, junkOK) {
			a.list, _ = s.targets(parent, flag, 0, false, a.list)
			target := prep.MakeTargetCosted(s.root, a.list)
			for i, p := range a.rl.Paths {
				a.rl.Paths[i] = path.ApplyProjection(s.root, p.Base().Parent, p, target)
			}
			for i, p := range a.rl.PartialPaths {
				a.rl.PartialPaths[i] = path.NewProjection(s.root, p.Base().Parent, p, target)
			}
		}
		path.SetCheapest(a.rl)
		return a
	}
	panic("upper: unknown set operation node")
}

// leaf plans a query that is an arm.
func (s *setOps) leaf(index int, parent *query.SetOperationStmt, flag int, count bool) arm {
	root := s.root
	rl := prep.BuildSimpleRel(root, index, nil)
	sub := root.RTEs[index].Subquery.Clone()
	rl.SubRoot = root.Subplan(root, sub, false, root.TupleFraction)
	rl.SubParams, root.PlanParams = root.PlanParams, nil
	list, trivial := s.targets(parent, flag, index, true, outputs(rl.SubRoot))
	rl.Target = prep.MakeTargetCosted(root, list)
	final := prep.FetchUpperRel(rl.SubRoot, rel.UpperFinal, query.Relids{})
	path.SetSubquerySizeEstimates(root, rl)
	rl.ConsiderParallel = final.ConsiderParallel
	// Until 15 every scan of a subquery costs; since 16 those that a plan can
	// leave out do not.
	trivial = trivial && root.Global.Version(16)
	best := final.CheapestTotal
	if !root.Global.Version(17) {
		best = path.GetCheapestFractionalPath(final, root.TupleFraction)
	}
	path.AddPath(rl, path.NewSubqueryScan(root, rl, best, trivial, nil, query.Relids{}))
	if rl.ConsiderParallel && rl.LateralRelids.IsEmpty() && len(final.PartialPaths) > 0 {
		path.AddPartialPath(rl, path.NewSubqueryScan(root, rl, final.PartialPaths[0], trivial, nil, query.Relids{}))
	}
	path.SetCheapest(rl)
	a := arm{rl: rl, list: list}
	if count {
		a.groups = best.Base().Rows
		if !hasGrouping(rl.SubRoot) && len(rl.SubRoot.Parse.Distinct) == 0 {
			var exprs []query.Expr
			for _, te := range rl.SubRoot.Parse.TargetList {
				if !te.Junk {
					exprs = append(exprs, te.Expr)
				}
			}
			a.groups = selectivity.NumGroups(rl.SubRoot, exprs, a.groups)
		}
	}
	return a
}

// outputs are the columns that a planned query gives.
func outputs(root *rel.PlannerInfo) []*query.TargetEntry {
	var out []*query.TargetEntry
	for _, te := range root.ProcessedTargetList {
		if !te.Junk {
			out = append(out, te)
		}
	}
	return out
}

// union plans UNION [ALL] (generate_union_paths). UNIONs of the same kind below
// it are taken together with it.
func (s *setOps) union(op *query.SetOperationStmt) arm {
	root := s.root
	fraction := root.TupleFraction
	if !op.All {
		root.TupleFraction = 0
	}
	arms := s.unionArms(op)
	list := s.appendTargets(op, false, arms)
	var relids query.Relids
	var subs, partial []rel.Path
	parallel, partialOK := true, true
	for _, a := range arms {
		subs = append(subs, a.rl.CheapestTotal)
		switch {
		case !parallel:
		case !a.rl.ConsiderParallel:
			parallel, partialOK = false, false
		case len(a.rl.PartialPaths) == 0:
			partialOK = false
		default:
			partial = append(partial, a.rl.PartialPaths[0])
		}
		relids = relids.Union(a.rl.Relids)
	}
	rl := prep.FetchUpperRel(root, rel.UpperSetOp, relids)
	rl.Target = prep.MakeTargetCosted(root, list)
	rl.ConsiderParallel = parallel
	rl.ConsiderStartup = root.TupleFraction > 0
	whole := path.NewAppend(root, rl, path.Append{Subs: subs, Rows: -1})
	if root.Global.Version(17) {
		s.addUnion17(op, rl, list, whole, partial, partialOK)
		root.TupleFraction = fraction
		return arm{rl: rl, list: list}
	}
	p := rel.Path(whole)
	if !op.All {
		p = s.unique(op, p, list)
	}
	path.AddPath(rl, p)
	rl.Rows = p.Base().Rows
	if partialOK {
		g := rel.Path(s.gather(rl, partial))
		if !op.All {
			g = s.unique(op, g, list)
		}
		path.AddPath(rl, g)
	}
	root.TupleFraction = fraction
	return arm{rl: rl, list: list}
}

// addUnion17 adds the paths of a UNION as since PostgreSQL 17: hashed and sorted
// ones compete like any others.
func (s *setOps) addUnion17(op *query.SetOperationStmt, rl *rel.RelOptInfo, list []*query.TargetEntry, whole rel.Path, partial []rel.Path, partialOK bool) {
	root := s.root
	rows := whole.Base().Rows
	rl.Rows = rows
	inputs := []rel.Path{whole}
	if partialOK {
		inputs = append(inputs, s.gather(rl, partial))
	}
	if op.All {
		for _, p := range inputs {
			path.AddPath(rl, p)
		}
		return
	}
	// The server also plans the arms for sorted output, to merge them.
	root.Global.Approximate("UNION: merging arms that come sorted is not considered")
	clauses := groupList(op, list)
	if hashable(clauses) {
		for _, p := range inputs {
			path.AddPath(rl, newAgg(root, rl, p, aggregation{
				target: prep.MakeTargetCosted(root, list), strategy: rel.AggHashed, clause: clauses, groups: rows,
			}))
		}
	}
	if sortable(clauses) {
		for _, p := range inputs {
			path.AddPath(rl, s.sortUnique(rl, p, clauses, list, rows))
		}
	}
}

// gather reads the arms in parallel workers.
func (s *setOps) gather(rl *rel.RelOptInfo, partial []rel.Path) *rel.GatherPath {
	root := s.root
	p := cost.ParamsOf(root.Global)
	workers := 0
	for _, sub := range partial {
		workers = max(workers, sub.Base().ParallelWorkers)
	}
	if p.EnableParallelAppend {
		workers = max(workers, bits.Len(uint(len(partial))))
		workers = min(workers, p.MaxParallelWorkersPerGather)
	}
	a := path.NewAppend(root, rl, path.Append{Partial: partial, Workers: workers, ParallelAware: p.EnableParallelAppend, Rows: -1})
	return path.NewGather(root, rl, a, rl.Target, query.Relids{}, -1)
}

// unionArms plans the arms of a UNION and of the UNIONs that can be taken
// together with it (plan_union_children).
func (s *setOps) unionArms(top *query.SetOperationStmt) []arm {
	pending := []query.SetOpNode{top}
	var out []arm
	for len(pending) > 0 {
		n := pending[0]
		pending = pending[1:]
		if op, ok := n.(*query.SetOperationStmt); ok && op.Op == top.Op && (op.All == top.All || op.All) &&
			slices.Equal(op.ColTypes, top.ColTypes) && slices.Equal(op.ColCollations, top.ColCollations) {
			pending = append([]query.SetOpNode{op.Left, op.Right}, pending...)
			continue
		}
		out = append(out, s.plan(n, top, false, -1, false))
	}
	return out
}

// unique drops the duplicates of a UNION in the way that looks cheaper, until 16
// (make_union_unique).
func (s *setOps) unique(op *query.SetOperationStmt, p rel.Path, list []*query.TargetEntry) rel.Path {
	root := s.root
	rl := prep.FetchUpperRel(root, rel.UpperSetOp, query.Relids{})
	clauses := groupList(op, list)
	rows := p.Base().Rows
	if s.chooseHash(clauses, p, rows, rows, "UNION") {
		return newAgg(root, rl, p, aggregation{
			target: prep.MakeTargetCosted(root, list), strategy: rel.AggHashed, clause: clauses, groups: rows,
		})
	}
	return s.sortUnique(rl, p, clauses, list, rows)
}

func (s *setOps) sortUnique(rl *rel.RelOptInfo, p rel.Path, clauses []*query.SortGroupClause, list []*query.TargetEntry, rows float64) rel.Path {
	if len(clauses) > 0 {
		p = path.NewSort(s.root, rl, p, prep.PathKeysForSortClauses(s.root, clauses, list, false, false).Keys, -1)
	}
	return newUnique(s.root, rl, p, len(p.Base().PathKeys), rows)
}

// chooseHash decides between hashing and sorting by their costs
// (choose_hashed_setop).
func (s *setOps) chooseHash(clauses []*query.SortGroupClause, in rel.Path, groups, rows float64, what string) bool {
	g := s.root.Global
	canSort, canHash := sortable(clauses), hashable(clauses)
	switch {
	case !canHash && !canSort:
		g.NotSupported(what + " over types of which some can only be hashed and others only be sorted")
		return false
	case !canHash || !canSort:
		return canHash
	}
	p := cost.ParamsOf(g)
	b := in.Base()
	if !p.EnableHashAgg {
		return false
	}
	// The table must fit into memory.
	const tupleHeader = 16
	if float64((b.Target.Width+7)&^7+tupleHeader)*groups > p.HashMemory() {
		return false
	}
	input := cost.EstimateOf(in)
	hashed := cost.Agg(p, cost.AggInput{
		Input: input, Width: b.Target.Width, Strategy: rel.AggHashed, GroupCols: len(clauses), Groups: groups, NumTrans: len(s.root.Trans),
	})
	sorted := cost.Sort(p, cost.SortInput{
		Input: input, Tuples: b.Rows, Width: b.Target.Width, LimitTuples: -1,
	})
	sorted.Rows = b.Rows
	sorted = cost.Group(p, cost.GroupInput{Input: sorted, GroupCols: len(clauses), Groups: groups})
	fraction := s.root.TupleFraction
	if fraction >= 1 {
		fraction /= rows
	}
	x, y := &rel.AggPath{}, &rel.GroupPath{}
	hashed.Set(&x.PathBase)
	sorted.Set(&y.PathBase)
	return path.CompareFractionalPathCosts(x, y, fraction) < 0
}

// nonUnion plans INTERSECT and EXCEPT [ALL] as until 17: both arms are read one
// after the other with a flag column, and their rows counted
// (generate_nonunion_paths).
func (s *setOps) nonUnion(op *query.SetOperationStmt) arm {
	root := s.root
	if root.Global.Version(18) {
		root.Global.Approximate("INTERSECT and EXCEPT are planned as in PostgreSQL 17")
	}
	fraction := root.TupleFraction
	root.TupleFraction = 0
	left := s.plan(op.Left, op, false, 0, true)
	right := s.plan(op.Right, op, false, 1, true)
	root.TupleFraction = fraction
	lpath, rpath := left.rl.CheapestTotal, right.rl.CheapestTotal
	arms := []arm{left, right}
	if op.Op == query.SetOpIntersect && left.groups > right.groups {
		// The smaller arm is read first.
		arms = []arm{right, left}
	}
	list := s.appendTargets(op, true, arms)
	rl := prep.FetchUpperRel(root, rel.UpperSetOp, left.rl.Relids.Union(right.rl.Relids))
	rl.Target = prep.MakeTargetCosted(root, list)
	p := rel.Path(path.NewAppend(root, rl, path.Append{
		Subs: []rel.Path{arms[0].rl.CheapestTotal, arms[1].rl.CheapestTotal}, Rows: -1,
	}))
	clauses := groupList(op, list)
	groups := left.groups
	rows := groups
	what := "EXCEPT"
	if op.Op == query.SetOpIntersect {
		what = "INTERSECT"
		groups = min(left.groups, right.groups)
		rows = groups
		if op.All {
			rows = min(lpath.Base().Rows, rpath.Base().Rows)
		}
	} else if op.All {
		rows = lpath.Base().Rows
	}
	hash := s.chooseHash(clauses, p, groups, rows, what)
	if len(clauses) > 0 && !hash {
		p = path.NewSort(root, rl, p, prep.PathKeysForSortClauses(root, clauses, list, false, false).Keys, -1)
	}
	var keys []*rel.PathKey
	if !hash {
		keys = p.Base().PathKeys
	}
	so := &rel.SetOpPath{
		PathBase: above(rl, p, p.Base().Target, keys), Sub: p, Op: op.Op, All: op.All, Hashed: hash,
		Clause: clauses, FlagCol: len(op.ColTypes) + 1, NumGroups: groups,
	}
	cost.SetOp(cost.ParamsOf(root.Global), cost.EstimateOf(p), len(clauses), rows).Set(&so.PathBase)
	rl.Rows = so.Rows
	path.AddPath(rl, so)
	return arm{rl: rl, list: list}
}

// recursive plans WITH RECURSIVE (generate_recursion_path).
func (s *setOps) recursive(op *query.SetOperationStmt) arm {
	root := s.root
	left := s.plan(op.Left, op, false, -1, false)
	lpath := left.rl.CheapestTotal
	root.NonRecursivePath = lpath
	right := s.plan(op.Right, op, false, -1, false)
	rpath := right.rl.CheapestTotal
	root.NonRecursivePath = nil
	list := s.appendTargets(op, false, []arm{left, right})
	rl := prep.FetchUpperRel(root, rel.UpperSetOp, left.rl.Relids.Union(right.rl.Relids))
	rl.Target = prep.MakeTargetCosted(root, list)
	l, r := lpath.Base(), rpath.Base()
	p := &rel.RecursiveUnionPath{PathBase: above(rl, lpath, rl.Target, nil), Left: lpath, Right: rpath, WTParam: root.WTParamID}
	p.ParallelSafe = p.ParallelSafe && r.ParallelSafe
	if !op.All {
		p.Distinct = groupList(op, list)
		if !hashable(p.Distinct) {
			root.Global.NotSupported("WITH RECURSIVE … UNION over a type that cannot be hashed")
		}
		p.NumGroups = l.Rows + float64(r.Rows*10)
	}
	cost.RecursiveUnion(cost.ParamsOf(root.Global), cost.EstimateOf(lpath), cost.EstimateOf(rpath)).Set(&p.PathBase)
	rl.Target.Width = max(l.Target.Width, r.Target.Width)
	path.AddPath(rl, p)
	path.SetCheapest(rl)
	return arm{rl: rl, list: list}
}
