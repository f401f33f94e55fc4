// Package stats holds the statistics file: what production's planner sees,
// written down.
//
// A [File] has two ends. By hand it is a few row counts; pulled from a server
// (planner/stats/pull) it holds everything the server's planner would look at:
// sizes, column statistics, index shapes, settings, the version and the time of
// collection. [Bind] lays a File over a catalog and answers for each relation,
// index and column, deriving what a hand-written file leaves out and saying so.
//
// The package imports parser packages alone.
package stats

// Format is the value of a file's "format".
const Format = "dbgen-stats/1"

// Levels of detail of a pulled file.
const (
	LevelFull  = "full"  // values of columns are in the file
	LevelShape = "shape" // frequencies and counts only
)

// File is a statistics file.
//
// A field with the tag pg:"float4" holds what pg_statistic or pg_class keeps in
// four bytes: see [Read].
type File struct {
	Format string `json:"format"`
	// Level is full or shape; "" means full.
	Level string `json:"level,omitempty"`
	// Server is nil in a file written by hand.
	Server *Server `json:"server,omitempty"`
	// Settings are the planner's settings that differ from PostgreSQL's
	// defaults, as SHOW prints them, plus those that always matter.
	Settings map[string]string `json:"settings,omitempty"`
	// Tables are keyed by "schema.name"; a bare name is looked up along the
	// search path.
	Tables map[string]*Relation `json:"tables"`
	// Hidden names the objects whose statistics the collecting role could not
	// read, with the GRANT that would open them.
	Hidden []Hidden `json:"hidden,omitempty"`
}

// Server says where a file came from. No host, user or database name is kept.
type Server struct {
	VersionNum int `json:"version_num"`
	// CollectedAt is RFC 3339, UTC: now() to the planner.
	CollectedAt string `json:"collected_at"`
	Encoding    string `json:"encoding,omitempty"`
	// Collation is the database's collation (datcollate), Provider its
	// provider: c, i or b.
	Collation string `json:"collation,omitempty"`
	// Locale is the locale of provider i or b (datlocale, daticulocale).
	Locale    string `json:"locale,omitempty"`
	Provider  string `json:"provider,omitempty"`
	BlockSize int    `json:"block_size,omitempty"`
}

// Hidden is an object whose statistics could not be read.
type Hidden struct {
	Object string `json:"object"`
	What   string `json:"what"`
	Grant  string `json:"grant"`
}

// Relation is what is known of a table, partitioned table, partition or
// materialised view.
type Relation struct {
	// Rows is the number of live rows (reltuples scaled to the current size is
	// the planner's own estimate of it). A file by hand has this alone. -1:
	// never analysed.
	Rows *float64 `json:"rows,omitempty"`
	OID  uint32   `json:"oid,omitempty"`
	// Kind is pg_class.relkind; "" means r.
	Kind string `json:"kind,omitempty"`
	// Pages is the current size in blocks; RelPages, RelTuples and AllVisible
	// are pg_class's, as of the last VACUUM or ANALYZE.
	Pages      *float64 `json:"pages,omitempty"`
	RelPages   *float64 `json:"relpages,omitempty"`
	RelTuples  *float64 `json:"reltuples,omitempty" pg:"float4"`
	AllVisible *float64 `json:"all_visible,omitempty"`
	// Parent and Bound are a partition's: "schema.name" and the FOR VALUES …
	// clause. Inherits lists the parents of plain inheritance.
	Parent   string   `json:"parent,omitempty"`
	Bound    string   `json:"bound,omitempty"`
	Inherits []string `json:"inherits,omitempty"`
	// PartitionKey is pg_get_partkeydef's text, of a partitioned table.
	PartitionKey string `json:"partition_key,omitempty"`
	// ParallelWorkers and FillFactor are storage parameters.
	ParallelWorkers *int `json:"parallel_workers,omitempty"`
	FillFactor      int  `json:"fillfactor,omitempty"`
	// ModSinceAnalyze is pg_stat_all_tables.n_mod_since_analyze.
	ModSinceAnalyze float64 `json:"mod_since_analyze,omitempty"`
	// RowSecurity is true where policies hide rows from some roles.
	RowSecurity bool `json:"row_security,omitempty"`

	Columns map[string]*Column `json:"columns,omitempty"`
	// Tree are the columns' statistics over the table and its children
	// (stainherit), where the two differ.
	Tree     map[string]*Column   `json:"tree,omitempty"`
	Indexes  map[string]*Index    `json:"indexes,omitempty"`
	Extended map[string]*Extended `json:"extended,omitempty"`
	// ExtendedTree is [Relation.Extended] over the table and its children.
	ExtendedTree map[string]*Extended `json:"extended_tree,omitempty"`
}

// Column are the statistics of a column or of an index expression
// (pg_stats). Values are in the type's text form.
type Column struct {
	Number int `json:"number,omitempty"`
	// Type is format_type's text.
	Type    string `json:"type,omitempty"`
	NotNull bool   `json:"not_null,omitempty"`
	// HasStats tells a column that ANALYZE has seen.
	HasStats  bool      `json:"stats,omitempty"`
	NullFrac  float64   `json:"null_frac,omitempty" pg:"float4"`
	Width     int       `json:"width,omitempty"` // bytes
	NDistinct float64   `json:"n_distinct,omitempty" pg:"float4"`
	MCV       []string  `json:"mcv,omitempty"`
	MCF       []float64 `json:"mcf,omitempty" pg:"float4"`
	Histogram []string  `json:"histogram,omitempty"`
	// Correlation is nil where there is none.
	Correlation *float64  `json:"correlation,omitempty" pg:"float4"`
	MCElem      []string  `json:"mc_elem,omitempty"`
	MCElemFreqs []float64 `json:"mc_elem_freqs,omitempty" pg:"float4"` // with the two or three trailing extremes
	ElemHist    []float64 `json:"elem_hist,omitempty" pg:"float4"`
	// RangeLengths, RangeEmptyFrac and RangeBounds are of range columns.
	RangeLengths   []string `json:"range_lengths,omitempty"`
	RangeEmptyFrac float64  `json:"range_empty_frac,omitempty" pg:"float4"`
	RangeBounds    []string `json:"range_bounds,omitempty"`
}

// Index is what is known of an index.
type Index struct {
	OID uint32 `json:"oid,omitempty"`
	// Def is pg_get_indexdef's text, Constraint names the constraint that it
	// is behind ("p", "u" or "x" and the name).
	Def        string `json:"def,omitempty"`
	Constraint string `json:"constraint,omitempty"`
	// Pages is the current size in blocks; RelPages and Tuples are
	// pg_class's.
	Pages    float64 `json:"pages,omitempty"`
	RelPages float64 `json:"relpages,omitempty"`
	Tuples   float64 `json:"tuples,omitempty" pg:"float4"`
	// Height is a btree's level of the fast root, nil where unknown.
	Height *int `json:"height,omitempty"`
	// Min and Max are the ends of the first key column, nil where unknown.
	Min *string `json:"min,omitempty"`
	Max *string `json:"max,omitempty"`
	// GIN metapage counts, nil where unknown.
	GIN     *GIN `json:"gin,omitempty"`
	Invalid bool `json:"invalid,omitempty"`
	// Columns are the statistics of index expressions, by the index
	// attribute's name.
	Columns map[string]*Column `json:"columns,omitempty"`
}

// GIN are the counts of a GIN index's metapage (gin_metapage_info).
type GIN struct {
	PendingPages float64 `json:"pending_pages"`
	TotalPages   float64 `json:"total_pages"`
	EntryPages   float64 `json:"entry_pages"`
	DataPages    float64 `json:"data_pages"`
	Entries      float64 `json:"entries"`
	// EntryPagesGuessed tells that only the height that EntryPages implies was
	// found out, not the number itself.
	EntryPagesGuessed bool `json:"entry_pages_guessed,omitempty"`
}

// Extended is a CREATE STATISTICS object.
type Extended struct {
	OID uint32 `json:"oid,omitempty"`
	// Def is pg_get_statisticsobjdef's text.
	Def     string   `json:"def,omitempty"`
	Columns []int    `json:"columns,omitempty"`
	Exprs   []string `json:"exprs,omitempty"`
	Kinds   string   `json:"kinds,omitempty"`
	// NDistinct and Dependencies are pg_stats_ext's text forms.
	NDistinct    string    `json:"n_distinct,omitempty"`
	Dependencies string    `json:"dependencies,omitempty"`
	MCV          []ExtMCV  `json:"mcv,omitempty"`
	ExprStats    []*Column `json:"expr_stats,omitempty"`
}

// ExtMCV is one item of a multi-column MCV list.
type ExtMCV struct {
	Values   []*string `json:"values"`
	Freq     float64   `json:"freq"`
	BaseFreq float64   `json:"base_freq"`
}
