package pipeline

import (
	"context"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner"
	"github.com/dbgen/dbgen/planner/lint"
	"github.com/dbgen/dbgen/planner/rel"
)

// NoStatistics says, once for a project without a statistics file, what that
// means.
func (p *Project) NoStatistics() diag.List {
	if p.StatsFile != nil {
		return nil
	}
	return diag.List{{
		Severity: diag.Info, Code: "stats",
		Message: "no statistics: how big the tables are is unknown, plans are approximate and no table counts as big",
		Hint:    "pull them with \"dbgen stats pull\", or write the row counts you know by hand, and name the file as stats: in the configuration",
	}}
}

// Findings returns what the rules say of all plans, and which queries have
// none. It stops when ctx is done.
func (p *Project) Findings(ctx context.Context) diag.List {
	var out diag.List
	all := p.All()
	for i, q := range all {
		if ctx.Err() != nil {
			return out
		}
		p.progress("judge", i, len(all))
		out.Append(p.FindingsOf(q))
		if q.Plan != nil && q.Plan.Precision == rel.Unsupported && q.Analyzed.Query.Command != query.CmdUtility {
			out.Add(q.Unsupported())
		}
	}
	return out
}

// FindingsOf returns what the rules say of one query's plan.
func (p *Project) FindingsOf(q *Query) diag.List {
	if q.Analyzed == nil {
		return nil
	}
	return lint.Run(lint.Input{
		Bound: p.Bound, Statement: q.Statement, Name: q.Name, Analyzed: q.Analyzed, Facts: q.Facts, Plan: q.Plan,
		Replan: func(hypothetical []*catalog.Index) *planner.Result {
			return planner.Plan(p.Bound, q.Analyzed.Query, planner.Options{Params: q.values, Hypothetical: hypothetical})
		},
	}, lint.Config{Severities: p.Config.Findings})
}
