package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dbgen/dbgen/cmd/dbgen/internal/pipeline"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/planner/rel"
)

// explained is one query of explain's JSON, a contract.
type explained struct {
	Name      string         `json:"name"`
	File      string         `json:"file"`
	Line      int            `json:"line"`
	Plan      json.Marshaler `json:"plan"`
	Precision string         `json:"precision"`
	Reasons   []string       `json:"reasons"`
	Findings  []diag.Entry   `json:"findings"`
}

func (a *app) explainCommand() *cobra.Command {
	var values []string
	c := &cobra.Command{
		Use:   "explain [QUERY | FILE…]",
		Short: "Print the plan of each query, as EXPLAIN would, with no database",
		Long: `Print the plan of each query, as EXPLAIN would, with no database.

Without a value for $1 the plan is a generic one; --param name=value plans for
that value. A plan says how far it can be trusted: exact, approximate (and why)
or unsupported (and why).`,
		Example: `  dbgen explain
  dbgen explain ListOrders
  dbgen explain ListOrders --param status=pending
  dbgen explain --schema schema.sql --stats stats.json --format json query.sql`,
		RunE: func(c *cobra.Command, args []string) error {
			params := map[string]string{}
			for _, v := range values {
				name, value, ok := strings.Cut(v, "=")
				if !ok {
					return &usageError{commandPath(c), fmt.Errorf("--param wants name=value, not %q", v)}
				}
				params[strings.TrimPrefix(strings.TrimPrefix(name, "@"), "$")] = value
			}
			return a.explain(c, args, params)
		},
	}
	c.Flags().StringArrayVar(&values, "param", nil, "plan for a value: name=value; repeatable")
	return c
}

// isFile tells a query file from a query's name.
func isFile(arg string) bool {
	return strings.ContainsAny(arg, "./\\*")
}

func (a *app) explain(c *cobra.Command, args []string, params map[string]string) error {
	var files, names []string
	for _, arg := range args {
		if isFile(arg) {
			files = append(files, arg)
		} else {
			names = append(names, arg)
		}
	}
	projects, ok, err := a.load(c, files, true)
	if !ok || err != nil {
		return err
	}
	var diags diag.List
	out := []explained{}
	found := map[string]bool{}
	for _, p := range projects {
		if err := a.only(p, names, found); err != nil {
			return &usageError{commandPath(c), err}
		}
		used := map[string]bool{}
		err := p.PlanFor(c.Context(), params, used)
		if err != nil {
			return &usageError{commandPath(c), err}
		}
		if err := c.Context().Err(); err != nil {
			return err
		}
		for name := range params {
			if !used[name] {
				return &usageError{commandPath(c), fmt.Errorf("no query has a parameter %q", name)}
			}
		}
		diags.Append(p.Diags)
		for _, q := range p.All() {
			if q.Analyzed == nil || q.Plan == nil {
				continue
			}
			findings := p.FindingsOf(q)
			findings.Sort()
			e := explained{
				Name: q.Name, File: q.Statement.File.Name, Line: q.Line(), Precision: q.Plan.Precision.String(),
				Reasons: nonNil(q.Plan.Reasons), Findings: findings.JSON(),
			}
			if q.Plan.Root != nil {
				e.Plan = q.Plan.Root
			}
			if q.Plan.Precision == rel.Unsupported {
				diags.Add(q.Unsupported())
			}
			out = append(out, e)
			if a.flags.format != "json" {
				a.printPlan(q, findings)
			}
		}
	}
	diags.Sort()
	a.finish(errorsOnly(diags), "error", "error")
	if a.flags.format == "json" {
		return writeJSON(a.std.Out, map[string]any{"queries": out, "diagnostics": diags.JSON()})
	}
	return a.report(diags)
}

// only keeps the queries that were asked for by name.
func (a *app) only(p *pipeline.Project, names []string, found map[string]bool) error {
	if len(names) == 0 {
		return nil
	}
	var known []string
	for _, f := range p.Files {
		f.Queries = slices.DeleteFunc(f.Queries, func(q *pipeline.Query) bool {
			known = append(known, q.Name)
			if slices.Contains(names, q.Name) {
				found[q.Name] = true
				return false
			}
			return true
		})
	}
	for _, n := range names {
		if !found[n] {
			if near, ok := diag.DidYouMean(n, known); ok {
				return fmt.Errorf("no query %q; did you mean %q?", n, near)
			}
			return fmt.Errorf("no query %q", n)
		}
	}
	return nil
}

func (a *app) printPlan(q *pipeline.Query, findings diag.List) {
	w := a.std.Out
	fmt.Fprintf(w, "%s:%d: %s  (%s)\n", q.Statement.File.Name, q.Line(), q.Name, q.Plan.Precision)
	for _, r := range q.Plan.Reasons {
		fmt.Fprintf(w, "  -- %s\n", r)
	}
	if q.Plan.Root != nil {
		fmt.Fprintln(w, q.Plan.Root.Text())
	}
	if len(findings) > 0 {
		_ = findings.Text(w, false)
	}
	fmt.Fprintln(w)
}
