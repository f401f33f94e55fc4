package cli

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/dbgen/dbgen/cmd/dbgen/internal/pipeline"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/infer"
)

func (a *app) analyzeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "analyze [FILE…]",
		Short: "Say what is known of each query: parameters, columns, nullability and why",
		Long: `Say what is known of each query: how many rows come, what is read, written,
locked and fired, and each parameter and column with its type in PostgreSQL and
in Go, and whether it can be NULL; each with the reason why.`,
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

// printAnalyses writes what is known of each query as a block: where it is, how
// many rows come and why, what it touches, its parameters and its columns.
func printAnalyses(w io.Writer, all []pipeline.Analysis) error {
	for i, q := range all {
		if i > 0 {
			fmt.Fprintln(w)
		}
		command := q.Command
		if command != "" {
			command = " :" + command
		}
		fmt.Fprintf(w, "%s:%d: %s%s\n", q.File, q.Line, q.Name, command)
		t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		fmt.Fprintf(t, "  %s\t%s\n", q.Statement, rowsLine(q))
		line := func(word string, list []string) {
			if len(list) > 0 {
				fmt.Fprintf(t, "  %s\t%s\n", word, strings.Join(list, ", "))
			}
		}
		line("reads", q.Reads)
		line("reads", suffixed(q.ReadsUnknown, "what it reads is not known"))
		line("writes", q.Writes)
		for _, why := range q.WritesWhy {
			fmt.Fprintf(t, "  \t%s\n", why)
		}
		line("locks", q.RowLocks)
		line("fires", q.Triggers)
		if q.Volatility != "immutable" {
			line(q.Volatility, q.VolatilityWhy)
		}
		line("unknown", suffixed(q.Unknown, "what it does is not known"))
		if err := t.Flush(); err != nil {
			return err
		}
		if err := printValues(w, q); err != nil {
			return err
		}
	}
	return nil
}

// printValues writes the parameters and columns of a query, in one table so that
// names, types and Go types stand below each other.
func printValues(w io.Writer, q pipeline.Analysis) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, p := range q.Params {
		fmt.Fprintf(t, "  $%d %s\t%s\t%s\t%s\n", p.Number, p.Name, p.Type, p.GoType, nullWord(p))
	}
	for _, c := range q.Columns {
		why := c.Why
		if c.ElementNullable {
			why += "; elements may be NULL"
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", c.Name, c.Type, c.GoType, why)
	}
	return t.Flush()
}

// rowsLine says how many rows come, and why; of a statement that writes, how many
// it returns.
func rowsLine(q pipeline.Analysis) string {
	words := map[string]string{"none": "no rows", "exactly-one": "one row", "at-most-one": "at most one row", "many": "many rows"}[q.Cardinality]
	if slices.Contains([]string{"insert", "update", "delete", "merge"}, q.Statement) {
		words = "returns " + words
	}
	if q.CardinalityWhy == "" {
		return words
	}
	return words + ": " + q.CardinalityWhy
}

func suffixed(list []string, end string) []string {
	if len(list) == 0 {
		return nil
	}
	out := slices.Clone(list)
	out[len(out)-1] += ": " + end
	return out
}

// nullWord says whether NULL makes sense for a parameter; the reason where there
// is one in the text or the schema.
func nullWord(p pipeline.AnalysisParam) string {
	word := "not null"
	if p.Nullable {
		word = "nullable"
	}
	if p.Why == infer.NothingLooksForNull {
		return word
	}
	return word + ": " + p.Why
}
