package plan

import (
	"fmt"
	"strconv"
	"strings"
)

// Text prints the plan as EXPLAIN's text format does, with a newline at the end
// of every line.
func (n *Node) Text() string {
	var b textPrinter
	b.node(n, 0)
	return b.String()
}

type textPrinter struct{ strings.Builder }

func (b *textPrinter) line(indent int, parts ...string) {
	b.WriteString(strings.Repeat("  ", indent))
	for _, p := range parts {
		b.WriteString(p)
	}
	b.WriteByte('\n')
}

func (b *textPrinter) node(n *Node, indent int) {
	if n.SubplanName != "" && (n.Relationship == "InitPlan" || n.Relationship == "SubPlan") {
		b.line(indent, n.SubplanName)
		indent++
	}
	arrow := ""
	if indent > 0 {
		arrow = "->  "
	}
	b.line(indent, arrow, n.headline())
	if indent > 0 {
		indent += 2
	}
	indent++
	if n.Disabled && n.version >= 180000 {
		b.line(indent, "Disabled: true")
	}
	for _, d := range n.Details {
		if !d.JSONOnly {
			b.detail(n, d, indent)
		}
	}
	for _, c := range n.Plans {
		b.node(c, indent)
	}
}

// headline is a node's first line.
func (n *Node) headline() string {
	var b strings.Builder
	if n.ParallelAware {
		b.WriteString("Parallel ")
	}
	if n.AsyncCapable {
		b.WriteString("Async ")
	}
	b.WriteString(n.title())
	switch n.Kind {
	case IndexScan, IndexOnlyScan:
		if n.ScanDirection == "Backward" {
			b.WriteString(" Backward")
		}
		b.WriteString(" using " + n.quote(n.IndexName))
	case BitmapIndexScan:
		b.WriteString(" on " + n.quote(n.IndexName))
	case SetOp:
		b.WriteString(" " + n.Command)
	}
	if n.Alias != "" {
		b.WriteString(n.onTarget(n.ObjectName, n.Alias))
	}
	fmt.Fprintf(&b, "  (cost=%s..%s rows=%s width=%d)", number(n.Startup, 2), number(n.Total, 2), number(n.Rows, 0), n.Width)
	return b.String()
}

func (n *Node) quote(name string) string { return n.catalog.QuoteIdent(name) }

func (n *Node) onTarget(object, alias string) string {
	s := " on"
	if object != "" {
		s += " " + n.quote(object)
	}
	if object != alias {
		s += " " + n.quote(alias)
	}
	return s
}

func number(f float64, decimals int) string { return strconv.FormatFloat(f, 'f', decimals, 64) }

// title is the name of a node in the text format, where the strategy and the
// join type are part of it.
func (n *Node) title() string {
	switch n.Kind {
	case ModifyTable:
		return n.Operation
	case NestLoop, MergeJoin, HashJoin:
		name := map[Kind]string{NestLoop: "Nested Loop", MergeJoin: "Merge", HashJoin: "Hash"}[n.Kind]
		if n.JoinType != "Inner" {
			return name + " " + n.JoinType + " Join"
		}
		if n.Kind != NestLoop {
			name += " Join"
		}
		return name
	case Agg:
		name := map[string]string{
			"Plain": "Aggregate", "Sorted": "GroupAggregate", "Hashed": "HashAggregate", "Mixed": "MixedAggregate",
		}[n.Strategy]
		if n.PartialMode == "Partial" || n.PartialMode == "Finalize" {
			return n.PartialMode + " " + name
		}
		return name
	case SetOp:
		if n.Strategy == "Hashed" {
			return "HashSetOp"
		}
	}
	return n.Kind.String()
}

func (b *textPrinter) detail(n *Node, d Detail, indent int) {
	switch v := d.Value.(type) {
	case string:
		b.line(indent, d.Name, ": ", v)
	case []string:
		b.line(indent, d.Name, ": ", strings.Join(v, ", "))
	case bool:
		b.line(indent, d.Name, ": ", strconv.FormatBool(v))
	case int:
		b.line(indent, d.Name, ": ", strconv.Itoa(v))
	case sample:
		s := "Sampling: " + v.method + " (" + strings.Join(v.args, ", ") + ")"
		if v.seed != "" {
			s += " REPEATABLE (" + v.seed + ")"
		}
		b.line(indent, s)
	case []Target:
		for _, t := range v {
			b.line(indent, t.Operation, n.onTarget(t.Relation, t.Alias))
		}
	case []GroupingSet:
		for _, g := range v {
			b.groupingSet(g, indent)
		}
	}
}

func (b *textPrinter) groupingSet(g GroupingSet, indent int) {
	if len(g.SortKey) > 0 {
		b.line(indent, "Sort Key: ", strings.Join(g.SortKey, ", "))
		indent++
	}
	label := "Group Key: "
	if g.Hashed {
		label = "Hash Key: "
	}
	for _, keys := range g.Keys {
		text := "()"
		if len(keys) > 0 {
			text = strings.Join(keys, ", ")
		}
		b.line(indent, label, text)
	}
}
