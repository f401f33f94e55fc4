package soundfuzz

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/infer"
	"github.com/dbgen/dbgen/parser/query"
)

// Stats are the counts of a run.
type Stats struct {
	Queries, Accepted, Refused int
	// Constants counts statements refused for a constant that analysis has not read.
	Constants int
	// Executed and Failed count executions, one for each variant of the data.
	Executed, Failed int
	// Inserted and NotInserted count the rows of the data.
	Inserted, NotInserted int
	Refusals              map[string]int
	// Columns are those of which a query returned rows; NotNull those called so,
	// Nulls those that showed NULL.
	Columns, NotNull, Nulls int
	// Loose counts columns called nullable that never showed NULL, by reason;
	// Right those that did.
	Loose, Right map[string]int
	// Proofs counts columns called not null, and row counts, by reason.
	Proofs map[string]int
	// Errors counts what the server refused, by its words.
	Errors map[string]int
	// Rows counts statements by the cardinality that was told.
	Rows [4]int
}

func (s *Stats) count(cat *catalog.Catalog, f *infer.Facts, outputs []*query.TargetEntry, arrays, nulls, elements []bool, rows int) {
	s.Rows[f.Cardinality]++
	if s.Loose == nil {
		s.Loose, s.Right, s.Proofs = map[string]int{}, map[string]int{}, map[string]int{}
	}
	if f.Cardinality != infer.Many {
		s.Proofs[f.Cardinality.String()+": "+genericWhy(f.CardinalityWhy)]++
	}
	if rows < 3 {
		return
	}
	for i, c := range f.Columns {
		s.Columns++
		if nulls[i] {
			s.Nulls++
		}
		switch {
		case !c.Nullable:
			s.NotNull++
			s.Proofs[genericWhy(c.Why)]++
			if arrays[i] && c.ElementNullable {
				s.loose("elements of "+kindOf(cat, outputs[i].Expr), elements[i])
			}
		default:
			s.loose(kindOf(cat, outputs[i].Expr)+": "+genericWhy(c.Why), nulls[i])
		}
	}
}

func (s *Stats) loose(why string, shown bool) {
	if shown {
		s.Right[why]++
	} else {
		s.Loose[why]++
	}
}

// String is the table of a run, the loosest reasons first.
func (s *Stats) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d queries: %d accepted and %d refused by the server; %d executions, %d with a run-time error\n",
		s.Queries, s.Accepted, s.Refused, s.Executed, s.Failed)
	fmt.Fprintf(&b, "%d rows inserted, %d refused by constraints %v\n", s.Inserted, s.NotInserted, s.Refusals)
	fmt.Fprintf(&b, "told none %d, exactly one %d, at most one %d, many %d\n", s.Rows[0], s.Rows[1], s.Rows[2], s.Rows[3])
	loose := s.Columns - s.NotNull - s.Nulls
	fmt.Fprintf(&b, "%d columns: %d not null, %d nullable and seen NULL, %d nullable and never seen NULL (tight: %.1f %%)\n",
		s.Columns, s.NotNull, s.Nulls, loose, 100*float64(s.Columns-loose)/float64(max(s.Columns, 1)))
	for _, k := range most(s.Loose, 60) {
		fmt.Fprintf(&b, "%6d never NULL, %6d seen NULL  %s\n", s.Loose[k], s.Right[k], k)
	}
	for _, k := range most(s.Proofs, 80) {
		fmt.Fprintf(&b, "%6d proved: %s\n", s.Proofs[k], k)
	}
	for _, k := range most(s.Errors, 25) {
		fmt.Fprintf(&b, "%6d refused: %s\n", s.Errors[k], k)
	}
	return b.String()
}

// most are the keys of the largest counts.
func most(counts map[string]int, limit int) []string {
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	return keys[:min(len(keys), limit)]
}

// kindOf is the kind of an expression, with the name of what it calls.
func kindOf(cat *catalog.Catalog, e query.Expr) string {
	name := strings.TrimPrefix(fmt.Sprintf("%T", e), "*query.")
	switch n := e.(type) {
	case *query.FuncExpr:
		if f := cat.Func(n.Func); f != nil {
			name += " " + f.Name
		}
	case *query.OpExpr:
		if o := cat.Operator(n.Op); o != nil {
			name += " " + o.Name
		}
	case *query.Aggref:
		if f := cat.Func(n.Func); f != nil {
			name += " " + f.Name
		}
	case *query.WindowFunc:
		if f := cat.Func(n.Func); f != nil {
			name += " " + f.Name
		}
	}
	return name
}
