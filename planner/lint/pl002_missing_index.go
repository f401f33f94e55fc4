package lint

import (
	"fmt"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/planner/advise"
)

// missingIndex proposes an index that planning has proved: the query was planned
// with it, and became much cheaper.
func missingIndex() *Rule {
	return &Rule{
		Code: "PL002", Name: "missing-index", Default: diag.Warning,
		Title: "an index would make the query much cheaper",
		Explanation: fmt.Sprintf("The query was planned once more with an index that does not exist. It is reported if the "+
			"cost of the whole query falls to a tenth or less and by at least %d, and the table is big; as an info where "+
			"an index serves the query in part already. Half is enough where the statistics do not know the column: the "+
			"planner then assumes 200 values of it, most often far too few. The smallest "+
			"index that is nearly as good as the best is proposed: columns compared for equality first, then the one of "+
			"a range or of the order. Every index makes writes dearer: if the query runs once a night, allow it.",
			MinSaved),
		Before: "SELECT id, status FROM orders WHERE customer_id = @customer_id;",
		After:  "CREATE INDEX ON orders (customer_id);",
		Check: func(p *Pass) {
			for _, s := range p.Scans() {
				if s.Cause != IndexMissing {
					continue
				}
				label := "no index serves this"
				if s.Cond == nil {
					label = "no index gives the order"
				}
				p.report(p.stake(s), diag.Diagnostic{
					Span:    p.conditionPlace(s.Read, s.Cond),
					Message: p.scannedText(s.Read) + " " + p.purpose(s.Read),
					Label:   label,
					Hint:    p.createIndex(s),
				})
			}
		},
	}
}

// createIndex proposes an index and says what it brings.
func (p *Pass) createIndex(s *Scan) string {
	how := "CONCURRENTLY keeps the table writable while it is built"
	if s.Table.Kind == catalog.KindPartitioned {
		how = "it is made on each partition; to keep them writable, make it CONCURRENTLY on each first"
	}
	return fmt.Sprintf("%s\nwith it the query costs about %s instead of %s, %s times less; %s",
		advise.DDL(p.Bound.Catalog, s.Index), costs(s.After), costs(p.now()), factor(p.now(), s.After), how)
}
