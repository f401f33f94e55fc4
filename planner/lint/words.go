package lint

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/dbgen/dbgen/planner/advise"
)

// count prints a number of rows to three digits, as an estimate deserves:
// 2,290,000.
func count(n float64) string {
	if n >= 1000 {
		unit := math.Pow(10, math.Floor(math.Log10(n))-2)
		n = math.Round(n/unit) * unit
	}
	digits := strconv.FormatFloat(math.Round(n), 'f', 0, 64)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// costs prints a cost.
func costs(c float64) string { return strconv.FormatFloat(math.Round(c), 'f', 0, 64) }

// cost prints the cost of something in the plan.
func (p *Pass) cost(c float64) string {
	if p.approximate() {
		return "estimated cost " + costs(c)
	}
	return "cost " + costs(c)
}

// factor prints how many times less something costs.
func factor(before, after float64) string {
	f := before / math.Max(after, 0.01)
	if f >= 10 {
		return count(math.Floor(f))
	}
	return strings.TrimSuffix(strconv.FormatFloat(math.Floor(f*10)/10, 'f', 1, 64), ".0")
}

// rows prints a number of rows with its noun.
func rows(n float64) string {
	if math.Round(n) == 1 {
		return "1 row"
	}
	return count(n) + " rows"
}

// table is the name of a table as a query would write it.
func (p *Pass) table(r *advise.Read) string {
	return p.Bound.Catalog.RelationName(r.Table.OID)
}

// column is the name of a column.
func (p *Pass) column(r *advise.Read, number int) string {
	return p.Bound.Catalog.QuoteIdent(r.Table.ColumnName(number))
}

// scannedText says what a scan does: "scans all 2,290,000 rows of order_items (cost
// 51234)".
func (p *Pass) scannedText(r *advise.Read) string {
	about := ""
	if p.approximate() {
		about = "about "
	}
	parts := ""
	if len(r.Nodes) > 1 && r.Table.PartitionKey != nil {
		parts = fmt.Sprintf(" in %d partitions", len(r.Nodes))
	}
	switch {
	case !r.Sequential() || r.Loops >= 2:
	case p.approximate():
		return fmt.Sprintf("scans all of %s%s, about %s (%s),", p.table(r), parts, rows(r.Tuples), p.cost(r.Cost))
	default:
		return fmt.Sprintf("scans all %s of %s%s (%s)", rows(r.Tuples), p.table(r), parts, p.cost(r.Cost))
	}
	if r.Loops >= 2 {
		by := ""
		if x := r.Nodes[0].Index; x != nil {
			by = " by index " + p.Bound.Catalog.QuoteIdent(x.Name)
		}
		return fmt.Sprintf("reads %s%s about %s times (%s each time)", p.table(r), by, count(r.Loops), p.cost(r.Cost))
	}
	if x := r.Nodes[0].Index; x != nil && len(r.Nodes) == 1 {
		return fmt.Sprintf("reads much of index %s of %s, which has %s%s (%s)", p.Bound.Catalog.QuoteIdent(x.Name),
			p.table(r), about, rows(r.Tuples), p.cost(r.Cost))
	}
	return fmt.Sprintf("reads a part of %s%s, %s%s (%s),", p.table(r), parts, about, rows(r.Tuples), p.cost(r.Cost))
}

// purpose says what a scan is good for: "to return about 3".
func (p *Pass) purpose(r *advise.Read) string {
	if r.Loops >= 2 {
		return fmt.Sprintf("for a query that returns about %s", rows(p.Plan.Root.Rows))
	}
	if r.Rows <= float64(r.Tuples*0.5) {
		return "to return about " + count(r.Rows)
	}
	return fmt.Sprintf("for a query that returns about %s", rows(p.Plan.Root.Rows))
}
