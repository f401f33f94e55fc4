package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
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
that value, NULL for none. Values are in PostgreSQL's own text form. A plan says
how far it can be trusted: exact, approximate (and why) or unsupported (and why).`,
		Example: `  dbgen explain
  dbgen explain ListOrders
  dbgen explain ListOrders --param status=pending
  dbgen explain --schema schema.sql --stats stats.json --format json query.sql`,
		RunE: func(c *cobra.Command, args []string) error {
			params := map[string]string{}
			for _, v := range values {
				name, value, ok := strings.Cut(v, "=")
				if !ok {
					return usage(c, "--param wants name=value, not %q", v)
				}
				params[strings.TrimPrefix(strings.TrimPrefix(name, "@"), "$")] = value
			}
			return a.explain(c, args, params)
		},
	}
	c.ValidArgsFunction = a.completeQueries
	c.Flags().StringArrayVar(&values, "param", nil, "plan for a value: name=value; repeatable")
	return c
}

// completeQueries offers the names of the configured queries, and files.
func (a *app) completeQueries(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	list, _, err := a.configs(c, nil)
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var names []string
	for _, cfg := range list {
		for _, q := range pipeline.Load(c.Context(), cfg, false).All() {
			names = append(names, q.Name)
		}
	}
	return names, cobra.ShellCompDirectiveDefault
}

// isFile tells a query file from a query's name.
func isFile(arg string) bool {
	if strings.ContainsAny(arg, "./\\*?[") {
		return true
	}
	_, err := os.Stat(arg)
	return err == nil
}

func (a *app) explain(c *cobra.Command, args []string, params map[string]string) error {
	a.queriesJSON = true
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
	if err := only(c, projects, names); err != nil {
		return err
	}
	used := map[string]bool{}
	for _, p := range projects {
		if err := p.PlanFor(c.Context(), params, used); err != nil {
			return &usageError{c.CommandPath(), err}
		}
		if err := c.Context().Err(); err != nil {
			return err
		}
	}
	if err := unusedParam(c, projects, params, used); err != nil {
		return err
	}
	var diags diag.List
	var text bytes.Buffer
	var out []explained
	for _, p := range projects {
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
			switch a.flags.format {
			case "github", "sarif":
				diags.Append(findings)
			case "text":
				if len(out) > 0 {
					fmt.Fprintln(&text)
				}
				if err := printPlan(&text, q, findings); err != nil {
					return err
				}
			}
			out = append(out, e)
		}
		if err := c.Context().Err(); err != nil {
			return err
		}
	}
	diags.Sort()
	a.analysisStatus(diags)
	if a.flags.format == "json" {
		return writeJSON(a.std.Out, result{Queries: nonNil(out), Diagnostics: diags.JSON()})
	}
	if _, err := a.std.Out.Write(text.Bytes()); err != nil {
		return err
	}
	return a.report(diags)
}

// only keeps the queries that were asked for by name.
func only(c *cobra.Command, projects []*pipeline.Project, names []string) error {
	if len(names) == 0 {
		return nil
	}
	var known []string
	for _, p := range projects {
		for _, f := range p.Files {
			f.Queries = slices.DeleteFunc(f.Queries, func(q *pipeline.Query) bool {
				known = append(known, q.Name)
				return !slices.Contains(names, q.Name)
			})
		}
	}
	for _, n := range names {
		if !slices.Contains(known, n) {
			return usage(c, "no query %q%s", n, didYouMean(n, known))
		}
	}
	// What is wrong with other queries was not asked for.
	for _, p := range projects {
		p.Diags = slices.DeleteFunc(p.Diags, func(d diag.Diagnostic) bool {
			return d.Query != "" && !slices.Contains(names, d.Query)
		})
	}
	return nil
}

// unusedParam refuses a value for a parameter that no query has.
func unusedParam(c *cobra.Command, projects []*pipeline.Project, params map[string]string, used map[string]bool) error {
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if used[name] {
			continue
		}
		var known []string
		for _, p := range projects {
			for _, q := range p.All() {
				if q.Analyzed == nil {
					continue
				}
				for i := range q.Analyzed.Params {
					known = append(known, p.ParamName(q, i))
				}
			}
		}
		return usage(c, "no query has a parameter %q%s", name, didYouMean(name, known))
	}
	return nil
}

// printPlan prints the plan of a query and what there is to say about it.
func printPlan(w io.Writer, q *pipeline.Query, findings diag.List) error {
	fmt.Fprintf(w, "%s:%d: %s  (%s)\n", q.Statement.File.Name, q.Line(), q.Name, q.Plan.Precision)
	for _, r := range q.Plan.Reasons {
		fmt.Fprintf(w, "  -- %s\n", r)
	}
	if q.Plan.Root != nil {
		fmt.Fprint(w, q.Plan.Root.Text())
	}
	return findings.Text(w, false)
}
