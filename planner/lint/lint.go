// Package lint finds what is wrong with a planned query: scans that read a large
// table for a few rows, conditions that no index can serve, results without a
// bound, and the like.
//
// A rule judges estimates, not syntax: it looks at rows, pages and costs, says
// nothing about a table that the statistics call small or do not know, and
// proves an advice by planning with it. Where two rules would tell of the same
// scan, the one with the better explanation does: see [Pass.Scans]. Each rule is
// a file of its own; [Rules] lists them.
//
// The package imports planner, planner/advise and what they stand on.
package lint

import (
	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/annotation"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/infer"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/planner"
	"github.com/dbgen/dbgen/planner/advise"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/stats"
)

// Thresholds of the rules.
const (
	// SmallPages and SmallRows bound a small table: one that has fewer of both.
	// Reading 8 MB from end to end takes about as long as a round trip.
	SmallPages = 1000
	SmallRows  = 10000
	// FewShare is the part of a table up to which a scan of all of it is a
	// waste.
	FewShare = 0.05
	// MinorCost is the cost below which a finding is an info: about what it
	// costs to read a table that has just ceased to be small.
	MinorCost = 1000
	// MinSaved is what an index or a rewritten condition must save to be
	// reported at all.
	MinSaved = 500
	// ServedShare weighs the saving where an index already serves part of the
	// conditions: such a query is slower than it could be, but does not read
	// the whole table. It also weighs a scan that nothing is known to avoid.
	ServedShare = 0.1
	// ManyRows is the number of rows from which a result that the caller holds
	// in memory needs a bound.
	ManyRows = 10000
	// FarOffset is the constant OFFSET from which paging costs.
	FarOffset = 1000
	// HiddenFactor is how many times cheaper a query must become for a
	// rewritten condition to be worth it. It is less than for a new index, for
	// the rewrite is free, and the estimate of a hidden condition is a guess
	// on the high side.
	HiddenFactor = 2.0
)

// Rule is one kind of finding.
type Rule struct {
	// Code is PLxxx, Name the same in words, in kebab case.
	Code, Name string
	// Title is one line; Explanation says why it matters, when it is not
	// reported, and what to do.
	Title, Explanation string
	// Before and After are SQL with and without the problem.
	Before, After string
	// Default is the severity where the configuration says nothing. A finding
	// whose cost is below [MinorCost] is an info.
	Default diag.Severity
	// Check reports what a query has of it. It is nil for the rule about
	// directives, which [Run] checks itself.
	Check func(*Pass)
}

// Rules returns every rule, by code.
func Rules() []*Rule {
	return []*Rule{
		unusedAllow(), seqScan(), missingIndex(), nonSargable(), implicitCast(), unboundedMany(), offsetPaging(),
		oneOfMany(), missingWhere(), missingValue(),
	}
}

// Explain returns the rule with a code.
func Explain(code string) (*Rule, bool) {
	for _, r := range Rules() {
		if r.Code == code {
			return r, true
		}
	}
	return nil, false
}

// Config steers [Run].
type Config struct {
	// Severities are error, warning, info or off by code; what is missing has
	// the rule's own. A severity given here holds for minor findings too.
	Severities map[string]string
}

// Input is a query with all that is known of it.
type Input struct {
	// Bound are the statistics; its catalog is the one that was analysed.
	Bound     *stats.Bound
	Statement *parser.Statement
	Name      string
	Analyzed  *analyze.Analyzed
	Facts     *infer.Facts
	// Plan may be nil or without a tree; most rules are silent then.
	Plan *planner.Result
	// Replan plans the query again with indexes that do not exist. Nil means
	// [planner.Plan] of the analysed query without parameter values.
	Replan func(hypothetical []*catalog.Index) *planner.Result
}

// Pass is one query under the rules.
type Pass struct {
	Input
	rule     *Rule
	config   Config
	findings diag.List
	scans    []*Scan
	scanned  bool
	// nodes are the expressions of the analysed query by place; nil stands for
	// a FROM item.
	nodes map[source.Span][]query.Expr
}

// Run returns the findings about a query, sorted by place. What a directive
// allows is left out; a directive that allows nothing is a finding.
func Run(in Input, cfg Config) diag.List {
	if in.Statement == nil || in.Analyzed == nil || in.Bound == nil {
		return nil
	}
	if in.Replan == nil {
		in.Replan = func(hypothetical []*catalog.Index) *planner.Result {
			return planner.Plan(in.Bound, in.Analyzed.Query, planner.Options{Hypothetical: hypothetical})
		}
	}
	p := &Pass{Input: in, config: cfg}
	for _, r := range Rules() {
		if r.Check != nil && cfg.Severities[r.Code] != "off" {
			p.rule = r
			r.Check(p)
		}
	}
	list := p.allow()
	list.Sort()
	return list
}

// planned reports whether there is a plan to judge.
func (p *Pass) planned() bool { return p.Plan != nil && p.Plan.Root != nil }

// command is the command of the annotation, "" for a statement without one.
func (p *Pass) command() annotation.Command {
	if p.Statement.Annotation == nil {
		return ""
	}
	return p.Statement.Annotation.Command
}

// big reports whether a table is known, and not small.
func (p *Pass) big(r *advise.Read) bool {
	return r.Known && !small(r.Pages, r.Tuples)
}

func small(pages, rows float64) bool { return pages < SmallPages && rows < SmallRows }

// report adds a finding of the rule under way. cost is what is at stake, which
// decides the severity; 0 for a finding that is not about cost.
func (p *Pass) report(cost float64, d diag.Diagnostic) {
	d.Code, d.Query, d.File = p.rule.Code, p.Name, p.Statement.File
	d.Severity = p.rule.Default
	if cost > 0 && cost < MinorCost {
		d.Severity = diag.Info
	}
	p.findings.Add(p.configured(d))
}

// configured gives a finding the severity of the configuration.
func (p *Pass) configured(d diag.Diagnostic) diag.Diagnostic {
	switch p.config.Severities[d.Code] {
	case "error":
		d.Severity = diag.Error
	case "warning":
		d.Severity = diag.Warning
	case "info":
		d.Severity = diag.Info
	}
	return d
}

// approximate reports whether the plan is no more than near to the server's.
func (p *Pass) approximate() bool { return p.planned() && p.Plan.Precision != rel.Exact }
