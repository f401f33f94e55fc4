package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

type pgOID = pgtype.OID

// Demands on the target list of a child (CP_ flags, createplan.c).
type demand int

const (
	exactList  demand = 1 << iota // exactly the path's target
	smallList                     // no needless columns
	labelList                     // sort references set
	ignoreList                    // the parent replaces the list
)

// creator makes the plan of one statement.
type creator struct {
	g     *rel.Global
	nodes []*Node
	// initPlans are those of a level, in the order of making.
	initPlans map[*rel.PlannerInfo][]*query.SubPlan
	// minMax are the aggregates of a level that an InitPlan answers.
	minMax map[*rel.PlannerInfo][]*rel.MinMaxAgg
	// subplans are the finished plans, by plan number - 1.
	subplans []*Node
	subRoots []*rel.PlannerInfo
	// number is a server's number of a subplan, by plan number - 1.
	number []int
	// alternative and chosen are plan numbers: those that stand in an
	// AlternativeSubPlan and those that it became.
	alternative, chosen map[int]bool
	// nextParam numbers the parameters of nested loops; see [creator.nestParam].
	nextParam int
	outer     map[*rel.PlannerInfo]*outerState

	rtable  []flatRTE
	appends map[int]appendParent // by flattened child index
}

// outerState is what a level's nested loops supply at the place being planned
// (curOuterRels and curOuterParams).
type outerState struct {
	rels   query.Relids
	params []*rel.NestLoopParam
}

// Create makes the plan of a query from its cheapest path and those of the
// subqueries that [rel.Global.Subplans] holds (create_plan and
// set_plan_references with EXPLAIN's own work after them). What it cannot make
// it notes in [rel.Global.Unsupported]; the result is nil then.
func Create(root *rel.PlannerInfo, best rel.Path) *Node {
	c := &creator{
		g:           root.Global,
		initPlans:   map[*rel.PlannerInfo][]*query.SubPlan{},
		minMax:      map[*rel.PlannerInfo][]*rel.MinMaxAgg{},
		outer:       map[*rel.PlannerInfo]*outerState{},
		alternative: map[int]bool{}, chosen: map[int]bool{},
		appends:   map[int]appendParent{},
		nextParam: root.Global.NParamExec,
	}
	for _, s := range root.Global.Subplans {
		// MIN/MAX plans may be added while this runs; each has its place.
		c.subplans = append(c.subplans, nil)
		c.subRoots = append(c.subRoots, s.Root)
	}
	// A server makes the plan of a subquery before it numbers it, so that the
	// InitPlans of a MIN or MAX within come first.
	var order []int
	for i, s := range slices.Clone(root.Global.Subplans) {
		made := len(c.subplans)
		c.subplans[i] = c.level(s.Root, s.Path)
		for ; made < len(c.subplans); made++ {
			order = append(order, made)
		}
		order = append(order, i)
	}
	top := c.level(root, best)
	for made := len(order); made < len(c.subplans); made++ {
		order = append(order, made)
	}
	c.number = make([]int, len(order))
	for at, i := range order {
		c.number[i] = at + 1
	}
	if len(c.g.Unsupported) > 0 {
		return nil
	}
	top = c.setReferences(root, top)
	for _, i := range order {
		p := c.subplans[i]
		switch {
		case c.alternative[i+1] && !c.chosen[i+1]:
			c.subplans[i] = nil
		case p != nil:
			c.subplans[i] = c.setReferences(c.subRoots[i], p)
		}
	}
	for i, s := range root.Global.Subplans {
		if c.subplans[i] != nil {
			s.Plan = c.subplans[i]
		}
	}
	c.printConstants()
	c.startupPruning()
	c.attachChildren(top)
	c.explain(top)
	return top
}

// level makes the plan of one query level (create_plan).
func (c *creator) level(root *rel.PlannerInfo, best rel.Path) *Node {
	if best == nil {
		c.g.NotSupported("a subquery without a path")
		return c.node(Result, root, nil)
	}
	c.outer[root] = &outerState{}
	n := c.recurse(root, best, exactList)
	if n.Kind != ModifyTable {
		labelTargets(n.tlist, root.ProcessedTargetList)
	}
	n.initPlans = append(slices.Clone(root.InitPlans), c.initPlans[root]...)
	return n
}

func (c *creator) node(kind Kind, root *rel.PlannerInfo, p rel.Path) *Node {
	n := &Node{Kind: kind, Root: root, Path: p, version: c.g.VersionNum, catalog: c.g.Catalog}
	n.id = len(c.nodes)
	c.nodes = append(c.nodes, n)
	if p != nil {
		n.copyPath(p)
	}
	return n
}

// copyPath takes over a path's numbers (copy_generic_path_info).
func (n *Node) copyPath(p rel.Path) {
	b := p.Base()
	n.Startup, n.Total, n.Rows = b.Startup, b.Total, b.Rows
	n.disabledNodes = b.DisabledNodes
	if b.Target != nil {
		n.Width = b.Target.Width
	}
	n.ParallelAware = b.ParallelAware
}

// copySize takes over another node's numbers (copy_plan_costsize).
func (n *Node) copySize(o *Node) {
	n.Startup, n.Total, n.Rows, n.Width = o.Startup, o.Total, o.Rows, o.Width
	n.disabledNodes = o.disabledNodes
	n.ParallelAware = false
}

// recurse makes the plan of a path, with a target list as demanded
// (create_plan_recurse).
func (c *creator) recurse(root *rel.PlannerInfo, path rel.Path, want demand) *Node {
	switch p := path.(type) {
	case *rel.SeqScanPath, *rel.SampleScanPath, *rel.IndexPath, *rel.BitmapHeapPath, *rel.TidPath, *rel.SubqueryScanPath,
		*rel.FunctionScanPath, *rel.ValuesScanPath, *rel.TableFuncScanPath, *rel.CteScanPath, *rel.WorkTableScanPath:
		return c.scan(root, path, want)
	case *rel.ResultPath:
		if p.Sub != nil {
			return c.guard(root, p)
		}
		return c.scan(root, path, want)
	case *rel.NestPath:
		return c.gateJoin(root, path, p.Restrict, c.nestLoop(root, p))
	case *rel.MergePath:
		return c.gateJoin(root, path, p.Restrict, c.mergeJoin(root, p))
	case *rel.HashPath:
		return c.gateJoin(root, path, p.Restrict, c.hashJoin(root, p))
	case *rel.AppendPath:
		return c.appendPlan(root, p, want)
	case *rel.MergeAppendPath:
		return c.mergeAppend(root, p, want)
	case *rel.ProjectionPath:
		return c.projection(root, p, want)
	case *rel.MinMaxAggPath:
		return c.minMaxAgg(root, p)
	case *rel.GroupResultPath:
		n := c.node(Result, root, p)
		n.tlist = c.pathList(root, path)
		n.oneTime = c.orderExprs(p.Quals)
		return n
	case *rel.ProjectSetPath:
		n := c.node(ProjectSet, root, p)
		n.outer = c.recurse(root, p.Sub, 0)
		n.tlist = c.pathList(root, path)
		return n
	case *rel.MaterialPath:
		return c.above(Material, root, p, p.Sub, want|smallList)
	case *rel.MemoizePath:
		n := c.above(Memoize, root, p, p.Sub, want|smallList)
		n.cacheKeys = c.replaceOuterList(root, p.Params)
		n.binaryMode = p.BinaryMode
		return n
	case *rel.UniquePath:
		return c.unique(root, p, want)
	case *rel.UpperUniquePath:
		return c.above(Unique, root, p, p.Sub, want|labelList)
	case *rel.GatherPath:
		n := c.node(Gather, root, p)
		n.outer = c.recurse(root, p.Sub, exactList)
		n.tlist = c.pathList(root, path)
		n.workers, n.singleCopy = p.Workers, p.SingleCopy
		return n
	case *rel.GatherMergePath:
		n := c.node(GatherMerge, root, p)
		n.tlist = c.pathList(root, path)
		sub := c.recurse(root, p.Sub, exactList)
		n.outer, _ = c.sortColumns(sub, p.PathKeys, p.Sub.Base().Parent.Relids, nil, false)
		n.workers = p.Workers
		return n
	case *rel.SortPath:
		n := c.sortPlan(Sort, root, p, p.Sub, p.PathKeys, want)
		return n
	case *rel.IncrementalSortPath:
		n := c.sortPlan(IncrementalSort, root, p, p.Sub, p.PathKeys, want)
		n.presorted = p.Presorted
		return n
	case *rel.GroupPath:
		n := c.node(Group, root, p)
		n.outer = c.recurse(root, p.Sub, labelList)
		n.tlist = c.pathList(root, path)
		n.filter = c.orderExprs(p.Qual)
		n.keys = groupColumns(p.Clause, n.outer.tlist)
		return n
	case *rel.AggPath:
		return c.agg(root, p)
	case *rel.GroupingSetsPath:
		return c.groupingSets(root, p)
	case *rel.WindowAggPath:
		n := c.node(WindowAgg, root, p)
		n.outer = c.recurse(root, p.Sub, labelList|smallList)
		n.tlist = c.pathList(root, path)
		n.filter = p.Qual
		n.window = p.Clause
		n.runCond = p.Clause.RunCondition
		return n
	case *rel.SetOpPath:
		return c.setOp(root, p, want)
	case *rel.RecursiveUnionPath:
		n := c.node(RecursiveUnion, root, p)
		n.outer = c.recurse(root, p.Left, exactList)
		n.inner = c.recurse(root, p.Right, exactList)
		n.tlist = c.pathList(root, path)
		return n
	case *rel.LockRowsPath:
		return c.above(LockRows, root, p, p.Sub, want)
	case *rel.LimitPath:
		n := c.above(Limit, root, p, p.Sub, want)
		for _, e := range []query.Expr{p.Offset, p.Count} {
			if e != nil {
				n.others = append(n.others, e)
			}
		}
		return n
	case *rel.ModifyTablePath:
		return c.modifyTable(root, p)
	}
	c.g.NotSupported(fmt.Sprintf("plans of %T", path))
	return c.node(Result, root, path)
}

// above makes a node that hands its input's columns on.
func (c *creator) above(kind Kind, root *rel.PlannerInfo, p, sub rel.Path, want demand) *Node {
	n := c.node(kind, root, p)
	n.outer = c.recurse(root, sub, want)
	n.tlist = n.outer.tlist
	return n
}

// guard is a Result above another node that checks conditions once.
func (c *creator) guard(root *rel.PlannerInfo, p *rel.ResultPath) *Node {
	n := c.node(Result, root, p)
	n.outer = c.recurse(root, p.Sub, 0)
	n.tlist = c.pathList(root, p)
	n.oneTime = c.orderExprs(p.Quals)
	return n
}

// minMaxAgg makes InitPlans of a query's MIN and MAX and a Result that reads
// their values (create_minmaxagg_plan).
func (c *creator) minMaxAgg(root *rel.PlannerInfo, p *rel.MinMaxAggPath) *Node {
	for _, a := range p.Aggs {
		sub := c.level(a.SubRoot, a.Path)
		lim := c.node(Limit, a.SubRoot, a.Path)
		lim.Total, lim.Rows, lim.ParallelAware = a.PathCost, 1, false
		lim.outer, lim.tlist = sub, sub.tlist
		// The Limit stands on top of the level, so its InitPlans do too.
		c.subplans = append(c.subplans, lim)
		c.subRoots = append(c.subRoots, a.SubRoot)
		id := len(c.subplans)
		name := "InitPlan " + strconv.Itoa(id)
		if !c.g.Version(17) {
			name += " (returns $" + strconv.Itoa(a.Param.Number) + ")"
		}
		c.initPlans[root] = append(c.initPlans[root], &query.SubPlan{
			Header: a.Param.Header, Kind: query.ExprSubLink, PlanID: id, Name: name, SetParams: []int{a.Param.Number},
		})
		c.g.Subplans = append(c.g.Subplans, &rel.Subplan{Root: a.SubRoot, Path: a.Path, Name: name})
	}
	c.minMax[root] = p.Aggs
	n := c.node(Result, root, p)
	n.tlist = c.pathList(root, p)
	n.oneTime = p.Quals
	return n
}

// setOp makes INTERSECT or EXCEPT (create_setop_plan). From PostgreSQL 18 on it
// has two inputs.
func (c *creator) setOp(root *rel.PlannerInfo, p *rel.SetOpPath, want demand) *Node {
	n := c.node(SetOp, root, p)
	if p.Sub2 != nil {
		n.outer = c.recurse(root, p.Sub, want|labelList)
		n.inner = c.recurse(root, p.Sub2, want|labelList)
		n.tlist = c.pathList(root, p)
	} else {
		n.outer = c.recurse(root, p.Sub, want|labelList)
		n.tlist = n.outer.tlist
	}
	n.Strategy = "Sorted"
	if p.Hashed {
		n.Strategy = "Hashed"
	}
	var words []string
	if p.Op == query.SetOpIntersect {
		words = append(words, "Intersect")
	} else {
		words = append(words, "Except")
	}
	if p.All {
		words = append(words, "All")
	}
	n.Command = strings.Join(words, " ")
	return n
}

// modifyTable makes INSERT, UPDATE, DELETE or MERGE
// (create_modifytable_plan).
func (c *creator) modifyTable(root *rel.PlannerInfo, p *rel.ModifyTablePath) *Node {
	n := c.node(ModifyTable, root, p)
	n.outer = c.recurse(root, p.Sub, exactList)
	labelTargets(n.outer.tlist, root.ProcessedTargetList)
	n.Operation = map[query.CmdType]string{
		query.CmdInsert: "Insert", query.CmdUpdate: "Update", query.CmdDelete: "Delete", query.CmdMerge: "Merge",
	}[p.Operation]
	n.scanRel = p.Nominal
	n.results, n.arbiters, n.onConflict = p.ResultRels, p.Arbiters, p.OnConflict
	if p.Returning {
		n.returning = root.Parse.Returning
	}
	if p.OnConflict != nil {
		n.exclRel = p.OnConflict.ExclRelIndex
	}
	return n
}
