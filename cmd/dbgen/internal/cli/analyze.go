package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/dbgen/dbgen/cmd/dbgen/internal/pipeline"
	"github.com/dbgen/dbgen/parser/diag"
)

func (a *app) analyzeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "analyze [FILE…]",
		Short: "Say what is known of each query: parameters, columns, nullability and why",
		Example: `  dbgen analyze
  dbgen analyze queries/orders.sql
  dbgen analyze --schema schema.sql --format json query.sql`,
		RunE: func(c *cobra.Command, args []string) error {
			a.queriesJSON = true
			projects, ok, err := a.load(c, args, true)
			if !ok || err != nil {
				return err
			}
			var diags diag.List
			var all []pipeline.Analysis
			for _, p := range projects {
				diags.Append(p.Diags)
				all = append(all, p.Analyses()...)
			}
			diags.Sort()
			a.analysisStatus(diags)
			switch a.flags.format {
			case "json":
				return writeJSON(a.std.Out, result{Queries: nonNil(all), Diagnostics: diags.JSON()})
			case "text":
				var out bytes.Buffer
				if err := printAnalyses(&out, all); err != nil {
					return err
				}
				if _, err := a.std.Out.Write(out.Bytes()); err != nil {
					return err
				}
			}
			return a.report(diags)
		},
	}
}

func printAnalyses(w io.Writer, all []pipeline.Analysis) error {
	for i, q := range all {
		if i > 0 {
			fmt.Fprintln(w)
		}
		command := q.Command
		if command != "" {
			command = " :" + command
		}
		fmt.Fprintf(w, "%s:%d: %s%s  %s, %s, %s\n", q.File, q.Line, q.Name, command, q.Statement, q.Cardinality, q.Volatility)
		if len(q.Reads) > 0 {
			fmt.Fprintf(w, "  reads %s\n", strings.Join(q.Reads, ", "))
		}
		if len(q.Writes) > 0 {
			fmt.Fprintf(w, "  writes %s\n", strings.Join(q.Writes, ", "))
		}
		t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		for _, p := range q.Params {
			fmt.Fprintf(t, "  $%d\t%s\t%s\t%s\t%s\n", p.Number, p.Name, p.Type, nullWord(p.Nullable), p.GoType)
		}
		for _, c := range q.Columns {
			fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", c.Name, c.Type, c.GoType, c.Why)
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func nullWord(nullable bool) string {
	if nullable {
		return "nullable"
	}
	return "not null"
}
