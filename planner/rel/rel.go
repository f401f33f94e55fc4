// Package rel holds the planner's data and nothing else: PlannerInfo,
// RelOptInfo, Path, RestrictInfo, EquivalenceClass and pathkeys, under the names
// and with the meanings of PostgreSQL's nodes/pathnodes.h.
//
// The packages planner/prep, path, join and upper fill these structures one
// after the other; planner/plan reads the chosen path. A number is in the unit
// that PostgreSQL uses: costs in units of seq_page_cost, widths in bytes, sizes
// in blocks and rows.
//
// The package imports parser packages and planner/stats.
package rel

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/stats"
)

// Precision says how far a plan can be trusted.
type Precision int

// The precisions, from best to worst.
const (
	Exact Precision = iota
	Approximate
	Unsupported
)

// String returns the word of the explain output.
func (p Precision) String() string {
	switch p {
	case Exact:
		return "exact"
	case Approximate:
		return "approximate"
	}
	return "unsupported"
}

// Global is what all query levels of one statement share (PlannerGlobal).
type Global struct {
	Catalog *catalog.Catalog
	Stats   *stats.Bound
	// Settings are the planner's settings in force.
	Settings *stats.Settings
	// VersionNum is server_version_num: 160004. Every difference between
	// versions is a switch on it.
	VersionNum int
	// Params are the known parameter values by number, nil for a generic plan.
	Params map[int]*query.Const
	// Hypothetical are indexes that exist for this planning alone, by table.
	Hypothetical map[pgtype.OID][]*catalog.Index
	// ParallelModeOK is whether the statement may use parallel workers.
	ParallelModeOK bool
	// TupleFraction of the top query comes with it.

	// Subplans are the planned subqueries of SubPlan nodes, by PlanID-1.
	Subplans []*Subplan
	// NParamExec counts the executor parameters handed out.
	NParamExec int
	// LastPHID, LastRowMarkID count identifiers.
	LastPHID int

	// Reasons collects why the plan is not exact, in the order found, each
	// once. An empty list and no unsupported reason means exact.
	Reasons     []string
	Unsupported []string
}

// Approximate notes that a number of the plan is not PostgreSQL's own.
func (g *Global) Approximate(reason string) { g.Reasons = appendOnce(g.Reasons, reason) }

// NotSupported notes that a part of the query cannot be planned.
func (g *Global) NotSupported(what string) { g.Unsupported = appendOnce(g.Unsupported, what) }

func appendOnce(list []string, s string) []string {
	for _, x := range list {
		if x == s {
			return list
		}
	}
	return append(list, s)
}

// Version reports whether the server is at least the given major version.
func (g *Global) Version(major int) bool { return g.VersionNum >= major*10000 }

// Subplan is a planned subquery of a SubPlan node or InitPlan.
type Subplan struct {
	Root *PlannerInfo
	Path Path
	// Name is EXPLAIN's: "SubPlan 1", "InitPlan 1 (returns $0)", "CTE x".
	Name string
	// Plan is the finished plan, set by planner/plan: a *plan.Node.
	Plan any
}

// UpperKind is a step of query processing above scans and joins
// (UpperRelationKind).
type UpperKind int

// The upper steps, in the order they are done.
const (
	UpperSetOp UpperKind = iota
	UpperPartialGroupAgg
	UpperGroupAgg
	UpperWindow
	UpperPartialDistinct
	UpperDistinct
	UpperOrdered
	UpperFinal
	NumUpper
)

// PlannerInfo is the state of planning one query level (PlannerInfo).
type PlannerInfo struct {
	Parse  *query.Query
	Global *Global
	Level  int // 1 at the top
	Parent *PlannerInfo

	// Subplan plans a subquery as a level below this one. It is set by
	// package planner, so that the packages between need not import it.
	Subplan func(parent *PlannerInfo, q *query.Query, hasRecursion bool, tupleFraction float64) *PlannerInfo

	// CheapestFractional picks the best path of a relation for fetching a
	// fraction of it. It is set by package planner, as Subplan is.
	CheapestFractional func(rl *RelOptInfo, fraction float64) Path

	// PlanParams are the outer values that this level's subplans need.
	PlanParams []*PlannerParam
	// OuterParams are the executor parameters that levels above supply.
	OuterParams query.Relids

	// Rels and RTEs are by range table index; index 0 is unused. Rels holds
	// nil for entries that are not base or child relations.
	Rels   []*RelOptInfo
	RTEs   []*query.RangeTblEntry
	Append []*AppendRelInfo // by child index

	// AllBaseRels are the base relations in the join tree, OuterJoins the
	// outer joins' own indexes, AllQueryRels both (all_baserels,
	// outer_join_rels, all_query_rels).
	AllBaseRels, OuterJoins, AllQueryRels query.Relids

	// JoinRels are the join relations made so far, by relids.
	JoinRels     []*RelOptInfo
	JoinRelIndex map[query.Relids]*RelOptInfo
	// JoinLevels is the join search's working list by number of relations.
	JoinLevels   [][]*RelOptInfo
	JoinCurLevel int
	// InitialRels are the relations of the join problem being searched.
	InitialRels []*RelOptInfo

	InitPlans []*query.SubPlan
	// CTEPlanIDs holds the subplan number of each CTE, 0 not planned, -1
	// inlined.
	CTEPlanIDs []int

	JoinDomains      []*JoinDomain
	ECs              []*EquivalenceClass
	ECMergingDone    bool
	CanonPathKeys    []*PathKey
	LeftJoinClauses  []*OuterJoinClause
	RightJoinClauses []*OuterJoinClause
	FullJoinClauses  []*OuterJoinClause
	JoinInfoList     []*SpecialJoinInfo
	LastRInfoSerial  int

	AppendRels   []*AppendRelInfo
	RowMarks     []*RowMark
	PlaceHolders []*PlaceHolderInfo
	ForeignKeys  []*ForeignKeyOptInfo

	QueryPathKeys    []*PathKey
	GroupPathKeys    []*PathKey
	NumGroupByKeys   int // leading GroupPathKeys that come from GROUP BY
	WindowPathKeys   []*PathKey
	DistinctPathKeys []*PathKey
	SortPathKeys     []*PathKey

	// ProcessedTargetList, GroupClause and DistinctClause are the versions
	// after preprocessing.
	ProcessedTargetList []*query.TargetEntry
	GroupClause         []*query.SortGroupClause
	DistinctClause      []*query.SortGroupClause
	UpdateColumns       []int

	UpperRels    [NumUpper][]*RelOptInfo
	UpperTargets [NumUpper]*PathTarget
	FinalRel     *RelOptInfo

	// MinMaxAggs are the min/max aggregates that an index could answer.
	MinMaxAggs []*MinMaxAgg

	// Aggs and Trans describe the aggregates, as prep's preprocessing of them
	// numbered them.
	Aggs              []*AggInfo
	Trans             []*AggTransInfo
	NumOrderedAggs    int
	HasNonPartialAggs bool
	HasNonSerialAggs  bool

	// TotalTablePages is the size of all tables of the query, each reference
	// counted (total_table_pages).
	TotalTablePages float64
	// TupleFraction is how much of the result will be fetched; 0 all, below 1
	// a fraction, from 1 on a number of rows. LimitTuples is the bound that a
	// LIMIT sets, -1 for none.
	TupleFraction float64
	LimitTuples   float64

	QualSecurityLevel   int
	HasJoinRTEs         bool
	HasLateralRTEs      bool
	HasHavingQual       bool
	HasPseudoConstQuals bool
	HasAlternatives     bool
	PlaceHoldersFrozen  bool
	HasRecursion        bool
	// RecursiveRefs: for the recursive term of a CTE, the path of the
	// non-recursive one.
	NonRecursivePath Path
	WTParamID        int
	// CurOuterRels and CurOuterParams are the state of plan creation.
	CurOuterRels   query.Relids
	CurOuterParams []*NestLoopParam
	// EmptyJoinList is set for a query with no FROM.
	PartColsUpdated bool
	// ResultRelations are the tables that DML changes, by index.
	AllResultRels, LeafResultRels query.Relids
	InhTargetKind                 byte
}

// PlannerParam is a value that a lower query level takes from this one.
type PlannerParam struct {
	Item    query.Expr // Var, PlaceHolderVar, Aggref …
	ParamID int
}

// NestLoopParam is a value that a nested loop hands to its inner side.
type NestLoopParam struct {
	ParamID int
	Value   query.Expr
}

// RelKind is the kind of a RelOptInfo (RelOptKind).
type RelKind int

// The kinds of relation in planning.
const (
	BaseRel RelKind = iota
	JoinRel
	OtherMemberRel
	OtherJoinRel
	UpperRelation
	OtherUpperRel
	DeadRel
)

// RelOptInfo is a relation being planned: base, join or upper (RelOptInfo).
type RelOptInfo struct {
	Kind   RelKind
	Relids query.Relids

	Rows float64 // estimated output rows
	// ConsiderStartup: a cheap start may matter.
	ConsiderStartup, ConsiderParamStartup, ConsiderParallel bool

	Target *PathTarget

	Paths           []Path
	ParamPathInfos  []*ParamPathInfo
	PartialPaths    []Path
	CheapestStartup Path
	CheapestTotal   Path
	CheapestUnique  Path
	CheapestParam   []Path

	DirectLateral, LateralRelids query.Relids

	// Base relations.
	Index              int // range table index
	RTEKind            query.RTEKind
	Table              *catalog.Table  // of a relation
	Physical           *stats.Relation // as Bound resolved it, nil for other kinds
	MinAttr            int             // lowest attribute number, negative for system columns
	MaxAttr            int
	AttrNeeded         []query.Relids // by attno - MinAttr: where the column is needed; index 0 is "final output" in the set
	AttrWidths         []int          // cached widths by attno - MinAttr
	NotNullAttrs       query.Relids   // attribute numbers known NOT NULL (since 17)
	NullingRels        query.Relids   // outer joins that can null this relation
	LateralVars        []query.Expr
	LateralReferencers query.Relids
	Indexes            []*IndexOptInfo
	// Unread are indexes whose definition is not understood, and which the
	// server may use for a clause on one of their columns.
	Unread          []*catalog.Index
	ExtStats        []*stats.ExtendedFacts
	Pages           float64
	Tuples          float64
	AllVisFrac      float64
	EClassIndexes   query.Relids // positions in PlannerInfo.ECs
	SubRoot         *PlannerInfo // of a subquery
	SubParams       []*PlannerParam
	ParallelWorkers int // storage parameter, -1 for none
	// AmandFlags of index scans: TID paths.

	// UniqueFor and NonUniqueFor cache innerrel_is_unique.
	UniqueFor, NonUniqueFor []query.Relids

	BaseRestrict              []*RestrictInfo
	BaseRestrictCost          QualCost
	BaseMinSecurity           int
	JoinInfo                  []*RestrictInfo
	HasEClassJoins            bool
	ConsiderPartitionwiseJoin bool

	// Parent of a child, and the topmost one.
	ParentRel, TopParent *RelOptInfo
	TopParentRelids      query.Relids

	// Partitioning.
	PartScheme  *PartitionScheme
	PartRels    []*RelOptInfo
	LiveParts   []int
	NParts      int
	PartQual    []query.Expr
	Partitioned bool

	// Dummy is set for a relation proved empty.
	Dummy bool
}

// PartitionScheme says how a relation is partitioned.
type PartitionScheme struct {
	Key    *catalog.PartitionKey
	Bounds []*catalog.PartitionBound // by partition in bound order
}

// IndexOptInfo is an index being considered (IndexOptInfo).
type IndexOptInfo struct {
	Index    *catalog.Index
	Rel      *RelOptInfo
	Pages    float64
	Tuples   float64
	Height   int // -1 unknown
	NCols    int
	NKeyCols int
	// Keys are attribute numbers, 0 for expressions, whose trees are in
	// Exprs (one per zero in Keys), with the relation's own varno.
	Keys       []int
	Exprs      []query.Expr
	Families   []pgtype.OID
	InTypes    []pgtype.OID
	Collations []pgtype.OID
	SortFamily []pgtype.OID // nil if not ordered
	Reverse    []bool
	NullsFirst []bool
	CanReturn  []bool
	TargetList []*query.TargetEntry // of all columns as Vars or expressions
	Predicate  []query.Expr
	PredOK     bool
	// RestrictClauses are the clauses that the predicate does not imply.
	RestrictClauses []*RestrictInfo
	Unique          bool
	Immediate       bool
	Hypothetical    bool
	Method          *catalog.AccessMethod
	// Physical is nil for a hypothetical index.
	Physical *stats.Index
	Derived  bool // size or height was derived: costs are not exact
}

// ForeignKeyOptInfo is a foreign key between two relations of the query.
type ForeignKeyOptInfo struct {
	Con                                                    *catalog.Constraint
	ConRelID                                               int
	RefRelID                                               int
	NKeys                                                  int
	ConKey                                                 []int
	RefKey                                                 []int
	EqOps                                                  []pgtype.OID
	NMatchedEC, NConstEC, NMatchedRColumns, NMatchedRInfos int
	EClass                                                 []*EquivalenceClass
	ECMember                                               []*EquivalenceMember
	RInfos                                                 [][]*RestrictInfo
}

// PathTarget is what a path computes: a target list with its cost (PathTarget).
type PathTarget struct {
	Exprs    []query.Expr
	SortRefs []int // by expression; nil where none
	Cost     QualCost
	Width    int
	// VolatileChecked caches contain_volatile_functions: 0 unknown, 1 yes, 2 no.
	Volatile int
}

// QualCost is the cost of evaluating an expression: once, and for each tuple.
type QualCost struct {
	Startup  float64
	PerTuple float64
}

// RestrictInfo is a qual in the planner's clothes (RestrictInfo).
type RestrictInfo struct {
	Clause         query.Expr
	PushedDown     bool
	CanJoin        bool
	PseudoConstant bool
	HasClone       bool
	IsClone        bool
	LeakProof      bool
	HasVolatile    int // 0 unknown, 1 yes, 2 no
	SecurityLevel  int
	NumBaseRels    int
	ClauseRelids   query.Relids
	RequiredRelids query.Relids
	IncompatRelids query.Relids
	OuterRelids    query.Relids
	LeftRelids     query.Relids
	RightRelids    query.Relids
	// OrClause is the clause with RestrictInfos inside, for an OR.
	OrClause *OrClause
	Serial   int

	ParentEC *EquivalenceClass
	// EvalCost is cached; Startup -1 means not yet.
	EvalCost QualCost
	HasCost  bool
	// NormSel and OuterSel cache selectivities, -1 not yet.
	NormSel, OuterSel float64

	MergeFamilies   []pgtype.OID
	LeftEC, RightEC *EquivalenceClass
	LeftEM, RightEM *EquivalenceMember
	ScanSelCache    []*MergeScanSel
	OuterIsLeft     bool

	HashOp pgtype.OID
	// Bucket sizes and MCV frequencies cached for hash joins, -1 not yet.
	LeftBucketSize, RightBucketSize float64
	LeftMCVFreq, RightMCVFreq       float64
	LeftHashEqOp, RightHashEqOp     pgtype.OID
}

// OrClause is an OR of AND-lists, each leaf a RestrictInfo.
type OrClause struct {
	// Arms hold one RestrictInfo, or several for an AND.
	Arms []OrArm
}

// OrArm is one arm of an [OrClause]: an AND of clauses, some of which may be
// ORs again.
type OrArm struct {
	And []*RestrictInfo
	// IsAnd tells an explicit AND from a single clause.
	IsAnd bool
}

// MergeScanSel caches mergejoinscansel.
type MergeScanSel struct {
	Family               pgtype.OID
	Collation            pgtype.OID
	Strategy             int
	NullsFirst           bool
	LeftStart, LeftEnd   float64
	RightStart, RightEnd float64
}

// OuterJoinClause is a mergejoinable outer join clause kept for equivalence
// processing.
type OuterJoinClause struct {
	RInfo  *RestrictInfo
	SJInfo *SpecialJoinInfo
}

// EquivalenceClass is a set of expressions known equal (EquivalenceClass).
type EquivalenceClass struct {
	Families    []pgtype.OID
	Collation   pgtype.OID
	Members     []*EquivalenceMember
	Sources     []*RestrictInfo
	Derives     []*RestrictInfo
	Relids      query.Relids
	HasConst    bool
	HasVolatile bool
	Broken      bool
	SortRef     int
	MinSecurity int
	MaxSecurity int
	Merged      *EquivalenceClass
}

// EquivalenceMember is one expression of a class.
type EquivalenceMember struct {
	Expr       query.Expr
	Relids     query.Relids
	IsConst    bool
	IsChild    bool
	DataType   pgtype.OID
	JoinDomain *JoinDomain
	Parent     *EquivalenceMember
}

// JoinDomain is a part of the join tree within which equalities hold without an
// outer join in between (JoinDomain). Domains are compared by identity.
type JoinDomain struct {
	Relids query.Relids
}

// PathKey is one column of a sort order. Canonical: equal keys are the same
// pointer.
type PathKey struct {
	EC         *EquivalenceClass
	Family     pgtype.OID
	Strategy   int // BTLess ascending, BTGreater descending
	NullsFirst bool
}

// SpecialJoinInfo describes an outer, semi or anti join's limits on join order.
type SpecialJoinInfo struct {
	MinLeft, MinRight                                          query.Relids
	SynLeft, SynRight                                          query.Relids
	Type                                                       query.JoinType
	OJRelid                                                    int // the join's range table index, 0 for a semijoin
	CommuteAboveL, CommuteAboveR, CommuteBelowL, CommuteBelowR query.Relids
	LHSStrict                                                  bool
	SemiCanBtree                                               bool
	SemiCanHash                                                bool
	SemiOperators                                              []pgtype.OID
	SemiRHSExprs                                               []query.Expr
}

// PlaceHolderInfo is where a PlaceHolderVar is computed.
type PlaceHolderInfo struct {
	ID      int
	Var     *query.PlaceHolderVar
	EvalAt  query.Relids
	Lateral query.Relids
	Needed  query.Relids
	Width   int
}

// AppendRelInfo ties a child relation to its parent.
type AppendRelInfo struct {
	Parent, Child         int
	ParentType, ChildType pgtype.OID
	// Vars translate the parent's columns, by attribute number - 1; nil for a
	// dropped column.
	Vars []query.Expr
}

// RowMark is a row-locking step for one relation.
type RowMark struct {
	Index    int
	Strength query.LockClauseStrength
	Wait     query.LockWaitPolicy
	IsParent bool
	// Kind is EXPLAIN's idea of it: true rows are locked, not only fetched
	// again.
	Locks bool
}

// MinMaxAgg is a MIN or MAX that an index can answer.
type MinMaxAgg struct {
	Func     pgtype.OID
	SortOp   pgtype.OID
	Target   query.Expr
	SubRoot  *PlannerInfo
	Path     Path
	PathCost float64
	Param    *query.Param
}

// AggInfo is one distinct aggregate call.
type AggInfo struct {
	Aggrefs   []*query.Aggref
	TransNo   int
	Shareable bool
	FinalFunc pgtype.OID
}

// AggTransInfo is one transition state.
type AggTransInfo struct {
	Args                                             []*query.TargetEntry
	Filter                                           query.Expr
	TransFunc, SerialFunc, DeserialFunc, CombineFunc pgtype.OID
	TransType                                        pgtype.OID
	TransTypmod                                      pgtype.Typmod
	TransTypeLen                                     int
	TransTypeByVal                                   bool
	TransSpace                                       int
	InitValNull                                      bool
}

// JoinPathExtra is what the making of join paths passes along
// (JoinPathExtraData).
type JoinPathExtra struct {
	Restrict     []*RestrictInfo
	MergeClauses []*RestrictInfo
	InnerUnique  bool
	SJInfo       *SpecialJoinInfo
	SemiFactors  SemiAntiFactors
	ParamSource  query.Relids
}

// SemiAntiFactors are the match probabilities of a semi, anti or unique join
// (SemiAntiJoinFactors).
type SemiAntiFactors struct {
	OuterMatchFrac float64
	MatchCount     float64
}
