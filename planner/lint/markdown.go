package lint

import (
	"fmt"
	"strings"
)

// Markdown returns the reference of all rules: a table, and a section for each.
// It is what RULES.md holds.
func Markdown() string {
	var b strings.Builder
	b.WriteString("# Plan findings\n\n")
	b.WriteString("Written from the rules themselves; do not edit. A finding rests on the estimates of the planner, and so on the\n")
	b.WriteString("statistics file. ")
	fmt.Fprintf(&b, "A table with fewer than %s pages and fewer than %s rows is small: nothing is said about it. A table that the\n", count(SmallPages), count(SmallRows))
	b.WriteString("statistics do not know is left alone too. Two are otherwise: PL007 speaks of a table that is not known, for a second row is\n")
	b.WriteString("an error however few there are, and PL009 rests on the schema alone. `-- @allow CODE reason` in front of a query silences\n")
	b.WriteString("one finding.\n\n")
	b.WriteString("| code | name | what it reports | default |\n|---|---|---|---|\n")
	for _, r := range Rules() {
		fmt.Fprintf(&b, "| [%[1]s](#%[2]s-%[3]s) | %[3]s | %[4]s | %[5]s |\n", r.Code, strings.ToLower(r.Code), r.Name, r.Title, r.Default)
	}
	for _, r := range Rules() {
		fmt.Fprintf(&b, "\n## %s %s\n\n%s.\n\n%s\n\nBefore:\n\n```sql\n%s\n```\n\nAfter:\n\n```sql\n%s\n```\n",
			r.Code, r.Name, strings.ToUpper(r.Title[:1])+r.Title[1:], r.Explanation, r.Before, r.After)
	}
	return b.String()
}
