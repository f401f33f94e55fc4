// Package infer works out what an analysed query guarantees: which columns can
// be NULL, how many rows come back, what is read, written and locked, and how
// volatile it is. Every answer comes with the reason for it.
//
// The answers rest on the schema and the text alone, never on statistics or a
// plan. A column is not null only with a proof; where there is none it is
// nullable, and the reason says what stood in the way.
//
// The package imports parser/catalog, parser/deparse, parser/pgtype and
// parser/query.
package infer

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
)

// Facts are the guarantees of one statement.
type Facts struct {
	// Columns are those of the result, in order; empty for a statement that
	// returns nothing.
	Columns     []Column
	Cardinality Cardinality
	// CardinalityWhy says what bounds the rows, or that nothing does.
	CardinalityWhy string
	// Volatility is that of the most volatile function that is called, as it is
	// declared; VolatilityWhy names those that are as volatile, sorted.
	Volatility    Volatility
	VolatilityWhy []string
	// Reads and Writes are the tables that are touched, views and SQL functions
	// resolved, as schema.name, sorted. A partitioned table stands for its
	// partitions; the target of a statement is in Writes alone, and the tables that
	// a foreign key only checks are in neither. WritesWhy says by which foreign key,
	// trigger or function a table is written that the statement does not name.
	Reads, Writes []string
	WritesWhy     []string
	// Unknown names what may write or do anything else: triggers, volatile
	// functions whose body is not known, utility statements. ReadsUnknown names
	// stable functions that may read tables that Reads does not have.
	Unknown      []string
	ReadsUnknown []string
	// Triggers are all triggers that may fire, with table and function, sorted.
	// What they do is in Reads and Writes as far as it is known.
	Triggers []string
	// RowLocks are FOR UPDATE and its kin; Locks tells that there is one.
	RowLocks []RowLock
	Locks    bool

	// impure is set for FOR UPDATE and its kin, and if a volatile function is called whose body is not known, from
	// the statement or from the body of a SQL function.
	impure bool
	// onPrimary is set if a table is read whose rows standbys do not have.
	onPrimary bool
}

// ReadOnly reports whether the statement is proved free of writes, locks and
// volatile functions. A SQL function is what its statements are, however it is
// declared.
func (f *Facts) ReadOnly() bool {
	return len(f.Writes) == 0 && !f.Locks && !f.impure && len(f.Unknown) == 0
}

// OnStandby reports whether the statement may run on a standby: it is ReadOnly, and reads
// no unlogged or temporary table, which a standby does not have.
func (f *Facts) OnStandby() bool { return f.ReadOnly() && !f.onPrimary }

// Column is what is known of one result column.
type Column struct {
	// Nullable is false only where the value was proved never to be NULL.
	Nullable bool
	// ElementNullable is the same for the elements of an array value.
	ElementNullable bool
	// Why gives the proof, or what is missing for one.
	Why string
}

// Cardinality bounds the number of rows.
type Cardinality int

// The cardinalities.
const (
	None Cardinality = iota
	ExactlyOne
	AtMostOne
	Many
)

// String returns the word of the analyze output.
func (c Cardinality) String() string {
	return [...]string{"none", "exactly-one", "at-most-one", "many"}[c]
}

// Volatility is that of the most volatile function a statement calls.
type Volatility int

// The volatilities.
const (
	Immutable Volatility = iota
	Stable
	Volatile
)

// String returns the word of the analyze output.
func (v Volatility) String() string {
	return [...]string{"immutable", "stable", "volatile"}[v]
}

// Infer returns the facts of a query that parser/analyze has made, with nothing taken
// for granted.
func Infer(cat *catalog.Catalog, q *query.Query) *Facts {
	return With(cat, q, Options{})
}

// With is [Infer] with what a project lets inference take for granted.
func With(cat *catalog.Catalog, q *query.Query, o Options) *Facts {
	f := &Facts{}
	e := &env{opts: o, views: map[*query.Query][]value{}}
	s := e.scope(cat, q, nil, nil)
	for _, v := range s.values() {
		f.Columns = append(f.Columns, Column{Nullable: !v.notNull, ElementNullable: !v.elements, Why: v.why})
	}
	f.Cardinality, f.CardinalityWhy = s.cardinality()
	inferEffects(cat, q, f)
	return f
}

// outputs are the non-junk result columns.
func (s *scope) outputs() []*query.TargetEntry {
	list := s.q.TargetList
	if s.q.Command != query.CmdSelect {
		list = s.q.Returning
	}
	var out []*query.TargetEntry
	for _, te := range list {
		if !te.Junk {
			out = append(out, te)
		}
	}
	return out
}
