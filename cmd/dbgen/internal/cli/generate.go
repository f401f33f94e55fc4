package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dbgen/dbgen/cmd/dbgen/internal/pipeline"
	"github.com/dbgen/dbgen/parser/diag"
)

func (a *app) generateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "generate",
		Short: "Write typed Go repositories and print findings",
		Long: `Write typed Go repositories and print findings.

Everything is rendered in memory first; an error in any query writes nothing. A
finding about a plan never stops the writing, it only sets the exit status.`,
		Example: `  dbgen generate
  dbgen generate --fail-on warning
  dbgen generate --schema migrations --queries queries --out internal/db`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.generate(c, true) },
	}
	c.Flags().StringVar(&a.flags.out, "out", "", "folder for the generated Go")
	return c
}

func (a *app) checkCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "check",
		Short: "Fail on findings and on generated code that is out of date; write nothing",
		Example: `  dbgen check
  dbgen check --format github     # annotations in a pull request
  dbgen check --format sarif > dbgen.sarif`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.generate(c, false) },
	}
	c.Flags().StringVar(&a.flags.out, "out", "", "folder of the generated Go")
	return c
}

// generate is generate and, without writing, check.
func (a *app) generate(c *cobra.Command, write bool) error {
	projects, ok, err := a.load(c, nil, false)
	if !ok || err != nil {
		return err
	}
	otherwise := "warning"
	if write {
		otherwise = "error"
	}
	for _, p := range projects {
		if p.Config.Out == "" && write {
			return &usageError{commandPath(c), errors.New("no output folder: give --out, or out: in the configuration")}
		}
		if err := a.generateOne(c, p, write, otherwise); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) generateOne(c *cobra.Command, p *pipeline.Project, write bool, otherwise string) error {
	ctx := c.Context()
	diags := p.Diags
	if !diags.HasErrors() {
		p.Plan(ctx, nil)
		if err := ctx.Err(); err != nil {
			return err
		}
		diags.Append(p.Findings())
	}
	files, rendered := p.Render()
	diags.Append(rendered)
	broken := hasHardErrors(diags)
	var changes []pipeline.Change
	if !broken && p.Config.Out != "" {
		var err error
		if write {
			changes, err = pipeline.Write(ctx, p.Config.Out, files)
		} else {
			changes, err = pipeline.Diff(p.Config.Out, files)
		}
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("write %s: %w", p.Config.Out, err)
		}
	}
	if !write {
		for _, ch := range changes {
			diags.Add(diag.Diagnostic{
				Severity: diag.Error, Code: "outdated", Message: ch.Path + " is out of date",
				Hint: "run dbgen generate and commit what it writes",
			})
		}
	}
	a.finish(diags, p.Config.FailOn, otherwise)
	if err := a.report(diags); err != nil {
		return err
	}
	if write && a.flags.format == "text" {
		a.summary(p, files, changes, broken, diags)
	}
	return nil
}

// summary says in one line what generate did.
func (a *app) summary(p *pipeline.Project, files []pipeline.Output, changes []pipeline.Change, broken bool, diags diag.List) {
	if broken {
		fmt.Fprintln(a.std.Err, "dbgen: nothing written")
		return
	}
	warnings := 0
	for i := range diags {
		if diags[i].Severity == diag.Warning {
			warnings++
		}
	}
	fmt.Fprintf(a.std.Err, "dbgen: %d queries, %d findings; %d of %d files changed in %s\n",
		len(p.All()), warnings, len(changes), len(files), p.Config.Out)
}
