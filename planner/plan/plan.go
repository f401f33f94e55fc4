// Package plan turns the cheapest path of a query into the plan that EXPLAIN
// prints.
//
// [Create] does what create_plan and set_plan_references do on a server: it
// makes plan nodes of path nodes, splits conditions into those that an index, a
// join or a filter checks, points every expression above a scan at the output
// of the node below it, and drops the nodes that do nothing. Then it says of
// each node what EXPLAIN says. [Node.Text] and [Node.MarshalJSON] print the tree
// in EXPLAIN's two formats; [Node.Walk] leads findings through it.
//
// The package imports what stands below it in the planner, and parser/deparse
// for the texts.
package plan

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// Kind is the kind of a plan node. Its String is EXPLAIN's Node Type.
type Kind int

// The kinds of plan node, PostgreSQL's own.
const (
	Result Kind = iota
	ProjectSet
	ModifyTable
	Append
	MergeAppend
	RecursiveUnion
	BitmapAnd
	BitmapOr
	NestLoop
	MergeJoin
	HashJoin
	SeqScan
	SampleScan
	Gather
	GatherMerge
	IndexScan
	IndexOnlyScan
	BitmapIndexScan
	BitmapHeapScan
	TidScan
	TidRangeScan
	SubqueryScan
	FunctionScan
	TableFuncScan
	ValuesScan
	CteScan
	WorkTableScan
	Material
	Memoize
	Sort
	IncrementalSort
	Group
	Agg
	WindowAgg
	Unique
	SetOp
	LockRows
	Limit
	Hash
)

// String returns the Node Type of EXPLAIN (ExplainNode, explain.c).
func (k Kind) String() string {
	return [...]string{
		Result: "Result", ProjectSet: "ProjectSet", ModifyTable: "ModifyTable", Append: "Append",
		MergeAppend: "Merge Append", RecursiveUnion: "Recursive Union", BitmapAnd: "BitmapAnd",
		BitmapOr: "BitmapOr", NestLoop: "Nested Loop", MergeJoin: "Merge Join", HashJoin: "Hash Join",
		SeqScan: "Seq Scan", SampleScan: "Sample Scan", Gather: "Gather", GatherMerge: "Gather Merge",
		IndexScan: "Index Scan", IndexOnlyScan: "Index Only Scan", BitmapIndexScan: "Bitmap Index Scan",
		BitmapHeapScan: "Bitmap Heap Scan", TidScan: "Tid Scan", TidRangeScan: "Tid Range Scan",
		SubqueryScan: "Subquery Scan", FunctionScan: "Function Scan", TableFuncScan: "Table Function Scan",
		ValuesScan: "Values Scan", CteScan: "CTE Scan", WorkTableScan: "WorkTable Scan",
		Material: "Materialize", Memoize: "Memoize", Sort: "Sort", IncrementalSort: "Incremental Sort",
		Group: "Group", Agg: "Aggregate", WindowAgg: "WindowAgg", Unique: "Unique", SetOp: "SetOp",
		LockRows: "LockRows", Limit: "Limit", Hash: "Hash",
	}[k]
}

// Node is one node of a plan. What EXPLAIN shows stands in the fields of the
// first part and in Details; the second part leads back to the planner's data
// for those who judge the plan.
type Node struct {
	Kind Kind
	// Relationship is how the node hangs on its parent: Outer, Inner,
	// Subquery, Member, InitPlan or SubPlan; "" at the top.
	Relationship string
	// SubplanName is "SubPlan 1", "InitPlan 1 (returns $0)" or "CTE x" at the
	// top of such a plan.
	SubplanName   string
	ParallelAware bool
	AsyncCapable  bool
	// Strategy is of Agg and SetOp, PartialMode of Agg, Operation of
	// ModifyTable, Command of SetOp, JoinType of joins.
	Strategy, PartialMode, Operation, Command, JoinType string
	ScanDirection, IndexName                            string
	// ObjectKind is the key of ObjectName: "Relation Name", "Function Name",
	// "Table Function Name" or "CTE Name"; "" for none. Schema is the
	// relation's, which plain EXPLAIN leaves out.
	ObjectKind, ObjectName, Schema, Alias string
	// Startup and Total are costs, Rows the estimated rows, Width bytes.
	Startup, Total, Rows float64
	Width                int
	// Disabled says that a setting forbids the node, since PostgreSQL 18.
	Disabled    bool
	InnerUnique bool
	// Details are EXPLAIN's further lines in their order.
	Details []Detail
	// Plans are the children in the order of EXPLAIN.
	Plans []*Node

	// Path is what the node was made of; for one that the path did not name,
	// such as a Hash, the path that brought it.
	Path rel.Path
	// Root is the query level of the node.
	Root *rel.PlannerInfo
	// Rel is the relation that a scan reads; RTE its range table entry. Nil
	// for other nodes.
	Rel *rel.RelOptInfo
	RTE *query.RangeTblEntry
	// Index is what an index scan uses.
	Index *catalog.Index
	// The conditions, over the query's own columns and with their places in
	// the text; each list is AND-ed, but TID conditions of a Tid Scan OR-ed.
	FilterExprs, IndexCondExprs, RecheckExprs, JoinFilterExprs []query.Expr
	HashCondExprs, MergeCondExprs, OneTimeExprs, TIDCondExprs  []query.Expr
	// SortExprs are what a Sort sorts by.
	SortExprs []query.Expr

	catalog       *catalog.Catalog
	version       int // server_version_num
	disabledNodes int
	work
}

// work is what making the plan needs and printing it does not.
type work struct {
	id                int
	tlist             []*query.TargetEntry
	outer, inner, sub *Node
	members           []*Node
	pruned            []bool // of members, nil for none: see startupPruning
	initPlans         []*query.SubPlan
	subPlans          []*query.SubPlan
	parent            *Node
	via               *query.SubPlan // for the top of a subplan

	conds
	// plan nodes' own
	scanRel    int          // range table index, flattened once references are set
	exclRel    int          // of ON CONFLICT's EXCLUDED
	appendRels query.Relids // of Append and MergeAppend
	indexList  []*query.TargetEntry
	joinType   query.JoinType
	nestParams []*rel.NestLoopParam
	keys       []sortKey // of Sort, MergeAppend; columns alone for grouping
	presorted  int
	sets       []groupingSets
	split      int
	planID     int // of a CTE
	workers    int
	singleCopy bool
	binaryMode bool
	results    []int // result relations of ModifyTable
	arbiters   []*catalog.Index
	onConflict *query.OnConflictExpr
	returning  []*query.TargetEntry
	numGroups  float64
	transSpace float64
	window     *query.WindowClause
}

// conds are a node's expressions, which reference setting rewrites.
type conds struct {
	filter, indexQual, indexOrig, orderBy, orderByOrig, recheck []query.Expr
	joinQual, clauses, oneTime, tidQual, runCond, conflict      []query.Expr
	cacheKeys, others                                           []query.Expr
}

// sortKey is a column of a node's input and how it is sorted.
type sortKey struct {
	col        int
	op, coll   pgOID
	nullsFirst bool
}

// groupingSets is one Agg of a chain: how its sets are shown.
type groupingSets struct {
	hashed bool
	sort   []sortKey // of the chained Sort
	sets   [][]int   // columns
}

// Walk calls fn for the node and everything below it, from the top down and in
// EXPLAIN's order. Where fn returns false it does not go further down.
func (n *Node) Walk(fn func(*Node) bool) {
	if n == nil || !fn(n) {
		return
	}
	for _, c := range n.Plans {
		c.Walk(fn)
	}
}

// Detail returns the detail of a name and whether the node has it.
func (n *Node) Detail(name string) (Detail, bool) {
	for _, d := range n.Details {
		if d.Name == name {
			return d, true
		}
	}
	return Detail{}, false
}
