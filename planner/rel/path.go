package rel

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// Path is one way to compute a relation. The set of path nodes is closed.
type Path interface {
	// Base returns what every path has.
	Base() *PathBase
}

// PathBase is the common part of a path (Path).
type PathBase struct {
	Parent *RelOptInfo
	Target *PathTarget
	Param  *ParamPathInfo

	ParallelAware   bool
	ParallelSafe    bool
	ParallelWorkers int

	Rows          float64
	DisabledNodes int // since 18
	Startup       float64
	Total         float64

	PathKeys []*PathKey

	// Approx says why the numbers of this node are not PostgreSQL's own; ""
	// where they are.
	Approx string
}

// Base returns the common part.
func (p *PathBase) Base() *PathBase { return p }

// RequiredOuter returns the relations that parameterise the path
// (PATH_REQ_OUTER).
func (p *PathBase) RequiredOuter() query.Relids {
	if p.Param == nil {
		return query.Relids{}
	}
	return p.Param.RequiredOuter
}

// ParamPathInfo is what all paths with the same parameterisation share.
type ParamPathInfo struct {
	RequiredOuter query.Relids
	Rows          float64
	Clauses       []*RestrictInfo
	Serials       map[int]bool
}

// ScanDirection is the direction of an index scan.
type ScanDirection int

// The directions.
const (
	Backward    ScanDirection = -1
	NoDirection ScanDirection = 0
	Forward     ScanDirection = 1
)

// IndexClause is a restriction that an index can check (IndexClause).
type IndexClause struct {
	RInfo *RestrictInfo
	// Quals are the index conditions derived from it, often itself.
	Quals  []*RestrictInfo
	Lossy  bool
	Column int   // index column, from 0
	Cols   []int // index columns of a row comparison
}

// SeqScanPath reads a table from end to end. SampleScan likewise.
type SeqScanPath struct{ PathBase }

// SampleScanPath is TABLESAMPLE.
type SampleScanPath struct{ PathBase }

// IndexPath is an index scan or index-only scan; also an arm of a bitmap scan.
type IndexPath struct {
	PathBase
	Index       *IndexOptInfo
	Clauses     []*IndexClause
	OrderBys    []query.Expr
	OrderByCols []int
	Direction   ScanDirection
	IndexOnly   bool
	IndexTotal  float64 // indextotalcost
	Selectivity float64 // indexselectivity
}

// BitmapHeapPath fetches the rows that a bitmap names.
type BitmapHeapPath struct {
	PathBase
	Bitmap Path // IndexPath, BitmapAndPath or BitmapOrPath
}

// BitmapAndPath intersects bitmaps.
type BitmapAndPath struct {
	PathBase
	Quals       []Path
	Selectivity float64
}

// BitmapOrPath unites bitmaps.
type BitmapOrPath struct {
	PathBase
	Quals       []Path
	Selectivity float64
}

// TidPath fetches rows by ctid.
type TidPath struct {
	PathBase
	Quals []*RestrictInfo
	Range bool
}

// SubqueryScanPath reads a planned subquery.
type SubqueryScanPath struct {
	PathBase
	Sub Path
}

// FunctionScanPath, ValuesScanPath, CteScanPath, WorkTableScanPath,
// TableFuncScanPath and NamedTuplestoreScanPath read what their names say.
type FunctionScanPath struct{ PathBase }

// ValuesScanPath reads a VALUES list.
type ValuesScanPath struct{ PathBase }

// TableFuncScanPath reads XMLTABLE or JSON_TABLE.
type TableFuncScanPath struct{ PathBase }

// CteScanPath reads a materialised CTE.
type CteScanPath struct {
	PathBase
	// PlanID is the CTE's subplan number.
	PlanID int
}

// WorkTableScanPath reads the recursive term's own rows.
type WorkTableScanPath struct{ PathBase }

// ResultPath computes a row out of nothing; also a scan of a relation proved to
// have one row (RTE_RESULT).
type ResultPath struct {
	PathBase
	Sub   Path // nil, or what a one-time filter guards
	Quals []query.Expr
}

// GroupResultPath is the grouping of no rows: HAVING without FROM.
type GroupResultPath struct {
	PathBase
	Quals []query.Expr
}

// MinMaxAggPath answers MIN and MAX with index scans.
type MinMaxAggPath struct {
	PathBase
	Aggs  []*MinMaxAgg
	Quals []query.Expr
}

// AppendPath reads its inputs one after the other. No inputs: a relation proved
// empty.
type AppendPath struct {
	PathBase
	Subs []Path
	// FirstPartial is the index of the first partial subpath.
	FirstPartial int
	LimitTuples  float64
}

// MergeAppendPath merges sorted inputs.
type MergeAppendPath struct {
	PathBase
	Subs        []Path
	LimitTuples float64
}

// MaterialPath keeps its input's rows for re-reading.
type MaterialPath struct {
	PathBase
	Sub Path
}

// MemoizePath caches the results of a parameterised input.
type MemoizePath struct {
	PathBase
	Sub        Path
	HashOps    []pgtype.OID
	Params     []query.Expr
	SingleRow  bool
	BinaryMode bool
	Calls      float64
	EstEntries float64
}

// UniqueMethod is how a [UniquePath] works.
type UniqueMethod int

// The ways to make rows unique.
const (
	UniqueNoop UniqueMethod = iota
	UniqueHash
	UniqueSort
)

// UniquePath makes the inner side of a semijoin unique.
type UniquePath struct {
	PathBase
	Sub       Path
	Method    UniqueMethod
	Operators []pgtype.OID
	Exprs     []query.Expr
}

// GatherPath collects the rows of parallel workers.
type GatherPath struct {
	PathBase
	Sub        Path
	SingleCopy bool
	Workers    int
}

// GatherMergePath collects sorted rows of parallel workers.
type GatherMergePath struct {
	PathBase
	Sub     Path
	Workers int
}

// JoinPath is the common part of join paths.
type JoinPath struct {
	PathBase
	Type         query.JoinType
	InnerUnique  bool
	Outer, Inner Path
	Restrict     []*RestrictInfo
}

// NestPath is a nested loop.
type NestPath struct{ JoinPath }

// MergePath is a merge join.
type MergePath struct {
	JoinPath
	MergeClauses     []*RestrictInfo
	OuterSortKeys    []*PathKey // nil if the outer side needs no sort
	InnerSortKeys    []*PathKey
	OuterPresorted   int // leading keys of OuterSortKeys that hold already (since 18)
	SkipMarkRestore  bool
	MaterializeInner bool
}

// HashPath is a hash join.
type HashPath struct {
	JoinPath
	HashClauses    []*RestrictInfo
	NumBatches     int
	InnerRowsTotal float64
}

// ProjectionPath computes another target list; Dummy if the plan below can do
// it itself.
type ProjectionPath struct {
	PathBase
	Sub   Path
	Dummy bool
}

// ProjectSetPath evaluates set-returning functions in a target list.
type ProjectSetPath struct {
	PathBase
	Sub Path
}

// SortPath sorts.
type SortPath struct {
	PathBase
	Sub Path
	// LimitTuples is the bound that the cost assumed, -1 for none.
	LimitTuples float64
}

// IncrementalSortPath sorts within groups that come sorted.
type IncrementalSortPath struct {
	PathBase
	Sub       Path
	Presorted int
}

// GroupPath groups sorted input without aggregates.
type GroupPath struct {
	PathBase
	Sub    Path
	Clause []*query.SortGroupClause
	Qual   []query.Expr
}

// UpperUniquePath drops adjacent duplicates.
type UpperUniquePath struct {
	PathBase
	Sub  Path
	Keys int
}

// AggStrategy is how an aggregation works.
type AggStrategy int

// The strategies.
const (
	AggPlain AggStrategy = iota
	AggSorted
	AggHashed
	AggMixed
)

// Aggregation steps (AggSplit).
const (
	AggSplitSimple        = 0
	AggSplitInitialSerial = 0x02 | 0x04
	AggSplitFinalDeserial = 0x01 | 0x08
)

// AggPath aggregates.
type AggPath struct {
	PathBase
	Sub        Path
	Strategy   AggStrategy
	Split      int
	NumGroups  float64
	TransSpace float64
	Clause     []*query.SortGroupClause
	Qual       []query.Expr
}

// GroupingSetsPath aggregates by several grouping sets.
type GroupingSetsPath struct {
	PathBase
	Sub        Path
	Strategy   AggStrategy
	Rollups    []*Rollup
	Qual       []query.Expr
	TransSpace float64
}

// Rollup is one chain of grouping sets.
type Rollup struct {
	Clause    []*query.SortGroupClause
	Sets      [][]int // sort group refs per set
	SetGroups []float64
	NumGroups float64
	Hashable  bool
	IsHashed  bool
}

// WindowAggPath evaluates window functions.
type WindowAggPath struct {
	PathBase
	Sub    Path
	Clause *query.WindowClause
	Funcs  []*query.WindowFunc
	Qual   []query.Expr
	Top    bool
}

// SetOpPath is INTERSECT or EXCEPT.
type SetOpPath struct {
	PathBase
	Sub       Path
	Sub2      Path // since 18: the right input
	Op        query.SetOperation
	All       bool
	Hashed    bool
	Clause    []*query.SortGroupClause
	FlagCol   int
	NumGroups float64
}

// RecursiveUnionPath is WITH RECURSIVE.
type RecursiveUnionPath struct {
	PathBase
	Left, Right Path
	Distinct    []*query.SortGroupClause
	WTParam     int
	NumGroups   float64
}

// LockRowsPath locks rows.
type LockRowsPath struct {
	PathBase
	Sub   Path
	Marks []*RowMark
}

// ModifyTablePath changes tables.
type ModifyTablePath struct {
	PathBase
	Sub        Path
	Operation  query.CmdType
	Nominal    int // range table index shown by EXPLAIN
	ResultRels []int
	Returning  bool
	OnConflict *query.OnConflictExpr
	Arbiters   []*catalog.Index
}

// LimitPath is LIMIT and OFFSET.
type LimitPath struct {
	PathBase
	Sub           Path
	Offset, Count query.Expr
	WithTies      bool
}
