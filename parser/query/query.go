// Package query is the waist of dbgen: the analysed query tree.
//
// A [Query] is PostgreSQL's own (nodes/parsenodes.h, nodes/primnodes.h), whole:
// a range table with alias and eref, a join tree with join aliases, a target
// list with resno, ressortgroupref and resjunk, CTEs, set operations, row marks.
// Every expression carries type, typmod, collation and the place it came from;
// operators, functions and types are OIDs; coercions are nodes. What is in front
// (parser/analyze) makes Query trees, everything behind it (inference, rewriting,
// planning, findings, generation) reads them, and nothing behind it looks at
// syntax again.
//
// Trees are immutable once analysis has returned them; who wants another tree
// makes one with [Transform] or [Query.Clone]. Spans are byte offsets into the
// text that was analysed.
//
// The package imports parser/pgtype and parser/source alone.
package query

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/source"
)

// CmdType is the kind of statement (CmdType, nodes/nodes.h).
type CmdType int

// The kinds of statement.
const (
	CmdSelect CmdType = iota + 1
	CmdInsert
	CmdUpdate
	CmdDelete
	CmdMerge
	CmdUtility
)

// QuerySource tells a statement as written from one made by rewriting.
type QuerySource int

// The sources of a Query.
const (
	SourceOriginal QuerySource = iota
	SourceRule
)

// Query is an analysed statement (Query, nodes/parsenodes.h).
type Query struct {
	Command CmdType
	Source  QuerySource

	// ResultRelation is the range table index of the target of INSERT,
	// UPDATE, DELETE and MERGE; 0 for SELECT.
	ResultRelation int

	HasAggs         bool // in the target list or HAVING
	HasWindowFuncs  bool
	HasTargetSRFs   bool // set-returning functions in the target list
	HasSubLinks     bool
	HasDistinctOn   bool
	HasRecursive    bool // WITH RECURSIVE was written
	HasModifyingCTE bool
	HasForUpdate    bool // FOR UPDATE or its kin was written
	IsReturn        bool // body of a SQL-standard function
	IsValues        bool // the statement is a bare VALUES list

	CTEs       []*CommonTableExpr
	RangeTable []*RangeTblEntry // index 1 is RangeTable[0]; see [Query.RTE]
	JoinTree   *FromExpr
	TargetList []*TargetEntry

	Override OverridingKind // INSERT … OVERRIDING
	// OnConflict is the ON CONFLICT clause of an INSERT, nil for none.
	OnConflict   *OnConflictExpr
	Returning    []*TargetEntry
	MergeActions []*MergeAction
	// MergeJoinCondition is the ON of a MERGE.
	MergeJoinCondition Expr

	GroupClause   []*SortGroupClause
	GroupDistinct bool
	GroupingSets  []*GroupingSet
	Having        Expr
	WindowClause  []*WindowClause
	Distinct      []*SortGroupClause
	SortClause    []*SortGroupClause
	LimitOffset   Expr // coerced to int8
	LimitCount    Expr // coerced to int8; a NULL constant for LIMIT ALL
	WithTies      bool
	RowMarks      []*RowMarkClause
	// SetOperations is the tree of UNION, INTERSECT and EXCEPT; nil if the
	// query is none.
	SetOperations SetOpNode
	// ConstraintDeps are constraints the query's validity rests on: primary
	// keys that make ungrouped columns legal.
	ConstraintDeps []pgtype.OID

	// Utility names what a CmdUtility statement is ("CREATE TABLE").
	Utility string

	Loc source.Span
}

// RTE returns range table entry i, counted from 1 as varno does.
func (q *Query) RTE(i int) *RangeTblEntry { return q.RangeTable[i-1] }

// OverridingKind is the OVERRIDING clause of INSERT.
type OverridingKind int

// The OVERRIDING clauses.
const (
	OverridingNone OverridingKind = iota
	OverridingUser
	OverridingSystem
)

// RTEKind is the kind of a range table entry (RTEKind, nodes/parsenodes.h).
type RTEKind int

// The kinds of range table entry.
const (
	RTERelation RTEKind = iota + 1
	RTESubquery
	RTEJoin
	RTEFunction
	RTETableFunc
	RTEValues
	RTECTE
	RTENamedTuplestore
	RTEResult
)

// Alias is a name and the names of columns.
type Alias struct {
	Name    string
	Columns []string // "" for a dropped column
}

// RangeTblEntry is one thing that a query reads columns from.
type RangeTblEntry struct {
	Kind RTEKind

	// Alias is what the user wrote (AS …), nil if nothing; ERef is what
	// column references resolve against, complete.
	Alias *Alias
	ERef  *Alias

	Lateral  bool
	InFrom   bool // reachable by SELECT's FROM: false for RETURNING's own, NEW, OLD
	Inherit  bool // include children (no ONLY)
	FromView pgtype.OID
	// Loc is the place of the FROM item.
	Loc source.Span

	// RTERelation
	Relation pgtype.OID
	RelKind  byte // pg_class.relkind
	Sample   *TableSampleClause
	LockMode LockClauseStrength
	Perms    Permissions

	// RTESubquery; also a view after rewriting
	Subquery        *Query
	SecurityBarrier bool

	// RTEJoin
	JoinType       JoinType
	JoinMergedCols int    // the first n alias vars are USING's merged columns
	JoinAliasVars  []Expr // each output column: a Var of an input, or COALESCE
	JoinLeftCols   []int  // for each output column its left column number, 0 if none
	JoinRightCols  []int
	JoinUsingAlias *Alias

	// RTEFunction
	Functions  []*RangeTblFunction
	Ordinality bool

	// RTEValues
	Values [][]Expr

	// RTETableFunc
	TableFunc *TableFunc

	// RTECTE
	CTEName   string
	CTELevels int
	SelfRef   bool // the recursive reference

	// RTEValues, RTECTE, RTETableFunc: the columns
	ColTypes      []pgtype.OID
	ColTypmods    []pgtype.Typmod
	ColCollations []pgtype.OID

	// Security quals, added by rewriting (row-level security).
	SecurityQuals []Expr
}

// Permissions says what a query needs to be allowed on a relation.
type Permissions struct {
	Select, Insert, Update, Delete bool
	SelectCols                     []int
	InsertCols                     []int
	UpdateCols                     []int
}

// TableSampleClause is TABLESAMPLE method (args) REPEATABLE (seed).
type TableSampleClause struct {
	Handler    pgtype.OID
	Args       []Expr
	Repeatable Expr
}

// RangeTblFunction is one function of a FROM item.
type RangeTblFunction struct {
	Expr          Expr
	ColCount      int
	ColNames      []string // of a column definition list, else nil
	ColTypes      []pgtype.OID
	ColTypmods    []pgtype.Typmod
	ColCollations []pgtype.OID
}

// TableFunc is XMLTABLE or JSON_TABLE.
type TableFunc struct {
	Kind                  string
	NamespaceURIs         []Expr
	NamespaceNames        []string
	DocExpr, RowExpr      Expr
	ColNames              []string
	ColExprs, ColDefaults []Expr
	NotNulls              []bool
	OrdinalityCol         int
	Loc                   source.Span
}

// CTEMaterialize is the MATERIALIZED option of a CTE.
type CTEMaterialize int

// The MATERIALIZED options.
const (
	CTEMaterializeDefault CTEMaterialize = iota
	CTEMaterializeAlways
	CTEMaterializeNever
)

// CommonTableExpr is one WITH item.
type CommonTableExpr struct {
	Name          string
	AliasColumns  []string
	Materialized  CTEMaterialize
	Query         *Query
	Recursive     bool
	RefCount      int // references outside its own recursive term
	ColNames      []string
	ColTypes      []pgtype.OID
	ColTypmods    []pgtype.Typmod
	ColCollations []pgtype.OID
	Loc           source.Span
}

// TargetEntry is one output column, or one column to assign.
type TargetEntry struct {
	Expr  Expr
	ResNo int    // attribute number, from 1
	Name  string // "" for a junk entry
	// SortGroupRef is nonzero if a sort, group or distinct clause refers to
	// the entry.
	SortGroupRef int
	// OrigTable and OrigColumn name the source of a plain column.
	OrigTable  pgtype.OID
	OrigColumn int
	Junk       bool
	Loc        source.Span
}

// JoinNode is a node of the join tree: [*RangeTblRef], [*JoinExpr] or
// [*FromExpr].
type JoinNode interface{ joinNode() }

// RangeTblRef is a leaf of the join tree.
type RangeTblRef struct{ Index int }

// JoinType is the kind of a join (JoinType, nodes/nodes.h).
type JoinType int

// The kinds of join. The last ones are made by planning only.
const (
	JoinInner JoinType = iota
	JoinLeft
	JoinFull
	JoinRight
	JoinSemi
	JoinAnti
	JoinRightSemi
	JoinRightAnti
	JoinUniqueOuter
	JoinUniqueInner
)

// IsOuter reports whether the join can null-extend or is an anti join
// (IS_OUTER_JOIN, nodes/nodes.h).
func (t JoinType) IsOuter() bool {
	switch t {
	case JoinLeft, JoinFull, JoinRight, JoinAnti, JoinRightAnti:
		return true
	}
	return false
}

// JoinExpr is an explicit JOIN.
type JoinExpr struct {
	Type       JoinType
	Natural    bool
	Left       JoinNode
	Right      JoinNode
	Using      []string
	UsingAlias *Alias
	Quals      Expr
	Alias      *Alias
	// Index is the range table index of the join's own RTE, 0 for none.
	Index int
	Loc   source.Span
}

// FromExpr is a FROM list with its WHERE.
type FromExpr struct {
	List  []JoinNode
	Quals Expr
}

func (*RangeTblRef) joinNode() {}
func (*JoinExpr) joinNode()    {}
func (*FromExpr) joinNode()    {}

// SortGroupClause is one item of ORDER BY, GROUP BY, DISTINCT or PARTITION BY.
type SortGroupClause struct {
	Ref        int        // matches [TargetEntry.SortGroupRef]
	EqOp       pgtype.OID // the equality operator
	SortOp     pgtype.OID // the ordering operator, 0 if it cannot be sorted
	NullsFirst bool
	Hashable   bool
	// Descending is the direction that was written: SortOp is a > operator.
	Descending bool
}

// GroupingSetKind is the kind of a [GroupingSet].
type GroupingSetKind int

// The kinds of grouping set.
const (
	GroupingSetEmpty GroupingSetKind = iota + 1
	GroupingSetSimple
	GroupingSetRollup
	GroupingSetCube
	GroupingSetSets
)

// GroupingSet is one item of GROUPING SETS, ROLLUP or CUBE.
type GroupingSet struct {
	Kind GroupingSetKind
	Refs []int // SortGroupRefs, of a simple set
	Sets []*GroupingSet
	Loc  source.Span
}

// WindowClause is one window definition.
type WindowClause struct {
	Name        string
	RefName     string
	PartitionBy []*SortGroupClause
	OrderBy     []*SortGroupClause
	// FrameOptions are PostgreSQL's bits (nodes/parsenodes.h, FRAMEOPTION_*).
	FrameOptions           int
	StartOffset, EndOffset Expr
	StartInRangeFunc       pgtype.OID
	EndInRangeFunc         pgtype.OID
	InRangeCollation       pgtype.OID
	InRangeAsc             bool
	InRangeNullsFirst      bool
	Ref                    int // matches [WindowFunc.WinRef]
	CopiedOrder            bool
	// RunCondition are comparisons with monotonic window functions, after which
	// the node stops once one is false. Only planning sets it.
	RunCondition []Expr
}

// Frame option bits (FRAMEOPTION_*, nodes/parsenodes.h).
const (
	FrameNonDefault              = 0x00001
	FrameRange                   = 0x00002
	FrameRows                    = 0x00004
	FrameGroups                  = 0x00008
	FrameBetween                 = 0x00010
	FrameStartUnboundedPreceding = 0x00020
	FrameEndUnboundedPreceding   = 0x00040
	FrameStartUnboundedFollowing = 0x00080
	FrameEndUnboundedFollowing   = 0x00100
	FrameStartCurrentRow         = 0x00200
	FrameEndCurrentRow           = 0x00400
	FrameStartOffsetPreceding    = 0x00800
	FrameEndOffsetPreceding      = 0x01000
	FrameStartOffsetFollowing    = 0x02000
	FrameEndOffsetFollowing      = 0x04000
	FrameExcludeCurrentRow       = 0x08000
	FrameExcludeGroup            = 0x10000
	FrameExcludeTies             = 0x20000
	// FrameDefaults is RANGE UNBOUNDED PRECEDING TO CURRENT ROW.
	FrameDefaults = FrameRange | FrameStartUnboundedPreceding | FrameEndCurrentRow
)

// LockClauseStrength is the strength of FOR UPDATE and its kin.
type LockClauseStrength int

// The strengths of a row lock.
const (
	LockNone LockClauseStrength = iota
	LockForKeyShare
	LockForShare
	LockForNoKeyUpdate
	LockForUpdate
)

// LockWaitPolicy is what a lock does about a row that is locked.
type LockWaitPolicy int

// The wait policies.
const (
	LockWaitBlock LockWaitPolicy = iota
	LockWaitSkip
	LockWaitError
)

// RowMarkClause is FOR UPDATE and its kin for one range table entry.
type RowMarkClause struct {
	Index      int
	Strength   LockClauseStrength
	Wait       LockWaitPolicy
	PushedDown bool // comes from the same clause on a level above
}

// SetOpNode is a node of the set operation tree: [*SetOperationStmt] or
// [*RangeTblRef].
type SetOpNode interface{ setOpNode() }

func (*RangeTblRef) setOpNode()      {}
func (*SetOperationStmt) setOpNode() {}

// SetOperation is UNION, INTERSECT or EXCEPT.
type SetOperation int

// The set operations.
const (
	SetOpUnion SetOperation = iota + 1
	SetOpIntersect
	SetOpExcept
)

// SetOperationStmt combines two arms.
type SetOperationStmt struct {
	Op            SetOperation
	All           bool
	Left, Right   SetOpNode
	ColTypes      []pgtype.OID
	ColTypmods    []pgtype.Typmod
	ColCollations []pgtype.OID
	GroupClauses  []*SortGroupClause
	Loc           source.Span
}

// OnConflictAction is the action of ON CONFLICT.
type OnConflictAction int

// The actions of ON CONFLICT.
const (
	OnConflictNothing OnConflictAction = iota + 1
	OnConflictUpdate
)

// OnConflictExpr is the ON CONFLICT clause.
type OnConflictExpr struct {
	Action       OnConflictAction
	ArbiterElems []*InferenceElem
	ArbiterWhere Expr
	Constraint   pgtype.OID // of ON CONSTRAINT, 0 if inferred
	Set          []*TargetEntry
	Where        Expr
	ExclRelIndex int // range table index of EXCLUDED, 0 for DO NOTHING
	ExclTarget   []*TargetEntry
	Loc          source.Span
}

// MergeAction is one WHEN clause of MERGE.
type MergeAction struct {
	Matched    bool
	Command    CmdType // CmdUpdate, CmdInsert, CmdDelete, or CmdUtility for DO NOTHING
	Override   OverridingKind
	Qual       Expr
	TargetList []*TargetEntry
	UpdateCols []int
}
