package plan

import (
	"strings"

	"github.com/dbgen/dbgen/parser/deparse"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// Detail is one further property of a node in EXPLAIN.
type Detail struct {
	// Name is EXPLAIN's label: "Filter", "Sort Key", …
	Name string
	// Value is a string, a list of strings, a bool, an int, a list of
	// [GroupingSet] or a list of [Target].
	Value any
	// JSONOnly says that the text format leaves it out.
	JSONOnly bool
}

// GroupingSet is how one aggregation step of GROUPING SETS is shown.
type GroupingSet struct {
	// SortKey is what the step sorts by first, nil for no sort.
	SortKey []string
	// Hashed tells Hash Keys from Group Keys.
	Hashed bool
	Keys   [][]string
}

// Target is a table that a ModifyTable changes besides its nominal one.
type Target struct{ Operation, Relation, Alias string }

// explain says of every node what EXPLAIN says (ExplainNode, explain.c). The
// tree must be complete.
func (c *creator) explain(top *Node) {
	c.nameEntries(top)
	top.Walk(func(n *Node) bool {
		w := c.writer(n)
		w.target()
		n.Disabled = n.disabled()
		switch n.Kind {
		case NestLoop, MergeJoin, HashJoin:
			n.JoinType = joinName(n.joinType)
			n.add(Detail{"Inner Unique", n.InnerUnique, true})
		case Agg:
			n.PartialMode = "Simple"
			if n.split&2 != 0 {
				n.PartialMode = "Partial"
			} else if n.split&combineStep != 0 {
				n.PartialMode = "Finalize"
			}
		}
		w.details()
		return true
	})
}

func (n *Node) add(d Detail) { n.Details = append(n.Details, d) }

// disabled reports whether the node itself is disabled, not only one below
// (plan_is_disabled, explain.c of 18).
func (n *Node) disabled() bool {
	below := 0
	if n.disabledNodes == 0 {
		return false
	}
	switch {
	case n.sub != nil:
		below = n.sub.disabledNodes
	case len(n.members) > 0:
		for _, m := range n.members {
			below += m.disabledNodes
		}
	default:
		if n.outer != nil {
			below += n.outer.disabledNodes
		}
		if n.inner != nil {
			below += n.inner.disabledNodes
		}
	}
	return n.disabledNodes > below
}

func joinName(t query.JoinType) string {
	switch t {
	case query.JoinLeft:
		return "Left"
	case query.JoinFull:
		return "Full"
	case query.JoinRight:
		return "Right"
	case query.JoinSemi:
		return "Semi"
	case query.JoinAnti:
		return "Anti"
	case query.JoinRightSemi:
		return "Right Semi"
	case query.JoinRightAnti:
		return "Right Anti"
	}
	return "Inner"
}

// target names what a scan or a ModifyTable works on (ExplainTargetRel).
func (w writer) target() {
	n := w.at
	if n.Index != nil {
		n.IndexName = n.Index.Name
	}
	if n.Kind == BitmapIndexScan || n.scanRel <= 0 {
		return
	}
	e := w.c.entry(n.scanRel)
	if e == nil {
		return
	}
	n.RTE = e.rte
	n.Alias = e.name
	if n.Alias == "" && e.rte.ERef != nil {
		n.Alias = e.rte.ERef.Name
	}
	switch n.Kind {
	case SeqScan, SampleScan, IndexScan, IndexOnlyScan, BitmapHeapScan, TidScan, TidRangeScan, ModifyTable:
		if t := w.c.g.Catalog.Table(e.rte.Relation); t != nil {
			n.ObjectKind, n.ObjectName, n.Schema = "Relation Name", t.Name, t.Schema
		}
	case FunctionScan:
		if len(e.rte.Functions) != 1 {
			return
		}
		if fn, ok := e.rte.Functions[0].Expr.(*query.FuncExpr); ok {
			if f := w.c.g.Catalog.Func(fn.Func); f != nil {
				n.ObjectKind, n.ObjectName = "Function Name", f.Name
			}
		}
	case TableFuncScan:
		n.ObjectKind, n.ObjectName = "Table Function Name", "xmltable"
		if t := e.rte.TableFunc; t != nil && strings.Contains(strings.ToLower(t.Kind), "json") {
			n.ObjectName = "json_table"
		}
	case CteScan, WorkTableScan:
		n.ObjectKind, n.ObjectName = "CTE Name", e.rte.CTEName
	}
}

func (w writer) scanDetail(label string, list []query.Expr) {
	if len(list) > 0 {
		w.at.add(Detail{Name: label, Value: w.scanQual(list)})
	}
}

func (w writer) upperDetail(label string, list []query.Expr) {
	if len(list) > 0 {
		w.at.add(Detail{Name: label, Value: w.upperQual(list)})
	}
}

// details are the conditions, keys and the like of a node.
func (w writer) details() {
	n := w.at
	switch n.Kind {
	case IndexScan:
		w.scanDetail("Index Cond", n.indexOrig)
		w.scanDetail("Order By", n.orderByOrig)
		w.scanDetail("Filter", n.filter)
	case IndexOnlyScan:
		w.scanDetail("Index Cond", n.indexQual)
		w.scanDetail("Order By", n.orderBy)
		w.scanDetail("Filter", n.filter)
	case BitmapIndexScan:
		w.scanDetail("Index Cond", n.indexOrig)
	case BitmapHeapScan:
		w.scanDetail("Recheck Cond", n.recheck)
		w.scanDetail("Filter", n.filter)
	case SampleScan:
		w.sampling()
		w.scanDetail("Filter", n.filter)
	case SeqScan, ValuesScan, CteScan, WorkTableScan, SubqueryScan, FunctionScan, TableFuncScan:
		w.scanDetail("Filter", n.filter)
	case Gather:
		n.add(Detail{Name: "Workers Planned", Value: n.workers})
		n.add(Detail{"Single Copy", n.singleCopy, !n.singleCopy})
	case GatherMerge:
		n.add(Detail{Name: "Workers Planned", Value: n.workers})
	case TidScan, TidRangeScan:
		list := n.tidQual
		if n.Kind == TidScan && len(list) > 1 {
			list = []query.Expr{eval.MakeOr(list)}
		}
		w.scanDetail("TID Cond", list)
		w.scanDetail("Filter", n.filter)
	case NestLoop, MergeJoin, HashJoin:
		switch n.Kind {
		case MergeJoin:
			w.upperDetail("Merge Cond", n.clauses)
		case HashJoin:
			w.upperDetail("Hash Cond", n.clauses)
		}
		w.upperDetail("Join Filter", n.joinQual)
		w.upperDetail("Filter", n.filter)
	case Agg:
		w.aggKeys()
		w.upperDetail("Filter", n.filter)
		if n.Strategy == "Hashed" || n.Strategy == "Mixed" {
			parts := w.c.plannedPartitions(n)
			n.add(Detail{"Planned Partitions", parts, parts == 0})
		}
	case WindowAgg:
		if w.c.g.Version(18) {
			w.windowDefinition()
		}
		w.upperDetail("Filter", n.filter)
		w.upperDetail("Run Condition", n.runCond)
	case Group:
		w.below().keyDetail(n, "Group Key", n.keys, false, 0)
		w.upperDetail("Filter", n.filter)
	case Sort, IncrementalSort, MergeAppend:
		w.keyDetail(n, "Sort Key", n.keys, true, n.presorted)
	case Result:
		w.upperDetail("One-Time Filter", n.oneTime)
		w.upperDetail("Filter", n.filter)
	case ModifyTable:
		w.modifyDetails()
	case Memoize:
		texts := make([]string, len(n.cacheKeys))
		for i, e := range n.cacheKeys {
			texts[i] = deparse.Expr(e, w.context(w.usePrefix()))
		}
		n.add(Detail{Name: "Cache Key", Value: strings.Join(texts, ", ")})
		mode := "logical"
		if n.binaryMode {
			mode = "binary"
		}
		n.add(Detail{Name: "Cache Mode", Value: mode})
	}
	if n.Kind == Append || n.Kind == MergeAppend {
		removed := 0
		for _, p := range n.pruned {
			if p {
				removed++
			}
		}
		n.add(Detail{"Subplans Removed", removed, removed == 0})
	}
}

// sampling prints TABLESAMPLE (show_tablesample).
func (w writer) sampling() {
	n := w.at
	if n.RTE == nil || n.RTE.Sample == nil {
		return
	}
	method := ""
	if f := w.c.g.Catalog.Func(n.RTE.Sample.Handler); f != nil {
		method = f.Name
	}
	args := make([]string, 0, len(n.others))
	for _, e := range n.others {
		args = append(args, deparse.Expr(e, w.context(w.usePrefix())))
	}
	seed := ""
	if n.RTE.Sample.Repeatable != nil && len(args) > 0 {
		seed, args = args[len(args)-1], args[:len(args)-1]
	}
	n.add(Detail{Name: "Sampling", Value: sample{method, args, seed}})
}

// sample is TABLESAMPLE, which the two formats print differently.
type sample struct {
	method string
	args   []string
	seed   string
}

// modifyDetails prints the tables changed and ON CONFLICT
// (show_modifytable_info).
func (w writer) modifyDetails() {
	n := w.at
	if len(n.results) > 1 || len(n.results) == 1 && n.results[0] != n.scanRel {
		var list []Target
		for _, r := range n.results {
			t := Target{Operation: n.Operation}
			if e := w.c.entry(r); e != nil {
				if tab := w.c.g.Catalog.Table(e.rte.Relation); tab != nil {
					t.Relation = tab.Name
				}
				t.Alias = e.name
				if t.Alias == "" && e.rte.ERef != nil {
					t.Alias = e.rte.ERef.Name
				}
			}
			list = append(list, t)
		}
		n.add(Detail{Name: "Target Tables", Value: list})
	}
	if n.onConflict == nil {
		return
	}
	action := "UPDATE"
	if n.onConflict.Action == query.OnConflictNothing {
		action = "NOTHING"
	}
	n.add(Detail{Name: "Conflict Resolution", Value: action})
	if len(n.arbiters) > 0 {
		names := make([]string, len(n.arbiters))
		for i, x := range n.arbiters {
			names[i] = x.Name
		}
		n.add(Detail{Name: "Conflict Arbiter Indexes", Value: names})
	}
	w.upperDetail("Conflict Filter", n.conflict)
}

// SubqueryRoot returns the planner's state of the query level below a subquery
// scan; nil for other nodes.
func (n *Node) SubqueryRoot() *rel.PlannerInfo {
	if n.Kind != SubqueryScan || n.Rel == nil {
		return nil
	}
	return n.Rel.SubRoot
}
